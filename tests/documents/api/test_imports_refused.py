"""POST imports/: what is refused, at once or by the job, and that it leaves nothing."""

from __future__ import annotations

import datetime as dt
import zipfile
from typing import Any

import pytest

from cloudscribe.jobs.models import Job
from cloudscribe.lib.storage import incoming_folder
from documents.importing import unpacking
from documents.models import Blob, Document
from tests.documents.importing import ATTACKS, FLAT, import_ask, imported, zipped
from tests.documents.jobs import job_done
from tests.documents.uploading import FORM, form, part
from tests.documents.world import ABSENT, World
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ATTACKS)
def test_archive_that_is_not_safe(world: World, name: str) -> None:
    """The job fails at its first try and says why; nothing of it was made, nothing is left."""
    content, reason = ATTACKS[name]
    job = imported(world, content)
    assert (job["state"], job["attempts"], job["result"]) == ("failed", 1, None)
    assert job["error"]["code"] == "import_refused"
    assert reason in job["error"]["detail"]
    assert not Document.objects.exists()
    assert not list(incoming_folder().iterdir())


def test_archive_that_is_too_large(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpacked bytes, those of texts and the number of entries have bounds, counted as they come out."""
    many = {f"{number}.bin": bytes([number]) * 5_000 for number in range(4)}
    stored = zipped({"a.md": "# A", **many}, method=zipfile.ZIP_STORED)
    texts = zipped({"a.md": "word\n" * 500}, method=zipfile.ZIP_STORED)
    settings.IMPORT_BYTES = 16_000
    monkeypatch.setattr(unpacking, "MAX_FILES", 4)
    told = [imported(world, content)["error"]["detail"] for content in (zipped(many), texts, stored)]
    assert "16000 bytes" in told[0]
    assert "texts" in told[1]
    assert "4 entries" in told[2]
    assert not Document.objects.exists()


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"workspace": "nonsense"}, "/workspace"),
        ({"workspace": ""}, "/workspace"),
        ({"parent": "1"}, "/parent"),
        ({"dry_run": "yes"}, "/dry_run"),
        ({"dry_run": "True"}, "/dry_run"),
        ({"format": "html"}, "/format"),
        ({"title": "T"}, "/title"),
        ({"filename": "page.html"}, "/file"),
        ({"filename": "page.zip"}, "/file"),
    ],
)
def test_form_with_a_fault(world: World, fields: dict[str, str], pointer: str) -> None:
    """The field and the reason are named, and nothing is stored."""
    answer = import_ask(world.owner, b"no archive", **{"workspace": world.workspace, **fields})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Job.objects.filter(kind="documents.import").exists()
    assert not Blob.objects.exists()


def test_form_without_a_file(world: World) -> None:
    """None, an empty one, two, and a body of another type."""
    workspace = part(world.workspace.encode(), name="workspace", filename=None)
    page = part(b"# A", filename="a.md")
    for parts in ((workspace,), (workspace, part(b"", filename="a.md")), (workspace, page, page)):
        answer = world.owner.call("POST", "imports/", raw=form(*parts), Content_Type=FORM)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/file")
    answer = world.owner.call("POST", "imports/", raw=form(page), Content_Type=FORM)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/workspace")
    assert world.owner.post("imports/", {"workspace": world.workspace}).status_code == 415
    assert world.owner.get("imports/").status_code == 405


def test_file_above_the_bound(world: World, settings: Any) -> None:
    """As for attachments."""
    settings.MAX_UPLOAD_BYTES = 1_000
    answer = import_ask(world.owner, b"x" * 1_001, filename="a.md", workspace=world.workspace)
    assert (answer.status_code, answer.json()["limit"]) == (413, 1_000)


def test_who_may_not(world: World) -> None:
    """Viewers see the workspace and may not; for others there is none. Nothing is stored."""
    page = world.document()
    for role in ("viewer", "commenter"):
        member = world.member(role)
        for place in ({}, {"parent": page}):
            answer = import_ask(member, zipped(FLAT), workspace=world.workspace, **place)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    outsider = world.client_for()
    for place in ({}, {"parent": page}, {"parent": ABSENT}):
        assert import_ask(outsider, zipped(FLAT), workspace=world.workspace, **place).status_code == 404
    assert import_ask(world.owner, zipped(FLAT), workspace=ABSENT).status_code == 404
    assert import_ask(world.owner, zipped(FLAT), workspace=world.workspace, parent=ABSENT).status_code == 404
    assert not Blob.objects.exists()


def test_place_that_takes_none(world: World) -> None:
    """A parent elsewhere, an archived and a trashed one."""
    away = world.ok(world.owner.post("workspaces/", {"name": "Away"}), 201)["id"]
    page = world.document()
    answer = import_ask(world.owner, zipped(FLAT), workspace=away, parent=page)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/parent")
    for action, status in (("archive", 409), ("unarchive", 202), ("trash", 410)):
        world.ok(world.act(page, action))
        assert (
            import_ask(world.owner, zipped(FLAT), workspace=world.workspace, parent=page).status_code
            == status
        )


def test_token_without_the_scope(world: World) -> None:
    """It reads and writes nothing."""
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()
    for scope, status in (("documents:read", 403), ("documents:write", 202)):
        made = world.owner.post("me/tokens/", {"name": "T", "scopes": [scope], "expires_at": soon})
        token = ApiClient(world.ok(made, 201)["token"])
        assert import_ask(token, zipped(FLAT), workspace=world.workspace).status_code == status


def test_right_that_was_taken_meanwhile(world: World) -> None:
    """The job has the rights of the moment at which it runs."""
    for taken, code in (("viewer", "permission_denied"), (None, "not_found")):
        editor = world.client_for()
        member = world.ok(world.add(editor, "editor"), 201)["id"]
        asked = import_ask(editor, zipped(FLAT), workspace=world.workspace)
        path = f"workspaces/{world.workspace}/members/{member}/"
        world.ok(world.owner.patch(path, {"role": taken})) if taken else world.owner.delete(path)
        job = job_done(editor, asked)
        assert (job["state"], job["error"]["code"]) == ("failed", code)
    assert not Document.objects.exists()


def test_subtree_with_fewer_rights(world: World) -> None:
    """Below a document on which the right to make others is missing nothing is made."""
    editor = world.member("editor")
    imported(world, zipped({"x/a.md": "# A", "b.md": "# B"}))
    folder = Document.objects.get(title="x")
    world.ok(world.owner.patch(f"documents/{folder.uid}/", {"inherits_access": False}))
    world.grant(str(folder.uid), editor, "viewer")
    job = imported(world, zipped({"x/new.md": "# New", "x/a.md": "# A", "b.md": "# B"}), by=editor)
    assert (job["state"], job["error"]["code"]) == ("failed", "permission_denied")
    assert not Document.objects.filter(title="New").exists()


def test_upload_that_is_gone(world: World) -> None:
    """A job that is tried again by hand after that says so."""
    asked = import_ask(world.owner, zipped(FLAT), workspace=world.workspace)
    Blob.objects.all().delete()
    assert job_done(world.owner, asked)["error"]["code"] == "import_refused"
