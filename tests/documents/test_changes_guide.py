"""The handbook's page on following changes: its program is run as it stands there, over HTTP."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings

from tests.documents.world import World
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = pathlib.Path(settings.BASE_DIR) / "docs" / "changes.md"


def program() -> dict[str, Any]:
    """What the page's code defines."""
    names: dict[str, Any] = {}
    (code,) = re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    exec(code, names)  # noqa: S102 (a page of our own)
    return names


def api_of(client: ApiClient) -> Callable[..., Any]:
    """`api` as the page asks for it."""

    def api(path: str, parameters: dict[str, Any] | None = None) -> Any:
        path = path.partition("/api/v1/")[2] or path
        answer = client.get(path + ("?" + urlencode(parameters) if parameters else ""))
        return None if answer.status_code in {404, 410} else World.ok(answer)

    return api


def test_the_program_holds_what_is_there(world: World) -> None:
    """From nothing, and after each of some changes."""
    follow = program()["follow"]
    friend = world.client_for()
    api, held = api_of(friend), dict[str, Any]()
    cursor = follow(api, held)
    assert held == {}

    def now() -> set[str]:
        nonlocal cursor
        cursor = follow(api, held, cursor)
        return set(held)

    top, other = world.document("Top"), world.document("Other")
    child = world.document("Child", parent=top)
    inner = world.document("Inner", parent=child)
    grant = world.grant(top, friend, "viewer")
    world.grant(inner, friend, "viewer")
    assert now() == {top, child, inner}
    world.ok(world.act(child, "archive"))
    assert now() == {top, child, inner}
    assert held[child]["state"] == "archived"
    world.ok(world.act(child, "unarchive"))
    world.ok(world.act(child, "move", parent=other))
    assert now() == {top, inner}
    world.ok(world.act(child, "move", parent=top))
    world.ok(world.owner.delete(f"documents/{top}/grants/{grant['id']}/"), 204)
    assert now() == {inner}
    member = world.ok(world.add(friend, "viewer"), 201)
    assert now() == {top, other, child, inner}
    world.ok(world.act(top, "trash"))
    assert now() == {other}
    world.ok(world.act(top, "restore"))
    assert now() == {top, other, child, inner}
    world.ok(world.owner.delete(f"workspaces/{world.workspace}/members/{member['id']}/"), 204)
    assert now() == set()
