"""Followers of the change feed at length: whoever reads now and then holds what a fresh walk shows."""

from __future__ import annotations

import collections
import random

import pytest

from tests.documents.following import STEPS, FollowedPlay, Follower, differences


@pytest.mark.django_db(transaction=True)
def test_followers_hold_what_a_walk_shows(request: pytest.FixtureRequest) -> None:
    """Twenty people, random steps, pages of any size; each step is followed by some, every tenth by all."""
    chance, play = random.Random(11), FollowedPlay(20)
    play.most = 60
    play.begin(chance)
    followers = [Follower(person) for person in play.people]
    done: collections.Counter[str] = collections.Counter()
    wanted = request.config.getoption("--operations")
    for number in range(wanted):
        name = chance.choice(STEPS)
        done[name] += play.operate(name, chance) is None
        reading = followers if number % 10 == 9 else chance.sample(followers, 4)
        for follower in reading:
            follower.follow(play.actor(follower.person), chance.choice([1, 2, 5, 200]))
        assert differences(play, reading) == [], (number, name)
    # Many are refused, as whoever tries is anybody.
    assert done.total() > wanted // 4, done
