"""The committed schema against the application: no 5xx and no answer that it doesn't tell.

schemathesis makes requests of every operation, right and wrong ones, and judges each answer by the schema.
tests/prove asks more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from pytest_django import DjangoDbBlocker

from tests.contract.asking import Place, name_again, place_open, schema_ask

# Edge by edge it comes to 9,500 requests, most of them one more wrong type for one more parameter.
EVERY, SHARE = 10, 3


@pytest.fixture(scope="module")
def committed() -> Any:
    """All edges of every operation."""
    return schema_ask(made_up=0)


# By way of a fixture, because the cases are made where they are run and not in every process.
schema = schemathesis.pytest.from_fixture("committed")


@pytest.fixture(scope="module")
def place(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Place]:
    """Who asks, and the world they ask in."""
    with place_open(django_db_blocker) as made:
        yield made


@pytest.fixture
def _named(request: pytest.FixtureRequest) -> None:
    name_again(request)


@pytest.mark.slow
@pytest.mark.usefixtures("_named")
@schema.parametrize()
def test_answers_are_those_of_the_schema(case: schemathesis.Case[Any], place: Any) -> None:
    """Whatever kind of thing is sent to an operation, its answer is one that the schema tells."""
    if place.is_news(case, EVERY, SHARE):
        place.ask(case)
