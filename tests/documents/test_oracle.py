"""Rights against the oracle: after any operations everybody sees just what brute force says that they see."""

from __future__ import annotations

import random

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.documents.comparing import compare
from tests.documents.counterfactual import counterfactual_check
from tests.documents.play import OPERATIONS, Play

# Drawn by hypothesis itself most choices would be the first ones.
_SEEDS = st.integers(0, 2**32)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


class Anything(RuleBasedStateMachine):
    """A play in a transaction of its own, of which nothing stays."""

    sample: int | None = 4

    @initialize(seed=_SEEDS)
    def begin(self, seed: int) -> None:
        """The curtain."""
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.play = Play()
        self.play.begin(random.Random(seed))

    @rule(name=st.sampled_from(OPERATIONS), seed=_SEEDS)
    def operate(self, name: str, seed: int) -> None:
        """Somebody does something, or is refused; everybody sees what they should."""
        chance = random.Random(seed)
        self.play.operate(name, chance)
        compare(self.play, chance, self.sample)

    def teardown(self) -> None:
        """What was put off to the commit is asked for, then all of it goes."""
        if hasattr(self, "transaction"):
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)


def test_everybody_sees_what_the_oracle_says() -> None:
    """List, count, search, tree, detail and `access/`, after each of some operations."""
    few = settings(
        max_examples=3,
        stateful_step_count=10,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Anything, settings=few)  # type: ignore[no-untyped-call]


def test_explain_is_counterfactual() -> None:
    """The grant that is named is the one that counts; the one that is needed suffices."""
    chance, play = random.Random(9), Play()
    play.begin(chance)
    for _ in range(10):
        play.operate(chance.choice(OPERATIONS), chance)
    verdicts = counterfactual_check(play, chance, pairs=40)
    assert verdicts["allowed"] > 5
    assert verdicts["denied"] > 5
