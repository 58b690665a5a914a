"""POST exports/: documents as a zip of Markdown files, by the reader's rights of the moment."""

from __future__ import annotations

import io
import json
import pathlib
import zipfile
from typing import Any

import pytest

from audit.models import Event
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_run
from documents.models import Document
from tests.accounts.factories import token_make
from tests.documents import uploading
from tests.documents.world import ABSENT, World, statements
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db
FILE = b"bytes of a file"
BESIDE = {"SUMMARY.md", "documents.json"}


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: pathlib.Path) -> None:
    """Where files go in these tests; workers know all kinds of jobs."""
    autoload()
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def world(client_for: Any) -> World:
    """A workspace of the test's own."""
    return World(client_for)


def made(by: ApiClient, **wanted: Any) -> dict[str, bytes]:
    """What is in the archive that a worker makes, by name."""
    job = World.ok(by.post("exports/", wanted), 202)
    job_run("slow", job["id"])
    done = by.get(f"jobs/{job['id']}/").json()
    assert done["state"] == "succeeded", done
    answer = by.get(done["result"]["url"])
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


def test_tree_becomes_folders(world: World) -> None:
    """What has something below it is its folder's README; bodies are what they were."""
    top = world.document("Top", content="# Top\n")
    world.document("Leaf", parent=top, content="words")
    found = made(world.owner, workspace=world.workspace)
    assert (found["top/README.md"], found["top/leaf.md"]) == (b"# Top\n", b"words")
    assert found["SUMMARY.md"].decode() == "# Summary\n\n- [Top](top/README.md)\n  - [Leaf](top/leaf.md)\n"


def test_order_of_the_table_of_contents_is_that_of_the_tree(world: World) -> None:
    """Not that of names."""
    for title in ("Second", "First"):
        world.document(title)
    first = Document.objects.get(title="First").uid
    second = Document.objects.get(title="Second").uid
    world.ok(world.act(str(first), "move", before=str(second)))
    summary = made(world.owner, workspace=world.workspace)["SUMMARY.md"].decode()
    assert summary.index("First") < summary.index("Second")


def test_titles_alike_are_files_of_their_own(world: World) -> None:
    """Whatever the case of their letters, and without a letter that a path can hold."""
    for title in ("Page", "page", "\u6587", "README", "Files"):
        world.document(title, content=title)
    found = made(world.owner, workspace=world.workspace)
    texts = {name: text.decode() for name, text in found.items() if name not in BESIDE}
    assert texts == {
        "page.md": "Page",
        "page-2.md": "page",
        "document.md": "\u6587",
        "readme-2.md": "README",
        "files-2.md": "Files",
    }


def test_links_lead_from_file_to_file(world: World) -> None:
    """To documents and files that go along; to the server for what doesn't."""
    other = world.document("Other")
    page = world.document("Page")
    hidden = World(world.client_for).document("Hidden")
    file = uploading.upload(world.owner, page, filename="a b.txt", content=FILE).json()
    text = f"[o](cs://{other}#part) [f](/api/v1/attachments/{file['id']}/file/) [h](cs://{hidden}) [w](https://x.org)"
    etag = world.owner.get(f"documents/{page}/").headers["ETag"]
    world.ok(world.owner.patch(f"documents/{page}/", {"content": text}, **{"If-Match": etag}))
    world.document("Below", parent=page, content=f"[up](cs://{page})")
    found = made(world.owner, workspace=world.workspace)
    shown = found["page/README.md"].decode()
    assert shown.startswith("[o](../other.md#part) [f](../files/a%20b.txt) [h](http")
    assert shown.endswith(" [w](https://x.org)")
    assert found["page/below.md"] == b"[up](README.md)"
    assert found["files/a b.txt"] == FILE


def test_details_hold_what_markdown_has_no_place_for(world: World) -> None:
    """By the file's path."""
    page = world.document("Page", tags=["a"], icon="x")
    uploading.upload(world.owner, page, filename="a.txt", content=FILE)
    world.document("Below", parent=page)
    details = {row["path"]: row for row in json.loads(made(world.owner, document=page)["documents.json"])}
    assert details["page/README.md"]["id"] == page
    assert details["page/README.md"]["tags"] == ["a"]
    assert [file["path"] for file in details["page/README.md"]["attachments"]] == ["files/a.txt"]
    assert details["page/below.md"]["parent"] == "page/README.md"


@pytest.mark.parametrize(
    ("children", "names"), [(True, {"top/README.md", "top/leaf.md"}), (False, {"top.md"})]
)
def test_document_with_or_without_what_is_below(world: World, names: set[str], *, children: bool) -> None:
    """And nothing beside it."""
    top = world.document("Top")
    world.document("Leaf", parent=top)
    world.document("Beside")
    found = made(world.owner, document=top, include_children=children)
    assert found.keys() - BESIDE == names


def test_what_is_hidden_or_trashed_stays_out(world: World) -> None:
    """A reader of one document gets that one; what lies below a hidden one stands at the top."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    world.document("Other")
    trashed = world.document("Trashed")
    world.ok(world.act(trashed, "trash"))
    guest = world.client_for()
    world.grant(leaf, guest, "viewer")
    assert made(guest, document=leaf).keys() == {"leaf.md", *BESIDE}
    assert "trashed.md" not in made(world.owner, workspace=world.workspace)


def test_right_that_ended_meanwhile_is_none(world: World) -> None:
    """It is the worker that reads."""
    page, guest = world.document("Page"), world.client_for()
    grant = world.grant(page, guest, "viewer")
    job = World.ok(guest.post("exports/", {"document": page}), 202)
    world.ok(world.owner.delete(f"documents/{page}/grants/{grant['id']}/"), 204)
    job_run("slow", job["id"])
    done = guest.get(f"jobs/{job['id']}/").json()
    assert (done["state"] in {"failed", "dead"}, done["error"]["code"]) == (True, "not_found")


def test_token_cut_to_a_document_takes_that_alone_along(world: World) -> None:
    """Neither its workspace nor a neighbour, and what is below it as the token says."""
    top = world.document("Top")
    world.document("Leaf", parent=top)
    beside = world.document("Beside")
    page = Document.objects.get(uid=top)
    assert world.owner.user is not None
    token = ApiClient(token_make(world.owner.user, document_pk=page.pk, document_uid=page.uid))
    assert made(token, document=top).keys() - BESIDE == {"top/README.md", "top/leaf.md"}
    for wanted in ({"workspace": world.workspace}, {"document": beside}):
        assert token.post("exports/", wanted).status_code == 404


def test_token_gets_no_file_that_it_did_not_ask_for(world: World) -> None:
    """Its person's may hold what it was cut off from."""
    page = world.document("Page")
    job = World.ok(world.owner.post("exports/", {"document": page}), 202)
    job_run("slow", job["id"])
    assert world.owner.user is not None
    token = ApiClient(token_make(world.owner.user))
    assert token.get(f"jobs/{job['id']}/").status_code == 200
    assert token.get(f"jobs/{job['id']}/file/").status_code == 403


def test_what_moves_while_it_is_read_is_judged_where_it_stands(world: World) -> None:
    """Out of the subtree and it stays out; the subtree itself may move."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    job = World.ok(world.owner.post("exports/", {"document": top}), 202)
    world.ok(world.act(leaf, "move", parent=None))
    world.ok(world.act(top, "move", parent=world.document("Above")))
    job_run("slow", job["id"])
    assert world.owner.get(f"jobs/{job['id']}/").json()["result"]["documents"] == 1


def test_file_is_for_who_asked(world: World) -> None:
    """Not for another member, who may make one for themselves."""
    other = world.member("manager")
    page = world.document("Page")
    job = World.ok(world.owner.post("exports/", {"document": page}), 202)
    job_run("slow", job["id"])
    assert other.get(f"jobs/{job['id']}/file/").status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/workspace", "one_of"),
        ({"workspace": ABSENT, "document": ABSENT}, "/workspace", "one_of"),
        ({"workspace": ABSENT, "include_children": True}, "/include_children", "not_for_workspace"),
        ({"workspace": "x"}, "/workspace", "invalid"),
        ({"document": ABSENT, "include_children": "yes"}, "/include_children", "invalid"),
        ({"document": ABSENT, "format": "pdf"}, "/format", "invalid_choice"),
        ({"document": ABSENT, "more": 1}, "/more", "unknown_property"),
    ],
)
def test_nonsense_is_named(world: World, body: dict[str, Any], pointer: str, code: str) -> None:
    """By field and reason."""
    answer = world.owner.post("exports/", body)
    assert answer.status_code == 400
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]


def test_hidden_workspace_and_document_are_absent(world: World) -> None:
    """The same answer as for an id that nobody has."""
    page, stranger = world.document("Page"), world.client_for()
    answers = [
        stranger.post("exports/", {name: uid}).status_code
        for name, uid in (("workspace", world.workspace), ("document", page), ("document", ABSENT))
    ]
    assert answers == [404] * 3


def test_trashed_document_is_gone_for_who_may_edit_it(world: World) -> None:
    """And absent for a reader."""
    page, reader = world.document("Page"), world.member("viewer")
    world.ok(world.act(page, "trash"))
    assert world.owner.post("exports/", {"document": page}).status_code == 410
    assert reader.post("exports/", {"document": page}).status_code == 404


def test_export_is_on_the_record(world: World) -> None:
    """Whoever took a workspace along."""
    made(world.owner, workspace=world.workspace)
    event = Event.objects.get(action="workspace.exported")
    assert str(event.target_uid) == world.workspace


def test_asking_takes_few_statements(world: World) -> None:
    """Sign-in, the document, the job, the event."""
    page = world.document("Page")
    world.owner.post("exports/", {"document": page})
    with statements(5):
        world.owner.post("exports/", {"document": page})
