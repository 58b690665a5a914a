"""Grants that run out: one event for each, and what the change feed makes of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from audit.models import Event
from cloudscribe.jobs.registry import autoload, loops
from documents.models import (
    DocumentGroupPermission,
    DocumentUserPermission,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.services.grants_ended import grants_expire
from tests.documents.api.test_changes import Feed, said
from tests.documents.world import World, uid_of
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)

TABLES: tuple[Any, ...] = (
    DocumentUserPermission,
    DocumentGroupPermission,
    WorkspaceUserPermission,
    WorkspaceGroupPermission,
)


def soon() -> str:
    """A time that isn't past yet."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()


def end_all() -> None:
    """Have all that ends run out at this moment."""
    for table in TABLES:
        table.objects.filter(expires_at__isnull=False).update(expires_at=Now())


def expired() -> list[Event]:
    """The events of ends."""
    return list(Event.objects.filter(action="grant.expired").order_by("sequence"))


def team_of(world: World, person: ApiClient) -> str:
    """A team of the owner's with somebody in it."""
    team: str = world.ok(world.owner.post("teams/", {"name": "Team"}), 201)["id"]
    world.ok(world.owner.post(f"teams/{team}/members/", {"user": uid_of(person)}), 201)
    return team


@pytest.mark.parametrize("place", ["documents", "workspaces"])
@pytest.mark.parametrize("subject", ["user", "team"])
def test_an_end_is_one_event_and_a_tombstone(world: World, place: str, subject: str) -> None:
    """Of people and of teams, on documents and on workspaces; the second look finds nothing."""
    # Known to the owner by a workspace in common.
    friend = world.member("viewer")
    team = team_of(world, friend)
    room = world.ok(world.owner.post("workspaces/", {"name": "Other"}), 201)["id"]
    page = world.ok(world.owner.post("documents/", {"workspace": room, "title": "Page"}), 201)["id"]
    root = page if place == "documents" else room
    grants = f"documents/{page}/grants/" if place == "documents" else f"workspaces/{room}/members/"
    to = uid_of(friend) if subject == "user" else team
    body = {subject: to, "role": "viewer", "expires_at": soon()}
    world.ok(world.owner.post(grants, body), 201)
    feed = Feed(friend)
    end_all()
    assert grants_expire() == 1
    assert grants_expire() == 0
    (event,) = expired()
    assert (event.facts, event.actor_uid) == ({"root": root, "subjects": [to]}, None)
    assert str(event.workspace_uid) == room
    (entry,) = feed.more()
    assert (entry["action"], entry["id"], said(entry)) == ("grant.expired", root, "gone")
    assert entry["type"] == place[:-1]


def test_two_that_look_at_once_tell_it_once(world: World) -> None:
    """Whoever comes second finds the grant gone."""
    page = world.document()
    for _ in range(5):
        body = {"user": uid_of(world.client_for()), "role": "viewer", "expires_at": soon()}
        world.ok(world.owner.post(f"documents/{page}/grants/", body), 201)
    end_all()

    def look(_: int) -> int:
        try:
            return grants_expire()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(look, range(4))) == 5
    assert len(expired()) == 5


def test_what_takes_its_place_tells_its_end_first(world: World) -> None:
    """A grant that ended and is given anew before anybody looked is told of nonetheless."""
    page, friend = world.document(), world.client_for()
    body = {"user": uid_of(friend), "role": "viewer", "expires_at": soon()}
    world.ok(world.owner.post(f"documents/{page}/grants/", body), 201)
    end_all()
    world.ok(world.owner.post(f"documents/{page}/grants/", body), 201)
    assert len(expired()) == 1
    assert grants_expire() == 0


def test_one_that_still_stands_stays(world: World) -> None:
    """Whether it ends later or never."""
    page = world.document()
    for end in (None, soon()):
        body = {"user": uid_of(world.client_for()), "role": "viewer", "expires_at": end}
        world.ok(world.owner.post(f"documents/{page}/grants/", body), 201)
    assert grants_expire() == 0
    assert DocumentUserPermission.objects.count() == 2


def test_one_thing_is_asked_while_none_ends(django_assert_num_queries: Callable[[int], Any]) -> None:
    """The four tables are looked at by one statement, all the time."""
    with django_assert_num_queries(1):
        assert grants_expire() == 0


def test_the_scheduler_looks_every_few_seconds() -> None:
    """So that an end is told within five."""
    autoload()
    (loop,) = [loop for loop in loops() if loop.name == "documents.grants_expire"]
    assert loop.every <= 2.5
