"""POST and GET documents/{id}/attachments/, attachments/{id}/."""

from __future__ import annotations

import hashlib
import pathlib
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage

from accounts.services import admin_create
from audit.models import Event
from cloudscribe.jobs.models import Job
from documents import limits
from documents.models import Attachment, AttachmentUsage, Blob, Workspace
from documents.services import trees
from documents.services.positioning import position_for
from tests.accounts.factories import PASSWORD
from tests.actors import command
from tests.documents.uploading import FORM, attach, body_of, form, part, picture, upload
from tests.documents.world import ABSENT, World, statements
from tests.fixtures import client_make

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(world: World) -> str:
    """A document."""
    return world.document()


def test_upload_by_an_editor(world: World, page: str) -> None:
    """The answer tells what came, the file lies in the storage, the trail names it."""
    editor = world.member("editor")
    answer = upload(editor, page, b"some text", filename="notes.txt", kind="image/png")
    body = world.ok(answer, 201)
    assert {name: body[name] for name in body if not name.endswith("_at")} == {
        "id": body["id"],
        "document": page,
        "name": "notes.txt",
        "content_type": "text/plain",
        "size": 9,
        "sha256": hashlib.sha256(b"some text").hexdigest(),
        "width": None,
        "height": None,
        "state": "ready",
        "url": f"/api/v1/attachments/{body['id']}/file/",
        "created_by": {"kind": "user", "id": str(editor.user.uid), "name": editor.user.name},
    }
    assert answer.headers["Location"].endswith(f"/api/v1/attachments/{body['id']}/")
    assert world.ok(editor.get(answer.headers["Location"])) == body
    assert default_storage.open(Blob.objects.get().path).read() == b"some text"
    event = Event.objects.get(action="attachment.created")
    assert (str(event.target_uid), event.facts["document"]) == (body["id"], page)


def test_upload_of_equal_bytes_is_stored_once(world: World, page: str) -> None:
    """Two attachments, of other names and documents, have one content; what it uses counts twice."""
    attach(world, page, b"the same", filename="a.txt")
    attach(world, world.document(), b"the same", filename="b.txt")
    blob = Blob.objects.get()
    assert blob.attachments.count() == 2
    usage = AttachmentUsage.objects.get()
    assert (usage.files, usage.size) == (2, 16)


def test_list_in_the_order_of_arrival(world: World, page: str) -> None:
    """Whoever sees the document sees its files, by a number of statements that doesn't grow."""
    for number in range(3):
        attach(world, page, bytes([65 + number]), filename=f"{number}.txt")
    viewer = world.member("viewer")
    path = f"documents/{page}/attachments/"
    viewer.get(path)
    # The sign-in, the document, its files.
    with statements(3):
        rows = world.ok(viewer.get(path))["results"]
    assert [row["name"] for row in rows] == ["0.txt", "1.txt", "2.txt"]
    # The sign-in, the file with its document.
    with statements(2):
        world.ok(viewer.get(f"attachments/{rows[0]['id']}/"))


def test_hidden_is_absent(world: World, page: str) -> None:
    """Who doesn't see the document meets the one 404 everywhere."""
    known = attach(world, page)
    stranger = world.client_for()
    shapes = set()
    for path in ("documents/{}/attachments/", "attachments/{}/", "attachments/{}/file/"):
        for uid in (known["id"] if path.startswith("att") else page, ABSENT):
            answer = stranger.get(path.format(uid))
            body = answer.json()
            shapes.add((answer.status_code, *(body[name] for name in ("code", "detail", "title", "type"))))
    assert {shape[:2] for shape in shapes} == {(404, "not_found")}
    assert len(shapes) == 1
    assert upload(stranger, page).status_code == 404
    assert stranger.delete(f"attachments/{known['id']}/").status_code == 404


def test_writes_by_a_commenter_are_refused(world: World, page: str) -> None:
    """Files are the body's: who may not edit changes none, and nothing of a refused one is stored."""
    known = attach(world, page)
    commenter = world.member("commenter")
    answers = [
        upload(commenter, page, b"other"),
        commenter.patch(f"attachments/{known['id']}/", {"name": "x"}),
        commenter.delete(f"attachments/{known['id']}/"),
    ]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(403, "permission_denied")] * 3
    assert Blob.objects.count() == 1


@pytest.mark.parametrize(("action", "status"), [("archive", 409), ("trash", 410)])
def test_writes_to_what_takes_none(world: World, page: str, action: str, status: int) -> None:
    """Archived and trashed documents keep their files as they are."""
    known = attach(world, page)
    world.ok(world.act(page, action))
    assert upload(world.owner, page, b"other").status_code == status
    assert world.owner.patch(f"attachments/{known['id']}/", {"name": "x"}).status_code == status
    assert world.owner.delete(f"attachments/{known['id']}/").status_code == status
    assert Attachment.objects.get().name == "notes.txt"


def test_read_of_what_lies_in_the_trash(world: World, page: str) -> None:
    """410 for who may edit it, absent for the others; back with the document."""
    known, viewer = attach(world, page), world.member("viewer")
    world.ok(world.act(page, "trash"))
    path = f"attachments/{known['id']}/file/"
    assert (world.owner.get(path).status_code, viewer.get(path).status_code) == (410, 404)
    world.ok(world.act(page, "restore"))
    assert body_of(viewer.get(path)) == b"some text"


def test_rename(world: World, page: str) -> None:
    """Another name, made harmless; the same name writes nothing."""
    known = attach(world, page)
    path = f"attachments/{known['id']}/"
    body = world.ok(world.owner.patch(path, {"name": "../../up\u202egpj.exe"}))
    assert body["name"] == "upgpj.exe"
    world.ok(world.owner.patch(path, {"name": "upgpj.exe"}))
    assert Event.objects.filter(action="attachment.renamed").count() == 1
    refused = world.owner.patch(path, {"name": "", "size": 1})
    assert {(e["pointer"], e["code"]) for e in refused.json()["errors"]} == {
        ("/name", "blank"),
        ("/size", "unknown_property"),
    }


def test_delete(world: World, page: str) -> None:
    """It is gone at once, its content waits for the sweeper, the trail keeps the hash."""
    known = attach(world, page)
    assert world.owner.delete(f"attachments/{known['id']}/").status_code == 204
    assert world.owner.get(f"attachments/{known['id']}/").status_code == 404
    assert Blob.objects.get().unused_since is not None
    assert AttachmentUsage.objects.get().size == 0
    assert Event.objects.get(action="attachment.removed").facts["sha256"] == known["sha256"]


@pytest.mark.parametrize(
    ("raw", "status", "code", "pointer"),
    [
        (form(part(b"")), 400, "invalid", "/file"),
        (form(part(b"x", filename=None)), 400, "invalid", "/file"),
        (form(part(b"x", filename="..")), 400, "invalid", "/file"),
        (form(part(b"x"), part(b"y")), 400, "invalid", "/file"),
        (
            form(part(b"x"), part(b"1", name="workspace", filename=None)),
            400,
            "unknown_property",
            "/workspace",
        ),
        (form(part(b"x"), part(b"y", name="other")), 400, "unknown_property", "/other"),
        (form(), 400, "invalid", "/file"),
        (part(b"half of it"), 400, "bad_request", None),
        (b"nothing of a form", 400, "bad_request", None),
    ],
    ids=["empty", "field", "dots", "two", "field-beside", "file-beside", "none", "broken-off", "no-form"],
)
def test_upload_of_nonsense(
    world: World, page: str, raw: bytes, status: int, code: str, pointer: str | None
) -> None:
    """Each fault is named, and nothing is stored."""
    answer = world.owner.call("POST", f"documents/{page}/attachments/", raw=raw, Content_Type=FORM)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert [error["pointer"] for error in body["errors"]] == ([pointer] if pointer else [])
    assert not Blob.objects.exists()


def test_upload_as_json_is_refused(world: World, page: str) -> None:
    """This route reads forms alone, others none."""
    answer = world.owner.post(f"documents/{page}/attachments/", {"file": "x"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    answer = world.owner.call("POST", "documents/", raw=form(part(b"x")), Content_Type=FORM)
    assert answer.status_code == 415


def test_upload_that_is_too_large(world: World, page: str, settings: Any) -> None:
    """413 by what is announced and by what comes, fields beside the file counted in."""
    settings.MAX_UPLOAD_BYTES = 1000
    assert upload(world.owner, page, bytes(1000)).status_code == 201
    answer = upload(world.owner, page, bytes(1001))
    assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (413, "too_large", 1000)
    assert upload(world.owner, page, bytes(200_000)).status_code == 413
    assert Blob.objects.count() == 1
    assert not list((pathlib.Path(settings.MEDIA_ROOT) / "incoming").iterdir())


def test_upload_beyond_the_quota(world: World, page: str, settings: Any) -> None:
    """A workspace holds so many bytes; what is removed makes room again, another workspace has its own."""
    settings.ATTACHMENT_QUOTA = 20
    known = attach(world, page, b"0123456789")
    attach(world, page, b"0123456789")
    answer = upload(world.owner, page, b"x")
    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "attachment_quota_exceeded")
    assert (body["used"], body["limit"]) == (20, 20)
    world.owner.delete(f"attachments/{known['id']}/")
    attach(world, page, b"x")
    other = World(world.client_for)
    other.ok(upload(other.owner, other.document(), b"0123456789"), 201)


def test_purge_frees_what_documents_held(world: World, page: str) -> None:
    """Usage goes down with the documents, their content is left to the sweeper."""
    attach(world, page, b"0123456789")
    attach(world, world.document(parent=page), b"0123456789")
    world.ok(world.act(page, "trash"))
    assert AttachmentUsage.objects.get().size == 20
    assert world.owner.delete(f"documents/{page}/").status_code == 204
    assert AttachmentUsage.objects.get().size == 0
    assert Blob.objects.get().unused_since is not None


def test_move_to_another_workspace_takes_usage_along(world: World, page: str) -> None:
    """What a document holds counts where it stands, with all below it."""
    attach(world, world.document(parent=page), b"0123456789")
    there = world.ok(world.owner.post("workspaces/", {"name": "There"}), 201)["id"]
    world.ok(world.act(page, "move", workspace=there, parent=None))
    usage = dict(AttachmentUsage.objects.values_list("workspace__uid", "size"))
    assert {str(uid): size for uid, size in usage.items()} == {world.workspace: 0, there: 10}


def test_delete_of_a_workspace_with_files(world: World, page: str) -> None:
    """Nothing holds it back."""
    attach(world, page)
    assert world.owner.delete(f"workspaces/{world.workspace}/").status_code == 204
    assert not Attachment.objects.exists()
    assert not Workspace.objects.filter(uid=world.workspace).exists()
    assert Blob.objects.get().unused_since is not None


def test_upload_once_by_its_key(world: World, page: str, settings: Any) -> None:
    """The same key gives the first answer, also where the quota is used up by it; another file is 422."""
    settings.ATTACHMENT_QUOTA = 9
    headers = {"Idempotency_Key": "a-key-of-mine"}
    first = upload(world.owner, page, b"some text", headers=headers)
    again = upload(world.owner, page, b"some text", headers=headers)
    assert world.ok(first, 201) == world.ok(again, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = upload(world.owner, page, b"some TEXT", headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\\\fakepath\\\\report.pdf", "report.pdf"),
        ("con.txt", "_con.txt"),
        ("a" * 300 + ".txt", "a" * 251 + ".txt"),
        ("x\ty.txt", "xy.txt"),
    ],
)
def test_upload_under_a_harmful_name(world: World, page: str, filename: str, shown: str) -> None:
    """No path, no device, no control; the storage's name knows nothing of it."""
    assert attach(world, page, filename=filename)["name"] == shown
    assert shown not in Blob.objects.get().path


def test_upload_of_an_image_asks_for_its_pictures(world: World, page: str) -> None:
    """An image has its size, and a job makes smaller ones."""
    body = attach(world, page, picture(), filename="red.png")
    assert (body["content_type"], body["width"], body["height"]) == ("image/png", 640, 480)
    assert Job.objects.get(kind="documents.thumbnails").payload == {"blob": Blob.objects.get().pk}


def test_media_stays_below_the_data_folder(world: World, page: str) -> None:
    """Files lie where operators look for them."""
    attach(world, page)
    path = pathlib.Path(default_storage.path(Blob.objects.get().path))
    assert path.is_relative_to(pathlib.Path(settings.DATA_DIR) / "media")


def test_copy_takes_files_along(world: World, page: str) -> None:
    """Under ids of their own that the text leads to, with the same content, counted where the copy stands."""
    known = attach(world, page, picture(), filename="x.png")
    below = world.document("Below", parent=page, content=f"![x]({known['url']}) [y]({known['url']}?size=256)")
    inner = attach(world, below, b"other", filename="inner.txt")
    there = world.ok(world.owner.post("workspaces/", {"name": "There"}), 201)["id"]
    copy = world.ok(world.act(page, "copy", workspace=there, parent=None, include_children=True), 201)
    (child,) = world.ok(world.owner.get(f"documents/{copy['id']}/children/"))["results"]
    (picture_row,) = world.ok(world.owner.get(f"documents/{copy['id']}/attachments/"))["results"]
    (inner_row,) = world.ok(world.owner.get(f"documents/{child['id']}/attachments/"))["results"]
    assert (picture_row["name"], picture_row["sha256"]) == ("x.png", known["sha256"])
    assert inner_row["sha256"] == inner["sha256"]
    assert len({known["id"], inner["id"], picture_row["id"], inner_row["id"]}) == 4
    text = world.ok(world.owner.get(f"documents/{child['id']}/"))["content"]
    assert text == f"![x]({picture_row['url']}) [y]({picture_row['url']}?size=256)"
    assert Blob.objects.count() == 2
    usage = {str(uid): n for uid, n in AttachmentUsage.objects.values_list("workspace__uid", "files")}
    assert usage == {world.workspace: 2, there: 2}


def test_copy_beyond_the_quota_copies_nothing(world: World, page: str, settings: Any) -> None:
    """Files that there is no room for are not left out in silence."""
    attach(world, page)
    settings.ATTACHMENT_QUOTA = 10
    answer = world.act(page, "copy")
    assert (answer.status_code, answer.json()["code"]) == (409, "attachment_quota_exceeded")
    assert world.titles(world.owner) == ["Page"]


def test_move_beyond_the_quota_moves_nothing(world: World, page: str, settings: Any) -> None:
    """Refused as an upload there would be, the dry run and a job's work too; without files there is room."""
    attach(world, world.document(parent=page), b"0123456789")
    there = world.ok(world.owner.post("workspaces/", {"name": "There"}), 201)["id"]
    other = world.ok(world.owner.post("documents/", {"workspace": there, "title": "Other"}), 201)["id"]
    attach(world, other, b"0123")
    settings.ATTACHMENT_QUOTA = 13
    body = {"workspace": there, "parent": None}
    for query in ("?dry_run=true", ""):
        answer = world.owner.post(f"documents/{page}/move/{query}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "attachment_quota_exceeded")
        assert (answer.json()["used"], answer.json()["limit"]) == (4, 13)
    batch = world.ok(world.owner.post("documents/batch/", {"action": "move", "ids": [page], **body}))
    assert batch["results"][0]["error"]["code"] == "attachment_quota_exceeded"
    assert world.ok(world.owner.get(f"documents/{page}/"))["workspace"] == world.workspace
    settings.ATTACHMENT_QUOTA = 3
    world.ok(world.act(page, "move", parent=world.document("Here")))
    world.ok(world.act(world.document("Bare"), "move", **body))
    settings.ATTACHMENT_QUOTA = 14
    assert world.ok(world.owner.post(f"documents/{page}/move/?dry_run=true", body))["complete"]
    world.ok(world.act(page, "move", **body))
    assert AttachmentUsage.objects.get(workspace__uid=there).size == 14


def test_move_of_many_beyond_the_quota_asks_for_no_job(
    world: World, page: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is checked before the workspaces are reserved."""
    monkeypatch.setattr(limits, "SUBTREE_IN_REQUEST", 1)
    attach(world, world.document(parent=page), b"0123456789")
    there = world.ok(world.owner.post("workspaces/", {"name": "There"}), 201)["id"]
    settings.ATTACHMENT_QUOTA = 9
    assert world.act(page, "move", workspace=there).json()["code"] == "attachment_quota_exceeded"
    assert not Job.objects.filter(kind="documents.move").exists()


def test_move_with_a_file_added_meanwhile(
    world: World, page: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came between the check and the move counts as well, and takes the whole back."""
    settings.ATTACHMENT_QUOTA = 10
    there = world.ok(world.owner.post("workspaces/", {"name": "There"}), 201)["id"]
    other = world.ok(world.owner.post("documents/", {"workspace": there, "title": "Other"}), 201)["id"]
    attach(world, other, b"0123")

    def attached(**options: Any) -> str:
        attach(world, page, b"0123456")
        return position_for(**options)

    monkeypatch.setattr(trees, "position_for", attached)
    answer = world.act(page, "move", workspace=there, parent=None)
    assert (answer.status_code, answer.json()["code"]) == (409, "attachment_quota_exceeded")
    assert (answer.json()["used"], answer.json()["limit"]) == (4, 10)
    assert world.ok(world.owner.get(f"documents/{page}/"))["workspace"] == world.workspace


@pytest.mark.parametrize("route", ["documents/", "search/?q=page"])
def test_filter_by_files(world: World, page: str, route: str) -> None:
    """Lists and searches can be narrowed to documents with files, or without."""
    attach(world, page)
    bare = world.document("Bare page")
    join = "&" if "?" in route else "?"

    def found(wanted: str) -> list[str]:
        rows = world.ok(world.owner.get(f"{route}{join}has_attachment={wanted}"))["results"]
        return [row.get("document", row)["id"] for row in rows]

    assert (found("true"), found("false")) == ([page], [bare])
    refused = world.owner.get(f"{route}{join}has_attachment=perhaps")
    assert refused.json()["errors"][0]["pointer"] == "?has_attachment"


def test_delete_of_what_a_hold_keeps(world: World, page: str) -> None:
    """Files are a part of what is held: 423 until it is released; new ones may come."""
    known, below = attach(world, page), attach(world, world.document(parent=page))
    admin = client_make(admin_create(actor=command(), email="boss@example.org", password=PASSWORD)[0])
    hold = world.ok(admin.post(f"documents/{page}/holds/", {"reason": "Case 7"}), 201)
    for each in (known, below):
        answer = world.owner.delete(f"attachments/{each['id']}/")
        assert (answer.status_code, answer.json()["code"]) == (423, "legal_hold")
    attach(world, page, b"another")
    world.ok(admin.delete(f"documents/{page}/holds/{hold['id']}/"), 204)
    assert world.owner.delete(f"attachments/{known['id']}/").status_code == 204


def test_writes_while_another_locks_the_document(world: World, page: str) -> None:
    """As those of the body: 423 for everybody but who holds the lock."""
    known, editor = attach(world, page), world.member("editor")
    world.ok(editor.post(f"documents/{page}/lock/", {}))
    answers = [
        upload(world.owner, page, b"x"),
        world.owner.patch(f"attachments/{known['id']}/", {"name": "x"}),
        world.owner.delete(f"attachments/{known['id']}/"),
    ]
    assert [answer.json()["code"] for answer in answers] == ["locked"] * 3
    world.ok(upload(editor, page, b"x"), 201)
