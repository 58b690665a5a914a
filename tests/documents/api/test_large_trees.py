"""Changes of large subtrees: jobs that have the workspace for themselves."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from accounts.services import admin_create
from audit.models import Event
from cloudscribe.jobs.claims import job_claim
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_execute, job_run
from cloudscribe.jobs.services import job_retry
from cloudscribe.jobs.sweeper import leases_reclaim
from documents import limits
from documents.models import Document, Workspace
from documents.services.tree_jobs import reservations_sweep
from tests.accounts.factories import PASSWORD
from tests.actors import command
from tests.documents.api.test_documents_places import wrong_rows
from tests.documents.jobs import job_done
from tests.documents.world import World
from tests.fixtures import client_make


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three documents are a large subtree here."""
    monkeypatch.setattr(limits, "SUBTREE_IN_REQUEST", 2)
    autoload()


@pytest.fixture
def tree(world: World) -> dict[str, str]:
    """A subtree of three, and another document."""
    top = world.document("Top")
    return {
        "top": top,
        "child": world.document("Child", parent=top),
        "leaf": world.document("Leaf", parent=top),
        "other": world.document("Other"),
    }


def test_move_of_many_is_a_job(world: World, tree: dict[str, str]) -> None:
    """202, the same checks at once, the same outcome later, in the name of who asked."""
    assert world.act(tree["top"], "move", world.member("editor"), parent=tree["other"]).status_code == 403
    assert world.act(tree["top"], "move", parent=tree["child"]).json()["code"] == "move_into_itself"
    manager = world.member("manager")
    answer = world.act(tree["top"], "move", manager, parent=tree["other"])
    assert answer.json()["kind"] == "documents.move"
    assert not Event.objects.filter(action="document.moved").exists()
    done = job_done(manager, answer)
    assert (done["state"], done["result"]) == ("succeeded", {"document": tree["top"], "hidden": 0})
    assert World.ok(manager.get(f"documents/{tree['top']}/"))["parent"] == tree["other"]
    event = Event.objects.get(action="document.moved")
    assert (event.actor_uid, event.credential_kind) == (manager.user.uid, "job")  # type: ignore[union-attr]
    assert wrong_rows() == 0


def test_reordering_of_many_is_none(world: World, tree: dict[str, str]) -> None:
    """Among its siblings a document moves alone."""
    World.ok(world.act(tree["top"], "move", after=tree["other"]))


def test_trash_restore_and_purge_of_many_are_jobs(world: World, tree: dict[str, str]) -> None:
    """Each with its kind."""
    for what in ("trash", "restore", "trash", "purge"):
        path = f"documents/{tree['top']}/"
        answer = world.owner.delete(path) if what == "purge" else world.act(tree["top"], what)
        done, kind = job_done(world.owner, answer), f"documents.{what}"
        assert (done["kind"], done["state"]) == (kind, "succeeded")
    assert list(Document.objects.values_list("title", flat=True)) == ["Other"]
    assert not Workspace.objects.filter(busy_job__isnull=False).exists()


def test_states_and_cuts_of_many_are_jobs(world: World, tree: dict[str, str]) -> None:
    """Whatever rewrites who may read a large subtree."""
    viewer = world.member("viewer")
    for what, status in (("unpublish", 404), ("publish", 200), ("cut", 404)):
        path = f"documents/{tree['top']}/"
        cut = {"inherits_access": False}
        answer = world.owner.patch(path, cut) if what == "cut" else world.act(tree["top"], what)
        done = job_done(world.owner, answer)
        assert (done["kind"], done["state"]) == (f"documents.{what}", "succeeded")
        assert viewer.get(f"documents/{tree['leaf']}/").status_code == status
        assert wrong_rows() == 0


def test_busy_workspace_takes_no_change_of_its_tree(world: World, tree: dict[str, str]) -> None:
    """423 with Retry-After for what adds, moves, cuts or trashes; reading and editing go on."""
    gone = world.document("Gone")
    World.ok(world.act(gone, "trash"))
    answer = world.act(tree["top"], "move", parent=tree["other"])
    other, owner = tree["other"], world.owner
    for busy in (
        owner.post("documents/", {"workspace": world.workspace, "title": "New"}),
        world.act(other, "move", before=tree["top"]),
        world.act(other, "trash"),
        world.act(gone, "restore"),
        owner.delete(f"documents/{gone}/"),
        world.act(other, "unpublish"),
        world.act(other, "copy"),
        owner.patch(f"documents/{other}/", {"inherits_access": False}),
    ):
        assert (busy.status_code, busy.json()["code"]) == (423, "workspace_busy")
        assert busy.headers["Retry-After"] == "5"
    etag = owner.get(f"documents/{other}/").headers["ETag"]
    World.ok(owner.patch(f"documents/{other}/", {"title": "Edited"}, If_Match=etag))
    job_done(owner, answer)
    World.ok(owner.post("documents/", {"workspace": world.workspace, "title": "New"}), 201)


def test_busy_workspace_takes_changes_of_rights(world: World, tree: dict[str, str]) -> None:
    """Nobody stays a member for want of a worker, and a job does nothing for who is none any more."""
    editor = world.member("editor")
    member = World.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"][-1]["id"]
    answer = world.act(tree["top"], "trash", editor)
    World.ok(world.owner.delete(f"workspaces/{world.workspace}/members/{member}/"), 204)
    world.member("viewer")
    done = job_done(editor, answer)
    assert (done["state"], done["error"]["code"]) == ("failed", "not_found")
    assert World.ok(world.owner.get(f"documents/{tree['top']}/"))["trashed_at"] is None


def test_busy_workspace_lets_its_owner_go(world: World, tree: dict[str, str]) -> None:
    """An account isn't kept alive by a job that waits."""
    other = world.member("owner")
    World.ok(world.act(tree["top"], "trash", other), 202)
    boss = client_make(admin_create(actor=command(), email="boss@example.org", password=PASSWORD)[0])
    World.ok(boss.post(f"users/{other.user.uid}/suspend/"))  # type: ignore[union-attr]
    World.ok(boss.post(f"users/{other.user.uid}/delete/", {}), 204)  # type: ignore[union-attr]


def test_hold_comes_before_the_job_that_would_remove(world: World, tree: dict[str, str]) -> None:
    """What waits to be purged can still be kept."""
    counsel = client_make(admin_create(actor=command(), email="counsel@example.org", password=PASSWORD)[0])
    assert job_done(world.owner, world.act(tree["top"], "trash"))["state"] == "succeeded"
    answer = world.owner.delete(f"documents/{tree['top']}/")
    World.ok(answer, 202)
    World.ok(counsel.post(f"documents/{tree['leaf']}/holds/", {"reason": "Case 7"}), 201)
    assert job_done(world.owner, answer)["error"]["code"] == "legal_hold"
    assert Document.objects.filter(uid=tree["leaf"]).exists()


def test_move_between_workspaces_reserves_both(world: World, tree: dict[str, str]) -> None:
    """And frees both."""
    other = World(world.client_for)
    World.ok(other.add(world.owner, "manager"), 201)
    answer = world.act(tree["top"], "move", workspace=other.workspace)
    busy = other.owner.post("documents/", {"workspace": other.workspace, "title": "New"})
    assert busy.status_code == 423
    assert job_done(world.owner, answer)["state"] == "succeeded"
    assert World.ok(other.owner.get(f"documents/{tree['leaf']}/"))["workspace"] == other.workspace
    assert not Workspace.objects.filter(busy_job__isnull=False).exists()
    assert wrong_rows() == 0


def test_failed_job_frees_the_workspace_and_can_be_retried(world: World, tree: dict[str, str]) -> None:
    """Rights are those of the job's moment; a retry reserves again."""
    manager = world.member("manager")
    answer = world.act(tree["top"], "move", manager, parent=tree["other"])
    member = World.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"][-1]["id"]
    path = f"workspaces/{world.workspace}/members/{member}/"
    World.ok(world.owner.patch(path, {"role": "viewer"}))
    done = job_done(manager, answer)
    assert (done["state"], done["error"]["code"]) == ("failed", "permission_denied")
    World.ok(world.owner.patch(path, {"role": "manager"}))
    job = job_retry(actor=command(), job=Job.objects.get(uid=done["id"]))
    assert world.act(tree["other"], "trash").status_code == 423
    job_run("slow", str(job.uid))
    assert World.ok(manager.get(f"documents/{tree['top']}/"))["parent"] == tree["other"]
    World.ok(world.act(tree["other"], "unpublish"), 202)


def test_cancelled_job_frees_the_workspace(world: World, tree: dict[str, str]) -> None:
    """At once, while it waits."""
    answer = world.act(tree["top"], "trash")
    World.ok(world.owner.post(f"jobs/{answer.json()['id']}/cancel/"))
    World.ok(world.act(tree["other"], "trash"))
    assert World.ok(world.owner.get(f"documents/{tree['top']}/"))["trashed_at"] is None


def test_running_job_can_be_cancelled(world: World, tree: dict[str, str]) -> None:
    """It stops at its next step, the workspace is free at once, and it can be tried again."""
    answer = world.act(tree["top"], "trash")
    job = job_claim(worker="w", uid=Job.objects.get(uid=answer.json()["id"]).uid)
    assert World.ok(world.owner.post(f"jobs/{answer.json()['id']}/cancel/"))["state"] == "running"
    job_execute(job)  # type: ignore[arg-type]
    assert World.ok(world.owner.get(f"jobs/{answer.json()['id']}/"))["state"] == "cancelled"
    assert World.ok(world.owner.get(f"documents/{tree['top']}/"))["trashed_at"] is None
    World.ok(world.act(tree["other"], "unpublish"))
    again = job_retry(actor=command(), job=Job.objects.get(uid=answer.json()["id"]))
    job_run("slow", str(again.uid))
    assert world.owner.get(f"documents/{tree['top']}/").json()["code"] == "trashed"


@pytest.mark.parametrize(
    ("what", "step"),
    [
        ("trash", "documents.services.trash.placements_write"),
        ("copy", "documents.services.copy_rows.attachments_copy"),
        ("unpublish", "documents.services.states.placements_write"),
    ],
)
def test_job_cancelled_in_the_middle_undoes_all(
    world: World, tree: dict[str, str], monkeypatch: pytest.MonkeyPatch, what: str, step: str
) -> None:
    """Its work is one transaction, and the last thing in that is to ask whether it is still wanted."""
    monkeypatch.setattr(limits, "COPY_IN_REQUEST", 2)
    answer = world.act(tree["top"], what, **({"include_children": True} if what == "copy" else {}))
    real, cancel = derived(step), f"jobs/{World.ok(answer, 202)['id']}/cancel/"

    def cancelled(*arguments: Any, **named: Any) -> Any:
        assert World.ok(world.owner.post(cancel))["state"] == "running"
        return real(*arguments, **named)

    monkeypatch.setattr(step, cancelled)
    events = Event.objects.filter(target_type="document").count()
    assert job_done(world.owner, answer)["state"] == "cancelled"
    monkeypatch.undo()
    assert Event.objects.filter(target_type="document").count() == events
    top = World.ok(world.owner.get(f"documents/{tree['top']}/"))
    assert (top["trashed_at"], top["state"], Document.objects.count()) == (None, "published", 4)
    assert not Workspace.objects.filter(busy_job__isnull=False).exists()
    assert wrong_rows() == 0


def derived(path: str) -> Any:
    """What a dotted path names."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_killed_worker_leaves_the_workspace_to_the_next_try(
    world: World, tree: dict[str, str], settings: Any
) -> None:
    """The lease runs out, the job is done by another worker, and nothing is done twice."""
    settings.JOB_LEASE = -1
    answer = world.act(tree["top"], "trash")
    assert job_claim(worker="killed", uid=Job.objects.get(uid=answer.json()["id"]).uid) is not None
    assert reservations_sweep() == 0
    settings.JOB_LEASE, settings.JOB_BACKOFF = 60, 0
    assert leases_reclaim() == 1
    assert world.act(tree["other"], "trash").status_code == 423
    assert job_done(world.owner, answer)["state"] == "succeeded"
    assert Event.objects.filter(action="document.trashed").count() == 1


def test_second_try_of_work_that_is_done_does_nothing(world: World, tree: dict[str, str]) -> None:
    """Work and end of the reservation are one transaction, the job's own end is another."""
    answer = world.act(tree["top"], "copy", include_children=True)
    World.ok(answer, 201)
    answer = world.act(tree["top"], "trash")
    assert job_done(world.owner, answer)["state"] == "succeeded"
    Job.objects.filter(uid=answer.json()["id"]).update(state="queued", finished_at=None)
    job_run("slow", answer.json()["id"])
    assert Job.objects.get(uid=answer.json()["id"]).state == "succeeded"
    assert Event.objects.filter(action="document.trashed").count() == 1


def test_sweep_frees_what_ended_otherwise(world: World, tree: dict[str, str]) -> None:
    """A running job that was stopped tells nobody, and a job may be removed."""
    answer = world.act(tree["top"], "trash")
    Job.objects.filter(uid=answer.json()["id"]).update(state="cancelled")
    assert reservations_sweep() == 1
    World.ok(world.act(tree["other"], "trash"))


def test_hidden_parts_go_along_and_are_counted(world: World, tree: dict[str, str], monkeypatch: Any) -> None:
    """Trash, restore and move cover the whole and say how many hidden documents that took along."""
    monkeypatch.setattr(limits, "SUBTREE_IN_REQUEST", 100)
    manager = world.member("manager")
    World.ok(world.owner.patch(f"documents/{tree['child']}/", {"inherits_access": False}))
    assert World.ok(world.act(tree["top"], "trash", manager))["hidden"] == 1
    assert world.owner.get(f"documents/{tree['child']}/").status_code == 410
    assert World.ok(world.act(tree["top"], "restore", manager))["hidden"] == 1
    assert World.ok(world.act(tree["top"], "move", manager, parent=tree["other"]))["hidden"] == 1
    assert World.ok(world.act(tree["leaf"], "trash", manager))["hidden"] == 0
    assert Event.objects.get(action="document.moved").facts["hidden"] == 1


def test_move_says_whose_grants_reach_it_no_longer(
    world: World, tree: dict[str, str], monkeypatch: Any
) -> None:
    """Grants on what moves stay; those above are named by what they stand on, in the event."""
    monkeypatch.setattr(limits, "SUBTREE_IN_REQUEST", 100)
    reader, other = world.client_for(), World(world.client_for)
    World.ok(other.add(world.owner, "manager"), 201)
    world.grant(tree["leaf"], reader, "viewer")
    World.ok(world.act(tree["leaf"], "move", workspace=other.workspace))
    assert reader.get(f"documents/{tree['leaf']}/").status_code == 200
    facts = Event.objects.get(action="document.moved").facts
    assert facts["from_workspace"] == world.workspace
    assert set(facts["reach_lost"]) == {world.workspace, tree["top"]}
    assert facts["reach_gained"] == [other.workspace]
