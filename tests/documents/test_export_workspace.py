"""`manage.py export_workspace`, and what `import_documents` makes of it."""

from __future__ import annotations

import io
import pathlib
import zipfile
from typing import Any

import pytest
from django.core.management import call_command

from audit.models import Event
from cloudscribe.lib.commands import FoundWrong, UsageError
from cloudscribe.lib.storage import file_remove
from documents.models import Attachment, Document, Workspace
from tests.documents import uploading
from tests.documents.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: pathlib.Path) -> None:
    """Where files go in these tests."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def world(client_for: Any) -> World:
    """A workspace of the test's own."""
    return World(client_for)


def export(world: World, path: pathlib.Path) -> str:
    """What the command says."""
    out = io.StringIO()
    slug = Workspace.objects.get(uid=world.workspace).slug
    call_command("export_workspace", slug, path, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_export_comes_back_by_import(world: World, tmp_path: pathlib.Path) -> None:
    """The same tree, texts and links."""
    top = world.document("Top", content="# Top\n\nwords\n")
    leaf = world.document("Leaf", parent=top, content="# Leaf\n")
    etag = world.owner.get(f"documents/{top}/").headers["ETag"]
    text = f"# Top\n\n[leaf](cs://{leaf})\n"
    world.ok(world.owner.patch(f"documents/{top}/", {"content": text}, **{"If-Match": etag}))
    assert "2 documents, 0 files" in export(world, tmp_path / "x.zip")
    zipfile.ZipFile(tmp_path / "x.zip").extractall(tmp_path / "folder")
    assert world.owner.user is not None
    owner, folder = world.owner.user.email, tmp_path / "folder"
    call_command("import_documents", folder, workspace="again", owner=owner, stdout=io.StringIO())
    again = Document.objects.filter(workspace__slug="again")
    copy = again.get(title="Leaf")
    assert copy.parent is not None
    assert copy.parent.title == "Top"
    assert copy.parent.body.content == f"# Top\n\n[leaf](cs://{copy.uid})\n"


def test_export_is_on_the_record(world: World, tmp_path: pathlib.Path) -> None:
    """By the command's name."""
    export(world, tmp_path / "x.zip")
    event = Event.objects.get(action="workspace.exported")
    assert (event.actor_kind, event.detail.content["actor"]) == ("command", "export_workspace")


def test_file_that_the_storage_has_lost_is_named(world: World, tmp_path: pathlib.Path) -> None:
    """The rest is written all the same."""
    page = world.document("Page")
    uploading.upload(world.owner, page, filename="a.txt", content=b"bytes")
    file_remove(Attachment.objects.get().blob.path)
    with pytest.raises(FoundWrong, match="1 files are missing"):
        export(world, tmp_path / "x.zip")
    assert "page.md" in zipfile.ZipFile(tmp_path / "x.zip").namelist()


def test_wrong_use_changes_nothing(world: World, tmp_path: pathlib.Path) -> None:
    """No such workspace, a file that is there, a folder that isn't."""
    with pytest.raises(UsageError, match="no workspace"):
        call_command("export_workspace", "none", tmp_path / "x.zip")
    (tmp_path / "there").write_text("another's")
    with pytest.raises(UsageError, match="there already"):
        export(world, tmp_path / "there")
    with pytest.raises(UsageError, match="no folder"):
        export(world, tmp_path / "none" / "x.zip")
    assert (tmp_path / "there").read_text() == "another's"
