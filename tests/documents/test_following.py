"""A client that starts empty and follows only the feed holds what a fresh walk shows, after each step."""

from __future__ import annotations

import random

import pytest

from cloudscribe.lib.actor import Limit
from documents.models import Document
from tests.documents.following import STEPS, FollowedPlay, Follower, differences

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_followers_hold_what_a_walk_shows() -> None:
    """Twenty people, some of them reading now and then, in pages of a few entries and of many."""
    chance = random.Random(1)
    play = FollowedPlay(20)
    play.begin(chance)
    followers = [Follower(person) for person in play.people]
    for _ in range(30):
        name = chance.choice(STEPS)
        play.operate(name, chance)
        reading = followers if chance.random() < 0.1 else chance.sample(followers, 5)
        for follower in reading:
            follower.follow(play.actor(follower.person), chance.choice([1, 3, 50]))
        assert differences(play, reading) == [], name


def test_narrowed_followers_hold_their_part() -> None:
    """One workspace of the feed, and tokens that are cut to a workspace or a subtree."""
    chance = random.Random(3)
    play = FollowedPlay(6)
    play.begin(chance)
    roots = list(Document.objects.filter(children__isnull=False).order_by("pk")[:1])
    followers = [
        *(Follower(person, room=play.rooms[0]) for person in play.people),
        *(Follower(person, Limit(workspace_pk=play.rooms[1].pk)) for person in play.people),
        *(Follower(person, Limit(document_pk=root.pk)) for root in roots for person in play.people),
    ]
    for _ in range(30):
        name = chance.choice([step for step in STEPS if step != "room_delete"])
        play.operate(name, chance)
        reading = chance.sample(followers, 6)
        for follower in reading:
            follower.follow(play.actor(follower.person), chance.choice([1, 50]))
        assert differences(play, reading) == [], name
