"""The committed schema against the application, with all that tests/contract leaves out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from pytest_django import DjangoDbBlocker

from tests.contract.asking import Place, name_again, place_open, schema_ask

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "20"))


@pytest.fixture(scope="module")
def committed() -> Any:
    """All edges of every operation, and requests that are made up."""
    return schema_ask(made_up=EXAMPLES)


schema = schemathesis.pytest.from_fixture("committed")


@pytest.fixture(scope="module")
def place(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Place]:
    """Who asks, and the world they ask in."""
    with place_open(django_db_blocker) as made:
        yield made


@pytest.fixture
def _named(request: pytest.FixtureRequest) -> None:
    name_again(request)


@pytest.mark.usefixtures("_named")
@schema.parametrize()
def test_answers_to_every_case_are_those_of_the_schema(case: schemathesis.Case[Any], place: Any) -> None:
    """Whatever is sent to an operation, its answer is one that the schema tells."""
    place.ask(case)
