"""What is played from a tape is what a request leaves behind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from audit.models import Event
from tests.documents.tapes import ROLES, member_play, room_play, rows_new, rows_of_all
from tests.documents.world import World, uid_of
from tests.fixtures import client_make

# Keys, ids, secrets, times and names of people, which differ between any two requests.
_OWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}|\d{4}-\d\d-\d\dT[\d:.]+\+00:00|Person \d+|[0-9a-f]{32,}"
)


def left_by(act: Callable[[], Any]) -> list[str]:
    """The rows that an act adds, without what differs between any two."""
    before = rows_of_all()
    act()
    found = []
    for table, row in rows_new(before, rows_of_all()):
        for column in row.keys() & {"id", "user_id", "created_by_id", "granted_by_id", "content_object_id"}:
            row[column] = row[column] is not None
        row.pop("sequence", None)
        found.append(f"{table} {_OWN.sub('~', json.dumps(row, sort_keys=True))}")
    return sorted(found)


def test_room_of_a_tape(tapes: None, db: None) -> None:
    """Every row and column is a request's, audit trail and stamps included."""
    owner, other = client_make(), client_make()
    played = left_by(lambda: room_play(owner))
    body = {"name": "World"}
    slugs = [row.replace("world-2", "world") for row in left_by(lambda: other.post("workspaces/", body))]
    assert played == slugs
    assert len(played) == 5
    assert Event.objects.filter(action="workspace.created").count() == 2


@pytest.mark.parametrize("role", ROLES)
def test_member_of_a_tape(tapes: None, db: None, role: str) -> None:
    """So is somebody who was added."""
    world = World(client_make)
    one, another = client_make(), client_make()
    assert world._room is not None
    played = left_by(lambda: member_play(world._room, world.owner, one, role))
    assert played == left_by(lambda: world.add(another, role))
    assert len(played) == 6
    rows = World.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"]
    assert {row["user"]: row["role"] for row in rows} == {
        uid_of(world.owner): "owner",
        uid_of(one): role,
        uid_of(another): role,
    }
    assert one.get(f"workspaces/{world.workspace}/").json()["role"] == role
