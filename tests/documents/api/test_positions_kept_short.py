"""Positions among siblings: however often one inserts at one place, keys stay short and the order holds."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from cloudscribe.jobs.models import Job
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_run
from documents import limits
from documents.models import Document, Placement, Workspace
from documents.services.positioning import position_for, positions_rebalance
from tests.actors import command, person
from tests.documents.world import World, statements


def order_of(world: World) -> list[str]:
    """Titles on top of the workspace."""
    return [row["title"] for row in World.ok(world.owner.get(f"workspaces/{world.workspace}/tree/"))]


def longest() -> int:
    """The length of the longest key."""
    return max(len(position) for position in Document.objects.values_list("position", flat=True))


@pytest.fixture
def crowd(world: World) -> World:
    """A first and a last document, and between them two whose keys have grown."""
    world.document("first")
    world.document("last")
    for number in (1, 2):
        grown = "a0" + "V" * limits.POSITION_GROWN + str(number)
        Document.objects.filter(uid=world.document(f"middle {number}")).update(position=grown)
    return world


def insert_behind_the_first(world: World, count: int) -> int:
    """So many documents, each right behind the first one; gives the length of the longest key."""
    assert world.owner.user is not None
    first = Document.objects.get(uid=world.document("first"))
    world.document("last")
    actor, seen = person(world.owner.user), 0
    place: dict[str, Any] = {"workspace": first.workspace_id, "parent": None, "before": None}
    for number in range(count):
        position = position_for(actor=actor, **place, after=first.uid, moved=None, now=actor.now)
        seen = max(seen, len(position))
        Document.objects.create(
            workspace_id=first.workspace_id,
            position=position,
            title=str(number),
            language="en",
            owner=world.owner.user,
        )
    titles = list(Document.objects.order_by("position", "id").values_list("title", flat=True))
    assert titles == ["first", *[str(number) for number in range(count - 1, -1, -1)], "last"]
    return seen


def test_inserts_at_one_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is that of the inserts and keys stay short, with all workers away."""
    monkeypatch.setattr(limits, "POSITION_LENGTH", 30)
    monkeypatch.setattr(limits, "POSITION_GROWN", 10)
    assert insert_behind_the_first(world, 240) == 30
    # One job that waits stands for all who asked.
    job = Job.objects.get(kind="documents.positions_rebalance")
    assert positions_rebalance(actor=command(), **job.payload) > 0
    assert longest() <= 3


def test_long_key_asks_for_a_job(crowd: World) -> None:
    """Which numbers the siblings anew and keeps their order and the history of their places."""
    middle = Document.objects.get(title="middle 1")
    crowd.document("next", after=str(middle.uid))
    job = Job.objects.get(kind="documents.positions_rebalance")
    autoload()
    job_run("slow", str(job.uid))
    job.refresh_from_db()
    assert (job.state, job.result) == ("succeeded", {"changed": 4})
    assert order_of(crowd) == ["first", "middle 1", "next", "middle 2", "last"]
    assert longest() == 2
    current = Placement.objects.get(document=middle, valid_to=None)
    assert current.position == Document.objects.get(pk=middle.pk).position


def test_job_finds_nothing_to_do(crowd: World) -> None:
    """Where keys are short, or another job has the workspace."""
    room = Workspace.objects.get()
    Workspace.objects.update(busy_job=uuid.uuid4())
    assert positions_rebalance(actor=command(), workspace=room.pk, parent=None) == 0
    Workspace.objects.update(busy_job=None)
    assert positions_rebalance(actor=command(), workspace=room.pk, parent=None) > 0
    assert positions_rebalance(actor=command(), workspace=room.pk, parent=None) == 0


def test_equal_keys_are_parted(world: World) -> None:
    """Two that share a key stand in the order of their ids; between them there is room."""
    one, two = world.document("1"), world.document("2")
    Document.objects.update(position="a0")
    world.document("between", after=one)
    world.document("ahead", before=one)
    world.document("behind", after=two)
    assert order_of(world) == ["ahead", "1", "between", "2", "behind"]


def test_reordering_reads_neighbours_alone(world: World) -> None:
    """However many siblings there are, as many statements."""
    ids = [world.document(str(number)) for number in range(30)]
    World.ok(world.act(ids[0], "move", after=ids[5]))
    # 1 sign-in, 2 document, 3 lock, 4 stamps, 5 document, 6 named, 7 neighbour, 8 place, 9-10 history,
    # 11 event, 12 answer
    with statements(12):
        World.ok(world.act(ids[20], "move", after=ids[10]))
