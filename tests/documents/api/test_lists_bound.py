"""Cursors of lists below a workspace or a document: each is that list's alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.documents.world import World, uid_of

pytestmark = pytest.mark.django_db


def filled(world: World) -> dict[str, str]:
    """A workspace and a document of it, with two entries in each of their lists."""
    room = World.ok(world.owner.post("workspaces/", {"name": "Room"}), 201)["id"]
    person = uid_of(world.client_for())
    World.ok(world.owner.post(f"workspaces/{room}/members/", {"user": person, "role": "viewer"}), 201)
    pages = [
        World.ok(world.owner.post("documents/", {"workspace": room, "title": tag, "tags": [tag]}), 201)["id"]
        for tag in ("one", "two")
    ]
    return {"room": room, "page": pages[0]}


@pytest.mark.parametrize(
    "path",
    [
        "workspaces/{room}/members/",
        "workspaces/{room}/tags/",
        "workspaces/{room}/tree/",
        "documents/{page}/access/",
    ],
)
def test_cursor_of_the_same_list_elsewhere_is_refused(world: World, path: str) -> None:
    """Where the lists are filtered and ordered alike, too: the edge of one is no place in the other."""
    here, there = filled(world), filled(world)

    def ask(place: dict[str, str], **more: Any) -> Any:
        query = "&".join(f"{name}={value}" for name, value in {"page_size": 1, **more}.items())
        return world.owner.get(f"{path.format(**place)}?{query}")

    first = ask(here)
    following = first.headers.get("Link") or World.ok(first)["next"]
    cursor = following.partition("cursor=")[2].partition("&")[0].partition(">")[0]
    assert ask(here, cursor=cursor).status_code == 200
    refused = ask(there, cursor=cursor)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")
