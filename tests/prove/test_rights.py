"""Rights at length: random operations against the oracle, and the counterfactual of every explanation."""

from __future__ import annotations

import collections
import random
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from tests.documents.counterfactual import counterfactual_check
from tests.documents.play import OPERATIONS, Play

_A_PLAY = 200
_PAIRS_A_TREE = 250
_COMPARISONS = 10_000


def _played(act: Callable[[Play, random.Random], None], seed: int) -> None:
    """A play of its own, of which nothing stays."""
    with transaction.atomic():
        play, chance = Play(), random.Random(seed)
        play.begin(chance)
        act(play, chance)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_everybody_sees_what_the_oracle_says(request: pytest.FixtureRequest) -> None:
    """After each operation, or after each so many where there are more than ten thousand."""
    wanted = request.config.getoption("--operations")
    every = 1 + (wanted - 1) // _COMPARISONS
    done: collections.Counter[bool] = collections.Counter()

    def act(play: Play, chance: random.Random) -> None:
        for number in range(_A_PLAY):
            done[play.operate(chance.choice(OPERATIONS), chance) is None] += 1
            if number % every == 0:
                play.compare(chance, 3)
        play.compare(chance)

    for seed in range(-(-wanted // _A_PLAY)):
        _played(act, seed)
    print(f"\n{done.total()} operations, {done[False]} of them refused")  # noqa: T201
    assert done[True] > wanted / 2


@pytest.mark.django_db
def test_explain_is_counterfactual(request: pytest.FixtureRequest) -> None:
    """On random trees: the grant that is named counts, the one that is needed suffices."""
    wanted = request.config.getoption("--pairs")
    verdicts: collections.Counter[str] = collections.Counter()

    def act(play: Play, chance: random.Random) -> None:
        for _ in range(40):
            play.operate(chance.choice(OPERATIONS), chance)
        verdicts.update(counterfactual_check(play, chance, _PAIRS_A_TREE))

    for seed in range(-(-wanted // _PAIRS_A_TREE)):
        _played(act, seed)
    print(f"\n{dict(verdicts)}")  # noqa: T201
    assert min(verdicts.values()) > wanted / 10
