"""What a purge takes along, and what it leaves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from accounts.services import admin_create
from audit.models import Event
from cloudscribe.jobs.exceptions import JobCancelled
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.run import JobRun
from cloudscribe.jobs.runner import job_run
from cloudscribe.jobs.services import job_enqueue
from documents import caching, limits
from documents.models import AccessRequest, Document, ImportSource, LinkVisit, RecentView, Workspace
from documents.queues import TRASH_PURGE
from documents.services import trash
from documents.services.purging import rows_purge
from documents.services.tree_jobs import reserve
from tests.accounts.factories import PASSWORD
from tests.actors import command
from tests.documents.sharing import link_make, shared
from tests.documents.uploading import attach
from tests.documents.world import World, uid_of
from tests.fixtures import client_make

# What counts content, words and scopes for all documents, and what keeps its row without the document.
_STAYS = {"Blob", "AttachmentUsage", "AccessRequest", "WatchProgress"}


def rows() -> dict[str, int]:
    """How many rows each table of the app holds."""
    models = apps.get_app_config("documents").get_models()
    return {model.__name__: model._base_manager.count() for model in models if model.__name__ not in _STAYS}


def rich(world: World, title: str, parent: str | None = None) -> str:
    """A document with something in every table that knows of documents."""
    reader, other = world.member("viewer"), world.client_for()
    page = world.document(title, content="one", **({"parent": parent} if parent else {}))
    etag = world.owner.get(f"documents/{page}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{page}/", {"content": f"cs://{page} two"}, If_Match=etag))
    world.grant(page, reader, "editor")
    attach(world, page)
    secret = link_make(world, page)["secret"]
    World.ok(shared(secret))
    said = {"body": f"@[R](user:{uid_of(reader)})", "quote": "two"}
    thread = World.ok(world.owner.post(f"documents/{page}/threads/", said), 201)
    World.ok(reader.post(f"comments/{thread['comments'][0]['id']}/reactions/", {"emoji": "👍"}), 201)
    for path in ("favorite", "watch"):
        world.owner.put(f"documents/{page}/{path}/", {})
    World.ok(other.post(f"documents/{page}/access-requests/", {"role": "viewer"}), 202)
    row = Document.objects.get(uid=page)
    ImportSource.objects.create(workspace=row.workspace, key=page, document=row, sha256=b"x" * 32, revision=1)
    return page


def test_purge_leaves_nothing_of_it(world: World) -> None:
    """Whatever hangs on it goes, in every table; what belongs to others stays; requests keep no object."""
    kept = rich(world, "Kept")
    before = rows()
    gone = rich(world, "Gone")
    rich(world, "Below", parent=gone)
    World.ok(world.owner.post(f"workspaces/{world.workspace}/snapshots/", {"name": "S", "root": gone}), 201)
    caching._opened.flush()
    assert RecentView.objects.count() > 1
    assert LinkVisit.objects.count() == 3
    World.ok(world.act(gone, "trash"))
    World.ok(world.owner.delete(f"documents/{gone}/"), 204)
    connection.check_constraints()
    left = rows()
    people = {"WorkspaceUserPermission": 2}
    recent = {"RecentView": RecentView.objects.count()}
    assert {**left, **recent} == {**before, **recent, **_more(before, people)}
    assert not RecentView.objects.exclude(document__uid=kept).exists()
    assert AccessRequest.objects.filter(document=None).count() == 2
    World.ok(world.owner.get(f"documents/{kept}/"))


def _more(before: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    return {name: before[name] + count for name, count in more.items()}


def test_purge_takes_as_many_statements_for_many(world: World) -> None:
    """However many go."""
    counts = []
    for size in (2, 20):
        top = world.document("Top")
        for number in range(size):
            world.document(str(number), parent=top)
        World.ok(world.act(top, "trash"))
        with CaptureQueriesContext(connection) as captured:
            World.ok(world.owner.delete(f"documents/{top}/"), 204)
        counts.append(len(captured))
    assert counts[0] == counts[1]


# --- the workspace's own rule ---
@pytest.fixture
def due(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """A large tree (three documents here) that has lain in the trash for long."""
    top = world.document("Top")
    for number in range(2):
        world.document(str(number), parent=top)
    World.ok(world.act(top, "trash"))
    Document.objects.filter(trashed_at__isnull=False).update(trashed_at=Now() - dt.timedelta(days=900))
    monkeypatch.setattr(limits, "SUBTREE_IN_REQUEST", 2)
    autoload()
    return top


def purge() -> Job:
    """The schedule's job, done."""
    job = job_enqueue(actor=command(), kind=TRASH_PURGE, payload={}, queue="slow")
    job_run("slow", str(job.uid))
    return Job.objects.get(pk=job.pk)


def test_scheduled_purge_of_many_has_the_workspace_for_itself(
    world: World, due: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others are told that it is busy before they wait for a lock; when it is done they go on."""
    busy: list[Any] = []

    def purged(rows: Any) -> None:
        busy.append(world.owner.post("documents/", {"workspace": world.workspace, "title": "New"}))
        rows_purge(rows)

    monkeypatch.setattr(trash, "rows_purge", purged)
    job = purge()
    assert (job.state, job.result) == ("succeeded", {"purged": 1})
    assert [(answer.status_code, answer.json()["code"]) for answer in busy] == [(423, "workspace_busy")]
    facts = Event.objects.get(action="document.purged").facts
    assert facts == {"documents": 3, "hidden": 0, "reach": [world.workspace], "places": []}
    assert not Document.objects.exists()
    world.document("New")


def test_scheduled_purge_of_few_reserves_nothing(
    world: World, due: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done in a moment needs no word."""
    monkeypatch.setattr(limits, "SUBTREE_IN_REQUEST", 3)
    monkeypatch.setattr(trash, "reserve", None)
    assert purge().result == {"purged": 1}


def test_scheduled_purge_comes_second_to_a_hold(
    world: World, due: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is held since the workspace was reserved stays, and the workspace is free again."""
    counsel = client_make(admin_create(actor=command(), email="counsel@example.org", password=PASSWORD)[0])

    def held(job: Any, workspaces: Any) -> None:
        reserve(job, workspaces)
        World.ok(counsel.post(f"documents/{due}/holds/", {"reason": "Case 7"}), 201)

    monkeypatch.setattr(trash, "reserve", held)
    assert purge().result == {"purged": 0}
    assert Document.objects.count() == 3
    world.document("New")


def test_scheduled_purge_that_is_cancelled_frees_the_workspace(
    world: World, due: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, with what wasn't purged where it was."""

    def cancelled(run: JobRun, done: int) -> None:
        assert Workspace.objects.filter(busy_job=run.job.uid).exists()
        raise JobCancelled

    monkeypatch.setattr(JobRun, "progress", cancelled)
    assert purge().state == "cancelled"
    assert not Workspace.objects.filter(busy_job__isnull=False).exists()
    assert Document.objects.count() == 3


def test_command_purges_a_large_tree(world: World, due: str) -> None:
    """An operator's command has no job whose workspace it could be."""
    assert trash.trash_purge_next(actor=command()) == 1
    assert trash.trash_purge_next(actor=command()) is None
    assert not Document.objects.exists()
