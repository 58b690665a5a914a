"""Every route that creates, under an Idempotency-Key: sent again it creates nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from pytest_django import DjangoDbBlocker

from tests.permissions.table import ACTORS, TABLE, Level, Row
from tests.permissions.test_table import Stage
from tests.rolled_back import transaction_of_many_tests, undone

pytestmark = pytest.mark.slow
CREATED = {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}
CREATING = [
    row
    for row in TABLE
    if row.method == "POST" and row.level is not Level.PUBLIC and CREATED.intersection(row.answers)
]


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """One for all rows, whose people send the same key with everything."""
    with transaction_of_many_tests(django_db_blocker):
        made = Stage()
        for client in made.clients.values():
            client.meta = {**client.meta, "HTTP_IDEMPOTENCY_KEY": "7f0d3c1e-0000-4000-8000-000000000001"}
        yield made


@pytest.mark.parametrize("row", CREATING, ids=lambda row: row.name)
def test_creation_sent_again_is_answered_from_memory(stage: Stage, row: Row) -> None:
    """Byte for byte, and the answer says that it is the first one's."""
    actor = next(name for name, status in zip(ACTORS, row.answers, strict=True) if status in CREATED)
    with undone():
        stage.prepare(row.setup)
        first, again = (stage.answer(row, actor) for _ in range(2))
    assert (first.status_code, again.status_code) == (first.status_code, first.status_code)
    assert first.status_code in CREATED
    assert again.headers.get("Idempotency-Replayed") == "true"
    assert again.content == first.content
