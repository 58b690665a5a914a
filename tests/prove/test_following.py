"""Followers of the change feed at length: whoever reads now and then holds what a fresh walk shows."""

from __future__ import annotations

import collections
import random

import pytest

from tests.documents.following import STEPS, FollowedPlay, Follower, differences

_PARTS = 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", range(_PARTS))
def test_followers_hold_what_a_walk_shows(request: pytest.FixtureRequest, part: int) -> None:
    """Twenty people, random steps, pages of any size; each step is followed by some, every tenth by all."""
    chance, play = random.Random(11 + part + request.config.getoption("--seed")), FollowedPlay(20)
    play.most = 60
    play.begin(chance)
    followers = [Follower(person) for person in play.people]
    done: collections.Counter[str] = collections.Counter()
    wanted = request.config.getoption("--steps") // _PARTS
    for number in range(wanted):
        name = chance.choice(STEPS)
        done[name] += play.operate(name, chance) is None
        reading = followers if number % 10 == 9 else chance.sample(followers, 4)
        for follower in reading:
            follower.follow(play.actor(follower.person), chance.choice([1, 2, 5, 200]))
        assert differences(play, reading) == [], (number, name)
    # Many are refused, as whoever tries is anybody.
    assert done.total() > wanted // 4, done
