"""POST imports/: an upload becomes documents, by a job."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import struct
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connections
from django.db.models import F

from audit.models import Event
from cloudscribe.jobs.models import Job
from cloudscribe.lib.storage import incoming_folder, incoming_sweep
from documents import limits
from documents.models import Attachment, Blob, Document, DocumentBody, ImportSource, Workspace
from documents.services.blobs import blobs_sweep_next
from documents.services.importing import documents_import
from tests.actors import command
from tests.documents.importing import FLAT, import_ask, imported, result, zipped
from tests.documents.jobs import job_done
from tests.documents.uploading import BOUNDARY, FORM, form, part, picture
from tests.documents.world import World, statements, uid_of

pytestmark = pytest.mark.django_db

BOOK: dict[str, str | bytes] = {
    "book/SUMMARY.md": "# Contents\n\n- [Two](two.md)\n  - [One](one.md)\n",
    "book/one.md": "# One\n\nSee [two](two.md#part) and ![red](img/red.png).\n",
    "book/two.md": "# Two\n",
    "book/guide/deep.markdown": "no heading\n",
    "book/img/red.png": picture(size=(8, 8)),
    "book/.DS_Store": b"\0",
    "book/.git/README.md": "# Hidden\n",
    "__MACOSX/book/._one.md": b"\0",
}


def tree() -> set[tuple[str, str | None]]:
    """Titles with those of their parents."""
    rows = Document.objects.select_related("parent")
    return {(row.title, row.parent.title if row.parent else None) for row in rows}


def test_import_of_a_folder(world: World) -> None:
    """Tree, links and pictures as the command makes them; the folder around it all is no document."""
    editor = world.member("editor")
    job = imported(world, zipped(BOOK), by=editor)
    assert (job["state"], job["result"]) == ("succeeded", result(created=5, files=1))
    assert tree() == {
        ("Contents", None),
        ("Two", None),
        ("One", "Two"),
        ("guide", None),
        ("deep", "guide"),
    }
    two, attachment = Document.objects.get(title="Two"), Attachment.objects.get()
    text = (
        f"# One\n\nSee [two](cs://{two.uid}#part) and ![red](/api/v1/attachments/{attachment.uid}/file/).\n"
    )
    assert DocumentBody.objects.get(document__title="One").content == text
    assert set(Document.objects.values_list("owner", "created_by")) == {(editor.user.pk, editor.user.pk)}
    assert not list(incoming_folder().iterdir())


def test_import_of_a_flat_zip(world: World) -> None:
    """One document for each file and none for the archive."""
    assert imported(world, zipped(FLAT))["result"] == result(created=2)
    assert tree() == {("A", None), ("B", None)}


@pytest.mark.parametrize("flag", [0, 0x800])
def test_names_beyond_ascii(world: World, flag: int) -> None:
    """Those in UTF-8 are found as such, whether or not the archive says that they are."""
    content = bytearray(zipped({"\u00e4.md": "no heading", "b.md": "# B"}))
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        struct.pack_into("<H", content, content.index(mark) + at, flag)
    assert imported(world, bytes(content))["result"] == result(created=2)
    assert tree() == {("\u00e4", None), ("B", None)}


def test_import_of_one_file(world: World) -> None:
    """A Markdown file by itself is one document."""
    assert imported(world, b"words\n", filename="My-page.MD")["result"] == result(created=1)
    assert tree() == {("My page", None)}
    assert imported(world, b"words\n", filename="My-page.MD")["result"] == result(unchanged=1)


def test_import_rehearsed(world: World) -> None:
    """A dry run counts and makes nothing."""
    job = imported(world, zipped(BOOK), dry_run="true")
    assert job["result"] == result(created=5, files=1, dry_run=True)
    assert not Document.objects.exists()
    assert not Attachment.objects.exists()


def test_import_again(world: World) -> None:
    """The same file changes nothing; another one what it says otherwise."""
    imported(world, zipped(BOOK))
    before = list(Document.objects.order_by("pk").values())
    assert imported(world, zipped(BOOK))["result"] == result(unchanged=5)
    assert list(Document.objects.order_by("pk").values()) == before
    changed = imported(world, zipped({**BOOK, "book/two.md": "# Two\n\nMore.\n"}))
    assert changed["result"] == result(updated=1, unchanged=4)
    assert DocumentBody.objects.get(document__title="Two").content == "# Two\n\nMore.\n"


def test_import_below_a_document(world: World) -> None:
    """Each place has documents of its own, which the next import there finds."""
    page, other = world.document("Page"), world.document("Other")
    for place in (page, other):
        assert imported(world, zipped(FLAT), parent=place)["result"] == result(created=2)
    assert imported(world, zipped(FLAT))["result"] == result(created=2)
    assert imported(world, zipped(FLAT), parent=page)["result"] == result(unchanged=2)
    assert tree() >= {(name, above) for name in "AB" for above in ("Page", "Other", None)}


def test_import_by_who_is_granted_the_parent_alone(world: World) -> None:
    """Who may make documents below one needn't be a member of the workspace."""
    page, guest = world.document("Page"), world.client_for()
    world.grant(page, guest, "editor")
    assert imported(world, zipped(FLAT), by=guest, parent=page)["result"] == result(created=2)
    assert import_ask(guest, zipped(FLAT), workspace=world.workspace).status_code in {403, 404}


def test_import_names_what_it_leaves_out(world: World) -> None:
    """Files that can't be taken are named, the first hundred of them; the others are there."""
    files = {"a.md": "# A", **{f"bad/{number:03}.md": b"\xff" for number in range(101)}}
    found = imported(world, zipped(files))["result"]
    assert found["documents"] == {"created": 1, "updated": 0, "unchanged": 0}
    assert len(found["problems"]) == 100
    assert found["problems"][0] == {"path": "bad/000.md", "reason": "Not UTF-8 at byte 0."}


def test_import_below_a_deep_document(world: World) -> None:
    """What would stand too deep is named, and nothing goes wrong by it."""
    parent = world.document("1")
    for number in range(2, limits.DEPTH):
        parent = world.document(str(number), parent=parent)
    found = imported(world, zipped({"a.md": "# A", "x/b.md": "# B"}), parent=parent)["result"]
    assert found["documents"] == {"created": 2, "updated": 0, "unchanged": 0}
    assert found["problems"] == [{"path": "x/b.md", "reason": f"Nested more than {limits.DEPTH} deep."}]


def test_hidden_documents_are_not_met(world: World) -> None:
    """What somebody else imported and hid is as if it had never been: nothing tells that it is there."""
    editor = world.member("editor")
    imported(world, zipped(FLAT))
    hidden = Document.objects.get(title="A")
    world.ok(world.owner.patch(f"documents/{hidden.uid}/", {"inherits_access": False}))
    assert imported(world, zipped(FLAT), by=editor, dry_run="true")["result"]["documents"]["created"] == 1
    assert imported(world, zipped(FLAT), by=editor)["result"] == result(created=1, unchanged=1)
    assert imported(world, zipped(FLAT), by=editor)["result"] == result(unchanged=2)
    assert Document.objects.filter(title="A").count() == 2
    assert imported(world, zipped({**FLAT, "a.md": "# A\n\nNew.\n"}))["result"] == result(
        updated=1, unchanged=1
    )
    assert DocumentBody.objects.get(document=hidden).content == "# A\n\nNew.\n"


def test_document_that_went_to_another_workspace(world: World) -> None:
    """An import writes into its own workspace alone."""
    imported(world, zipped({"x/README.md": "# X"}))
    away = world.ok(world.owner.post("workspaces/", {"name": "Away"}), 201)["id"]
    page = Document.objects.get()
    world.ok(world.act(str(page.uid), "move", workspace=away))
    assert imported(world, zipped({"x/README.md": "# Y", "x/a.md": "# A"}))["result"] == result(created=2)
    assert Document.objects.filter(workspace__uid=away).get().title == "X"


@pytest.mark.django_db(transaction=True)
def test_two_at_once(world: World) -> None:
    """The second job waits for the first to end and is tried again."""
    asked = import_ask(world.owner, zipped(FLAT), workspace=world.workspace)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            key = f"documents.import:{Workspace.objects.get().pk}"
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        job = job_done(world.owner, asked)
        assert (job["state"], job["error"]["code"]) == ("queued", "import_delayed")
    finally:
        other.close()
    Job.objects.update(run_at=F("created_at"))
    assert job_done(world.owner, asked)["result"] == result(created=2)


@pytest.mark.django_db(transaction=True)
def test_cancelled_between_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands is whole and known to the next import, and how far it came is told."""
    monkeypatch.setattr("documents.services.importing._BATCH_DOCUMENTS", 1)
    monkeypatch.setattr("cloudscribe.jobs.run._PROGRESS_EVERY", 0)
    asked = import_ask(world.owner, zipped(FLAT), workspace=world.workspace)

    def cancelling(**named: Any) -> Any:
        def progress(done: int) -> None:
            if done == 1:
                world.ok(world.owner.post(f"jobs/{asked.json()['id']}/cancel/"))
            named["progress"](done)

        return documents_import(**{**named, "progress": progress})

    with monkeypatch.context() as patch:
        patch.setattr("documents.services.import_requests.documents_import", cancelling)
        job = job_done(world.owner, asked)
    assert (job["state"], job["progress"]) == ("cancelled", {"done": 1, "total": 2})
    assert (Document.objects.count(), ImportSource.objects.count()) == (1, 1)
    job = imported(world, zipped(FLAT))
    assert (job["result"]["documents"]["created"], job["progress"]) == (1, {"done": 2, "total": 2})


def test_upload_is_kept_until_the_job_has_run(world: World) -> None:
    """However long that takes; afterwards it is gone, as is what nobody waits for."""
    asked = import_ask(world.owner, zipped(FLAT), workspace=world.workspace)
    blob = Blob.objects.get()

    def swept() -> bool:
        Blob.objects.filter(pk=blob.pk).update(unused_since=F("unused_since") - dt.timedelta(days=2))
        return blobs_sweep_next(actor=command())

    assert not swept()
    assert job_done(world.owner, asked)["state"] == "succeeded"
    assert swept()
    assert not default_storage.exists(blob.path)


def test_folder_that_a_killed_worker_left() -> None:
    """It goes with the other unfinished files, once it is as old as they."""
    old, young = incoming_folder() / "old", incoming_folder() / "young"
    for folder in (old, young):
        (folder / "book").mkdir(parents=True)
        (folder / "book" / "a.md").write_text("# A")
    os.utime(old, (0, 0))
    assert incoming_sweep(older_than=60) == 1
    assert (old.exists(), young.exists()) == (False, True)
    shutil.rmtree(young)


def test_import_is_on_the_record(world: World) -> None:
    """One event for the request and one for each document, all by the person."""
    imported(world, zipped(FLAT))
    asked = Event.objects.get(action="import.requested")
    assert (str(asked.workspace_uid), asked.facts["dry_run"]) == (world.workspace, False)
    made = Event.objects.filter(action="document.created")
    assert set(made.values_list("target_uid", flat=True)) == set(
        Document.objects.values_list("uid", flat=True)
    )
    assert {str(uid) for uid in made.values_list("actor_uid", flat=True)} == {uid_of(world.owner)}


def test_import_costs_bounded_statements(world: World) -> None:
    """However large it is: the sign-in, the place, the upload, the job and its event."""
    page = world.document()
    content = zipped({f"{number}.md": "# A" for number in range(100)})
    import_ask(world.owner, zipped(FLAT), workspace=world.workspace, parent=page)
    with statements(10):
        import_ask(world.owner, content, workspace=world.workspace, parent=page)


def test_import_sent_again_under_its_key(world: World) -> None:
    """It is the same job, though clients make up a boundary for each request; other bytes are refused."""
    first, other = zipped(FLAT), zipped({"c.md": "# C"})
    workspace = part(world.workspace.encode(), name="workspace", filename=None)
    answers = []
    for boundary, content in (("one", first), ("two", first), ("two", other)):
        raw = form(workspace, part(content, filename="folder.zip"))
        headers = {"Content_Type": FORM.replace(BOUNDARY, boundary), "Idempotency_Key": "again"}
        raw = raw.replace(BOUNDARY.encode(), boundary.encode())
        answers.append(world.owner.call("POST", "imports/", raw=raw, **headers))
    assert [answer.status_code for answer in answers] == [202, 202, 422]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert Job.objects.filter(kind="documents.import").count() == 1
    assert Blob.objects.count() == 1
