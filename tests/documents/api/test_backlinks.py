"""`documents/{id}/backlinks/`."""

from __future__ import annotations

import io
import uuid
from pathlib import Path

from django.core.management import call_command

from documents.addresses import document_path
from documents.models import Document, Reference
from tests.documents.world import World, statements
from tests.fixtures import ApiClient


def linking(world: World, document: str, by: ApiClient | None = None) -> list[str]:
    """The titles of what links to a document, as somebody finds them."""
    answer = World.ok((by or world.owner).get(f"documents/{document}/backlinks/"))
    return [row["title"] for row in answer["results"]]


def test_backlinks_follow_every_write(world: World) -> None:
    """Creation, edit and the restore of a revision each say anew what the body links to."""
    target, other = world.document("Target"), world.document("Other")
    source = world.document("Source", content=f"[t](cs://{target}) and [t](cs://{target}#again)")
    assert (linking(world, target), linking(world, other)) == (["Source"], [])
    etag = world.owner.get(f"documents/{source}/").headers["ETag"]
    page = document_path(uuid.UUID(other), "Other")
    etag = world.owner.patch(f"documents/{source}/", {"content": f"[o]({page})"}, If_Match=etag).headers[
        "ETag"
    ]
    assert (linking(world, target), linking(world, other)) == ([], ["Source"])
    World.ok(world.owner.post(f"documents/{source}/revisions/1/restore/", {}, If_Match=etag))
    assert (linking(world, target), linking(world, other)) == (["Source"], [])


def test_backlinks_from_hidden_documents_do_not_show(world: World) -> None:
    """A source shows to those alone who may see it."""
    target = world.document("Target")
    world.document("Open", content=f"[t](cs://{target})")
    world.document("Draft", content=f"[t](cs://{target})", state="draft")
    viewer = world.member("viewer")
    assert linking(world, target, viewer) == ["Open"]
    assert linking(world, target) == ["Draft", "Open"]


def test_backlinks_from_another_workspace(world: World) -> None:
    """Links cross workspaces; rights don't."""
    target = world.document("Target")
    other = World(world.client_for)
    other.ok(other.add(world.owner, "viewer"), 201)
    other.document("Abroad", content=f"[t](cs://{target})")
    assert linking(world, target) == ["Abroad"]
    assert linking(world, target, world.member("viewer")) == []


def test_backlinks_leave_out_the_trash(world: World) -> None:
    """What lies in the trash links to nothing, and does again when it is back."""
    target = world.document("Target")
    source = world.document("Source", content=f"[t](cs://{target})")
    World.ok(world.act(source, "trash"))
    assert linking(world, target) == []
    World.ok(world.act(source, "restore"))
    assert linking(world, target) == ["Source"]


def test_backlinks_of_a_trashed_or_hidden_document(world: World) -> None:
    """410 for who may edit it, else the one 404."""
    target = world.document("Target")
    assert world.client_for().get(f"documents/{target}/backlinks/").status_code == 404
    World.ok(world.act(target, "trash"))
    assert world.owner.get(f"documents/{target}/backlinks/").status_code == 410
    assert world.member("viewer").get(f"documents/{target}/backlinks/").status_code == 404


def test_backlink_written_before_its_target(world: World) -> None:
    """A link to what isn't there hurts nothing, and counts once it is there."""
    nowhere = "01900000-0000-7000-8000-00000000ffff"
    world.document("Early", content=f"[later](cs://{nowhere})")
    assert Reference.objects.get().target_uid == uuid.UUID(nowhere)
    assert world.owner.get(f"documents/{nowhere}/backlinks/").status_code == 404


def test_backlinks_of_an_import(world: World, tmp_path: Path) -> None:
    """Links between the files of a tree are there, whichever file was made first."""
    (tmp_path / "one.md").write_text("# One\n\nSee [two](two.md#part).\n")
    (tmp_path / "two.md").write_text("# Two\n\nBack to [one](one.md).\n")
    person = world.client_for()
    assert person.user is not None
    options = {"workspace": "book", "owner": person.user.email, "stdout": io.StringIO()}
    call_command("import_documents", str(tmp_path), **options)
    ids = {row["title"]: row["id"] for row in World.ok(person.get("documents/"))["results"]}
    assert linking(world, ids["One"], person) == ["Two"]
    assert linking(world, ids["Two"], person) == ["One"]


def test_backlinks_are_rebuilt_by_reindex_search(world: World) -> None:
    """The command mends a damaged table, and brings what no write has said."""
    target = world.document("Target")
    world.document("Source", content=f"[t](cs://{target})")
    wrong = world.document("Unlinked")
    Reference.objects.all().delete()
    Reference.objects.create(source=Document.objects.get(uid=wrong), target_uid=target)
    call_command("reindex_search", verbosity=0)
    assert linking(world, target) == ["Source"]


def test_backlinks_of_a_large_body_come_by_the_job(world: World) -> None:
    """Over 100 KB the body is read by the job that makes its vector; until then the old links stand."""
    target = world.document("Target")
    source = world.document("Source", content=f"[t](cs://{target})")
    etag = world.owner.get(f"documents/{source}/").headers["ETag"]
    large = "word " * 21_000
    World.ok(world.owner.patch(f"documents/{source}/", {"content": large}, If_Match=etag))
    assert linking(world, target) == ["Source"]
    call_command("reindex_search", pending=True, verbosity=0)
    assert linking(world, target) == []


def test_backlinks_cost_four_statements(world: World) -> None:
    """1 sign-in, 2 the document, 3 the page, 4 its rows; however many there are."""
    target = world.document("Target")
    for number in range(3):
        world.document(f"Source {number}", content=f"[t](cs://{target})")
    linking(world, target)
    with statements(4):
        assert len(linking(world, target)) == 3
