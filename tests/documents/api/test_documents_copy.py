"""POST documents/{id}/copy/."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import Event
from documents import limits
from documents.models import Document, DocumentUserPermission, Placement, Reference, Revision, Workspace
from documents.services import copy_rows
from tests.documents.api.test_documents_places import wrong_rows
from tests.documents.jobs import job_done
from tests.documents.uploading import body_of, upload
from tests.documents.world import ABSENT, World, statements


def tree_of(world: World, by: Any = None) -> list[Any]:
    """Titles of the workspace's tree, nested."""

    def titles(nodes: list[Any]) -> list[Any]:
        return [[node["title"], *titles(node["children"])] for node in nodes]

    return titles(World.ok((by or world.owner).get(f"workspaces/{world.workspace}/tree/")))


def test_copy_stands_beside_the_source_and_says_the_same(world: World) -> None:
    """201, a Location, everything that it says, the actor as owner and author, revision 1 of its own."""
    editor = world.member("editor")
    source = world.document("Source", content="*Text*", tags=["a", "b"], icon="📘", language="de")
    world.document("Last")
    answer = world.act(source, "copy", editor)
    body = World.ok(answer, 201)
    assert answer.headers["Location"].endswith(f"/documents/{body['id']}/")
    assert editor.get(f"documents/{body['id']}/").headers["ETag"] == answer.headers["ETag"]
    kept = ("title", "content", "tags", "icon", "language", "template", "state", "parent", "workspace")
    original = World.ok(editor.get(f"documents/{source}/"))
    assert {name: body[name] for name in kept} == {name: original[name] for name in kept}
    assert (body["owner"], body["created_by"]["id"], body["revision"]) == (
        str(editor.user.uid),
        str(editor.user.uid),
        1,
    )
    assert tree_of(world) == [["Source"], ["Source"], ["Last"]]
    assert World.ok(editor.get(f"workspaces/{world.workspace}/tree/"))[1]["id"] == body["id"]
    event = Event.objects.get(action="document.created", target_uid=body["id"])
    assert event.facts == {"copied_from": source}
    assert Placement.objects.filter(document__uid=body["id"], valid_to=None).count() == 1


def test_copy_of_a_subtree_takes_what_the_actor_sees(world: World) -> None:
    """Hidden and trashed parts stay behind; what is seen below a hidden one hangs on the nearest copy."""
    top = world.document("Top")
    hidden = world.document("Hidden", parent=top)
    below = world.document("Below", parent=hidden)
    world.document("Deeper", parent=below)
    gone = world.document("Gone", parent=top)
    World.ok(world.act(gone, "trash"))
    editor = world.member("editor")
    World.ok(world.owner.patch(f"documents/{hidden}/", {"inherits_access": False}))
    world.grant(below, editor, "viewer")
    target = world.document("Target")
    body = World.ok(world.act(top, "copy", editor, parent=target, include_children=True, title="New"), 201)
    assert body["parent"] == target
    assert tree_of(world, editor)[-1] == ["Target", ["New", ["Below", ["Deeper"]]]]
    assert wrong_rows() == 0


def test_copy_takes_neither_grants_nor_cuts_nor_history(world: World) -> None:
    """Who may read the copy is decided by its place; the source is as it was."""
    source, reader = world.document("Source"), world.client_for()
    world.grant(source, reader, "viewer")
    etag = world.owner.get(f"documents/{source}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{source}/", {"content": "Second"}, If_Match=etag))
    World.ok(world.owner.patch(f"documents/{source}/", {"inherits_access": False}))
    viewer = world.member("viewer")
    body = World.ok(world.act(source, "copy"), 201)
    assert body["inherits_access"] is True
    assert reader.get(f"documents/{body['id']}/").status_code == 404
    assert viewer.get(f"documents/{body['id']}/").status_code == 200
    assert viewer.get(f"documents/{source}/").status_code == 404
    revision = Revision.objects.get(document__uid=body["id"])
    assert (revision.number, revision.note, revision.meta["title"]) == (1, "Copied", "Source")
    assert Revision.objects.filter(document__uid=source).count() == 2


def test_copy_has_its_links_lead_to_the_copies(world: World) -> None:
    """Links within what is copied are made anew, others and what stands in code stay; digests are right."""
    top, outside = world.document("Top"), world.document("Outside")
    leaf = world.document("Leaf", parent=top, content=f"[up](cs://{top}#head) and <cs://{top}>")
    text = f"[down](cs://{leaf}) [path](/api/v1/documents/{leaf}/) [out](cs://{outside})\n\n`cs://{leaf}`\n"
    etag = world.owner.get(f"documents/{top}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{top}/", {"content": text}, If_Match=etag))
    copy = World.ok(world.act(top, "copy", include_children=True), 201)
    below = World.ok(world.owner.get(f"documents/{copy['id']}/children/"))["results"][0]["id"]
    assert copy["content"] == (
        f"[down](cs://{below}) [path](cs://{below}) [out](cs://{outside})\n\n`cs://{leaf}`\n"
    )
    content = World.ok(world.owner.get(f"documents/{below}/"))["content"]
    assert content == f"[up](cs://{copy['id']}#head) and <cs://{copy['id']}>"
    body = Document.objects.get(uid=copy["id"]).body
    head = Revision.objects.get(document__uid=copy["id"])
    assert bytes(body.sha256) == bytes(head.sha256)
    assert (body.size, head.size) == (len(copy["content"].encode()),) * 2
    targets = Reference.objects.filter(source__uid=copy["id"]).values_list("target_uid", flat=True)
    assert {str(uid) for uid in targets} == {below, outside}


def test_copy_takes_the_files_along(world: World) -> None:
    """Under ids of their own, which the copied text names, and with the same content."""
    source = world.document("Source")
    file = World.ok(upload(world.owner, source, b"some text"), 201)["id"]
    etag = world.owner.get(f"documents/{source}/").headers["ETag"]
    text = f"![a](/api/v1/attachments/{file}/file/) [b](attachments/{file}/file/)"
    World.ok(world.owner.patch(f"documents/{source}/", {"content": text}, If_Match=etag))
    copy = World.ok(world.act(source, "copy"), 201)
    (kept,) = World.ok(world.owner.get(f"documents/{copy['id']}/attachments/"))["results"]
    assert kept["id"] != file
    assert copy["content"] == text.replace(file, kept["id"])
    assert body_of(world.owner.get(f"attachments/{kept['id']}/file/")) == b"some text"


def test_copy_is_found_by_its_own_title(world: World) -> None:
    """What was copied can be searched at once, under the new title as well."""
    source = world.document("Quince", content="Marmalade")
    World.ok(world.act(source, "copy", title="Medlar"), 201)
    for words, titles in (("marmalade", {"Quince", "Medlar"}), ("medlar", {"Medlar"})):
        found = World.ok(world.owner.get(f"search/?q={words}"))["results"]
        assert {row["document"]["title"] for row in found} == titles


def test_copy_of_a_draft_is_a_draft(world: World) -> None:
    """Of the actor's own; an archived document is copied as a published one, below it such stay archived."""
    maker, other = world.member("editor"), world.member("editor")
    draft = world.document("Draft", by=maker, state="draft")
    copy = World.ok(world.act(draft, "copy", maker, parent=None), 201)
    assert (copy["state"], copy["abilities"]["grant"]) == ("draft", True)
    assert other.get(f"documents/{copy['id']}/").status_code == 404
    assert DocumentUserPermission.objects.filter(content_object__uid=copy["id"], origin="draft").count() == 1
    top = world.document("Top")
    inner = world.document("Inner", parent=top)
    for document in (inner, top):
        World.ok(world.act(document, "archive"))
    archived = World.ok(world.act(top, "copy", include_children=True), 201)
    assert archived["state"] == "published"
    states = Document.objects.filter(parent__uid=archived["id"]).values_list("title", "state")
    assert list(states) == [("Inner", "archived")]
    assert wrong_rows() == 0


def test_copy_by_those_who_may_not(world: World) -> None:
    """It takes a right to add at the place, the source must be seen, the hidden is absent."""
    source, viewer = world.document("Source"), world.member("viewer")
    assert world.act(source, "copy", viewer).status_code == 403
    own = World.ok(viewer.post("workspaces/", {"name": "Own"}), 201)["id"]
    assert World.ok(world.act(source, "copy", viewer, workspace=own), 201)["workspace"] == own
    outsider = world.client_for()
    for uid in (source, ABSENT):
        assert world.act(uid, "copy", outsider).status_code == 404
    theirs = World(world.client_for)
    hidden = theirs.document("Hidden")
    for place in ({"parent": hidden}, {"parent": ABSENT}, {"workspace": theirs.workspace}):
        assert world.act(source, "copy", **place).status_code == 404
    reader = world.client_for()
    world.grant(source, reader, "manager")
    assert world.act(source, "copy", reader).status_code == 403
    assert Document.objects.filter(title="Source").count() == 2


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"before": ABSENT}, 400, "/before"),
        ({"workspace": "{other}", "parent": "{top}"}, 400, "/parent"),
        ({"title": ""}, 400, "/title"),
        ({"title": "x" * 501}, 400, "/title"),
        ({"include_children": "yes"}, 400, "/include_children"),
        ({"content": "x"}, 400, "/content"),
        ({"title": "a\u0000b"}, 400, ""),
    ],
)
def test_copy_with_bad_input(world: World, body: dict[str, Any], status: int, pointer: str) -> None:
    """Refused with the field named, and nothing is made."""
    top, other = world.document("Top"), World(world.client_for)
    World.ok(other.add(world.owner, "editor"), 201)
    names = {"{other}": other.workspace, "{top}": top}
    given = {
        name: names.get(value, value) if isinstance(value, str) else value for name, value in body.items()
    }
    answer = world.act(top, "copy", **given)
    assert answer.status_code == status, answer.content
    assert pointer in [error["pointer"] for error in answer.json()["errors"]] or not pointer
    assert Document.objects.count() == 1


def test_copy_to_places_that_take_none(world: World) -> None:
    """An archived parent 409, a trashed one 410, a place too deep 409, a source in the trash 410."""
    source = world.document("Source")
    world.document("Child", parent=source)
    archived, trashed = world.document("Archived"), world.document("Trashed")
    World.ok(world.act(archived, "archive"))
    World.ok(world.act(trashed, "trash"))
    chain = [world.document("1")]
    for level in range(2, limits.DEPTH):
        chain.append(world.document(str(level), parent=chain[-1]))
    for parent, code in ((archived, "document_archived"), (trashed, "trashed"), (chain[-1], "too_deep")):
        answer = world.act(source, "copy", parent=parent, include_children=True)
        assert answer.json()["code"] == code
    assert world.act(trashed, "copy").json()["code"] == "trashed"
    assert Document.objects.filter(title="Child").count() == 1


def test_copy_below_itself_ends(world: World) -> None:
    """What is copied is read before anything is written."""
    top = world.document("Top")
    child = world.document("Child", parent=top)
    World.ok(world.act(top, "copy", parent=child, include_children=True), 201)
    assert tree_of(world) == [["Top", ["Child", ["Top", ["Child"]]]]]


def test_copy_in_batches_is_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child is written after its parent, whichever batch that was in."""
    monkeypatch.setattr(copy_rows, "_BATCH_DOCUMENTS", 1)
    top = world.document("Top")
    child = world.document("Child", parent=top, content=f"cs://{top}")
    world.document("Leaf", parent=child)
    World.ok(world.act(top, "copy", include_children=True), 201)
    assert tree_of(world) == [["Top", ["Child", ["Leaf"]]]] * 2
    assert wrong_rows() == 0


def test_copy_takes_as_many_statements_for_many(world: World) -> None:
    """However many documents are copied."""
    top = world.document("Top")
    for number in range(3):
        world.document(str(number), parent=top, content="x")
    World.ok(world.act(top, "copy", include_children=True), 201)
    for number in range(30):
        world.document(f"more {number}", parent=top, content=f"cs://{top}")
    # 1 sign-in, 2 document, 3 workspaces, 4 stamps, 5 document, 6 size, 7 sources, 8 siblings, 9 is it seen,
    # 10 keys, 11 documents, 12 files, 13 links, 14 bodies, 15 references, 16 events, 17 copy, 18 answer
    with statements(18):
        World.ok(world.act(top, "copy", include_children=True), 201)


def test_copy_once_with_an_idempotency_key(world: World) -> None:
    """The same request again gives the same copy."""
    source = world.document("Source")
    first, second = (
        world.owner.post(f"documents/{source}/copy/", {}, Idempotency_Key="copy-1") for _ in range(2)
    )
    assert World.ok(first, 201)["id"] == World.ok(second, 201)["id"]
    assert Document.objects.count() == 2


def test_copy_of_many_is_a_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """202 with a job; the workspace takes no changes of its tree until that has made the copy."""
    monkeypatch.setattr(limits, "COPY_IN_REQUEST", 2)
    editor = world.member("editor")
    top = world.document("Top")
    for number in range(2):
        world.document(str(number), parent=top)
    other = world.document("Other")
    answer = world.act(top, "copy", editor, include_children=True, title="Copy")
    assert World.ok(answer, 202)["kind"] == "documents.copy"
    busy = world.act(other, "trash")
    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (
        423,
        "workspace_busy",
        "5",
    )
    done = job_done(editor, answer)
    assert done["state"] == "succeeded", done
    copy = World.ok(editor.get(f"documents/{done['result']['document']}/"))
    assert (copy["title"], copy["created_by"]["id"]) == ("Copy", str(editor.user.uid))
    assert tree_of(world) == [["Top", ["0"], ["1"]], ["Copy", ["0"], ["1"]], ["Other"]]
    assert not Workspace.objects.filter(busy_job__isnull=False).exists()
    World.ok(world.act(other, "trash"))
