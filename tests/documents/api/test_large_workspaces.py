"""Deleting a workspace of many documents: a job that has it for itself."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.services import admin_create
from audit.models import Event
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_run
from documents import limits
from documents.models import Document, DocumentUserPermission, Workspace
from documents.services import purging
from tests.accounts.factories import PASSWORD
from tests.actors import command
from tests.documents.jobs import job_done
from tests.documents.world import World, uid_of
from tests.fixtures import ApiClient, client_make


@pytest.fixture(autouse=True)
def many(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three documents are many here; one of them lies in the trash."""
    monkeypatch.setattr(limits, "SUBTREE_IN_REQUEST", 2)
    autoload()
    pages = [world.document(f"Page {number}") for number in range(3)]
    World.ok(world.act(pages[-1], "trash"))
    return pages


def deleted(world: World, by: ApiClient | None = None) -> Any:
    """The answer to the wish that the workspace be gone."""
    return (by or world.owner).delete(f"workspaces/{world.workspace}/")


def test_delete_of_many_is_a_job(world: World, many: list[str]) -> None:
    """Rights are asked at once, everything stands until it is done, and the event is of who asked for it."""
    reader = world.client_for()
    world.grant(many[0], reader, "viewer")
    assert deleted(world, world.member("manager")).status_code == 403
    answer = deleted(world)
    assert answer.json()["kind"] == "documents.workspace_delete"
    World.ok(world.owner.get(f"documents/{many[0]}/"))
    assert not Event.objects.filter(action="workspace.deleted").exists()
    done = job_done(world.owner, answer)
    assert (done["state"], done["result"]) == ("succeeded", {"workspace": world.workspace})
    assert world.owner.get(f"workspaces/{world.workspace}/").status_code == 404
    assert reader.get(f"documents/{many[0]}/").status_code == 404
    assert not Document.objects.exists()
    assert not DocumentUserPermission.objects.exists()
    event = Event.objects.get(action="workspace.deleted")
    assert (str(event.actor_uid), event.credential_kind) == (uid_of(world.owner), "job")
    assert event.facts["documents"] == 3
    assert uid_of(reader) in event.facts["subjects"]


def test_delete_of_few_is_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as a request may remove are gone with its answer."""
    monkeypatch.setattr(limits, "SUBTREE_IN_REQUEST", 3)
    World.ok(deleted(world), 204)
    assert not Workspace.objects.exists()


def test_workspace_that_is_to_go_takes_no_change_of_its_tree(world: World, many: list[str]) -> None:
    """423 also to who wants it gone once more; cancelled, it is as it was."""
    job = World.ok(deleted(world), 202)
    for busy in (deleted(world), world.act(many[0], "trash")):
        assert (busy.status_code, busy.json()["code"]) == (423, "workspace_busy")
    World.ok(world.owner.post(f"jobs/{job['id']}/cancel/"))
    World.ok(world.act(many[0], "trash"))


def test_delete_cancelled_in_the_middle_undoes_all(
    world: World, many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two tables it asks whether it is still wanted."""
    answer, real = deleted(world), purging.rows_purge
    cancel, tables = f"jobs/{World.ok(answer, 202)['id']}/cancel/", []

    def cancelled(rows: Any, check: Any) -> None:
        tables.append(rows.model)
        if len(tables) == 3:
            assert World.ok(world.owner.post(cancel))["state"] == "running"
        real(rows, check)

    monkeypatch.setattr("documents.services.purging.rows_purge", cancelled)
    monkeypatch.setattr("documents.services.workspaces.rows_purge", cancelled)
    assert job_done(world.owner, answer)["state"] == "cancelled"
    monkeypatch.undo()
    # It stopped there, and not at its end.
    assert len(tables) < 10
    World.ok(world.owner.get(f"documents/{many[0]}/"))
    assert Document.objects.count() == 3
    assert Workspace.objects.get().busy_job is None
    assert not Event.objects.filter(action="workspace.deleted").exists()


def test_hold_comes_before_the_job_that_would_remove(world: World, many: list[str]) -> None:
    """What waits to be deleted can still be kept, and is free for its people again."""
    counsel = client_make(admin_create(actor=command(), email="counsel@example.org", password=PASSWORD)[0])
    answer = deleted(world)
    World.ok(counsel.post(f"documents/{many[0]}/holds/", {"reason": "Case 7"}), 201)
    assert job_done(world.owner, answer)["error"]["code"] == "legal_hold"
    World.ok(world.owner.patch(f"workspaces/{world.workspace}/", {"name": "Kept"}))


def test_delete_by_who_owns_it_no_longer_does_nothing(world: World) -> None:
    """Rights are those of the job's moment."""
    other = world.member("owner")
    answer = deleted(world, other)
    members = f"workspaces/{world.workspace}/members/"
    member = World.ok(world.owner.get(members))["results"][-1]["id"]
    World.ok(world.owner.patch(f"{members}{member}/", {"role": "manager"}))
    done = job_done(other, answer)
    assert (done["state"], done["error"]["code"]) == ("failed", "permission_denied")
    assert Document.objects.count() == 3


def test_second_try_of_a_delete_that_is_done_does_nothing(world: World) -> None:
    """The end of the job is another transaction than its work."""
    answer = deleted(world)
    assert job_done(world.owner, answer)["state"] == "succeeded"
    Job.objects.filter(uid=answer.json()["id"]).update(state="queued", finished_at=None)
    job_run("slow", answer.json()["id"])
    assert Job.objects.get(uid=answer.json()["id"]).state == "succeeded"
    assert Event.objects.filter(action="workspace.deleted").count() == 1
