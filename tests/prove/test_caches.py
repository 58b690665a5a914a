"""What each strategy of caching saves, measured beside the same work without it."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.caching import last_uses
from accounts.models import Session
from cloudscribe.lib.actor import AccessKey
from documents import caching
from documents.rendering import render_bounded
from documents.visibility import access_map_load
from security import ip_rules, limits
from tests.documents.world import World
from tests.fixtures import client_make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

GRANTS = 400


def milliseconds(action: Callable[[], Any], times: int = 30) -> float:
    """The median time of an action."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        action()
        took.append(time.perf_counter() - started)
    return statistics.median(took) * 1000


def told(what: str, without: float, **kept: float) -> None:
    """A line of the table in docs/caching.md."""
    shown = ", ".join(
        f"{name} {number:.3f} ms ({without / number:.0f} times)" for name, number in kept.items()
    )
    print(f"\n{what}: without {without:.3f} ms; {shown}")  # noqa: T201 (the proof's answer)


def test_cache_aside_of_renderings() -> None:
    """A page of 40 KB, from Redis and rendered."""
    text = "## Part\n\nSome *words* with a [link](https://example.org) and `code`.\n\n" * 600
    key = hashlib.sha256(text.encode()).digest()
    without = milliseconds(lambda: render_bounded(text), 5)
    caching.rendering(key, text)
    redis = milliseconds(lambda: caching.rendering(key, text))
    told("A page of 40 KB as HTML", without, redis=redis)
    assert redis * 10 < without


def test_versioned_keys_of_maps_of_rights(client_for: Callable[..., Any]) -> None:
    """A person with 400 grants: in the process, in Redis, in PostgreSQL."""
    world = World(client_for)
    guest = world.client_for()
    assert guest.user is not None
    for number in range(GRANTS):
        world.grant(world.document(f"Page {number}"), guest, "viewer")
    pk = guest.user.pk
    key = AccessKey(user_stamp=1_000_000, group_stamps=0, epoch=1)
    found = access_map_load(pk)
    assert len(found.entries) >= GRANTS

    def from_redis() -> None:
        caching._access_maps.clear_local()
        caching.access_map(pk, key, lambda: access_map_load(pk))

    without = milliseconds(lambda: access_map_load(pk))
    from_redis()
    redis = milliseconds(from_redis)
    process = milliseconds(lambda: caching.access_map(pk, key, lambda: access_map_load(pk)), 300)
    told(f"The map of a person with {GRANTS} grants", without, redis=redis, process=process)
    assert process * 10 < without


def test_timed_refresh_of_rules_and_limits() -> None:
    """What each request would ask PostgreSQL for."""
    limits.policies.get()
    ip_rules.rules.get()
    without = milliseconds(lambda: (limits._load(), ip_rules.index_read(0.0)))
    kept = milliseconds(lambda: (limits.policies.get(), ip_rules.rules.get()), 300)
    told("Rules and limits", without, process=kept)
    assert kept * 10 < without


def test_write_behind_of_last_uses() -> None:
    """A hundred uses of ten sessions, each written at once and all together later."""
    clients = [client_make() for _ in range(10)]
    assert all(client.user for client in clients)
    keys = list(Session.objects.values_list("pk", flat=True))[:10]
    now = timezone.now()

    def at_once() -> None:
        for number in range(100):
            Session.objects.filter(pk=keys[number % len(keys)]).update(last_used_at=now)

    def later() -> None:
        for number in range(100):
            last_uses.add(keys[number % len(keys)], now)
        last_uses.flush()

    without, behind = milliseconds(at_once, 5), milliseconds(later, 5)
    told("A hundred uses of sessions", without, behind=behind)
    assert behind * 10 < without
