"""What is cached never reaches somebody it isn't for, whatever Redis holds, forgets or brings back."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.db import connection

from documents import caching
from tests.documents.api.test_editing_races import at_once
from tests.documents.world import World
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)

THREADS, EACH = 10, 20

Seen = tuple[int, Any, tuple[str, ...]]


@pytest.fixture
def store() -> redis.Redis:
    """What lies behind the cache."""
    return redis.Redis.from_url(os.environ["REDIS_URL"])


class Place:
    """A document that three people see as much of as their roles let them, and a stranger nothing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.document = world.document("Plan", content="# Plan\n\nFor *us* alone.\n")
        self.people: list[ApiClient] = [world.owner, world.member("viewer"), world.client_for()]
        guest = world.client_for()
        self.grant = world.grant(self.document, guest, "commenter")["id"]
        self.guest = guest
        self.people.append(guest)

    def seen_by(self, person: ApiClient) -> Seen:
        """What three URLs show: the document with what one may do, its page, the list."""
        document = person.get(f"documents/{self.document}/")
        page = person.get(f"documents/{self.document}/html/")
        titles = tuple(row["title"] for row in person.get("documents/").json()["results"])
        return document.status_code, (document.json().get("abilities"), page.json().get("html")), titles

    def alone(self) -> list[Seen]:
        """What each sees while nothing is cached."""
        found = []
        for person in self.people:
            forget()
            found.append(self.seen_by(person))
        return found


def forget() -> None:
    """Be a process that has just been started, beside a Redis of the same age."""
    caching._access_maps.clear_local()
    caching._shares.clear_local()
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()


@pytest.fixture
def place(world: World) -> Place:
    """The document and its people."""
    return Place(world)


def test_people_who_alternate_on_one_address_see_their_own(place: Place) -> None:
    """Also while the caches are warm by what the other was shown a moment before."""
    expected = place.alone()
    assert [status for status, *_ in expected] == [200, 200, 404, 200]
    assert len({str(seen) for seen in expected}) == 4
    for _ in range(5):
        assert [place.seen_by(person) for person in place.people] == expected


@pytest.mark.slow
def test_two_hundred_in_parallel_see_their_own(place: Place) -> None:
    """Ten threads of one process, every second look beside an emptied cache."""
    expected = place.alone()
    order = random.Random(20)

    def look(number: int) -> Callable[[], list[bool]]:
        turns = [(number + turn) % len(place.people) for turn in range(EACH)]
        order.shuffle(turns)

        def run() -> list[bool]:
            found = []
            for turn, who in enumerate(turns):
                if number == 0 and turn % 2:
                    forget()
                found.append(place.seen_by(place.people[who]) == expected[who])
            return found

        return run

    results = at_once([look(number) for number in range(THREADS)])
    connection.close()
    assert [sum(found) for found in results] == [EACH] * THREADS


def test_redis_that_comes_back_from_yesterday_gives_no_right_back(place: Place, store: redis.Redis) -> None:
    """All that it held before a right was taken is there again, and the right is not."""
    assert place.seen_by(place.guest)[0] == 200
    yesterday = {key: store.dump(key) for key in store.keys("*access*")}
    assert yesterday
    assert place.world.owner.delete(f"documents/{place.document}/grants/{place.grant}/").status_code == 204
    forget()
    for key, held in yesterday.items():
        store.restore(key, 0, held)  # type: ignore[arg-type]
    assert place.seen_by(place.guest) == (404, (None, None), ())


def test_redis_that_evicts_after_every_call_changes_nothing(place: Place, store: redis.Redis) -> None:
    """What it let go of is made again."""
    expected = place.alone()
    for person, seen in zip(place.people, expected, strict=True):
        for path in (f"documents/{place.document}/", f"documents/{place.document}/html/", "documents/"):
            store.flushall()
            person.get(path)
        store.flushall()
        assert place.seen_by(person) == seen


@pytest.mark.parametrize("state", ["redis_gone", "redis_hung"])
def test_redis_that_does_not_answer_changes_nothing(
    place: Place, state: str, request: pytest.FixtureRequest
) -> None:
    """Neither for who was seen before nor for a process that starts without it."""
    expected = [place.seen_by(person) for person in place.people]
    request.getfixturevalue(state)
    assert [place.seen_by(person) for person in place.people] == expected
    caching._access_maps.clear_local()
    assert [place.seen_by(person) for person in place.people] == expected
