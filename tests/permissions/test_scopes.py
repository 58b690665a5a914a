"""Every route of the permission table under personal access tokens: its own scope opens it, no other does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import Token
from accounts.scopes import SCOPES
from accounts.secret_tokens import secret_hash, secret_hint, secret_make
from tests.fixtures import ApiClient
from tests.permissions.table import ACTORS, TABLE, Level, Row
from tests.permissions.test_table import Stage
from tests.rolled_back import transaction_of_many_tests, undone
from tests.sweeps import WHOLE

# The routes as in the table of permissions, twice more.
pytestmark = pytest.mark.slow

SIGNED_IN = ACTORS[1:]
SCOPED = [row for row in TABLE if row.scope]
PAIRS = {(row.scope, row.too) for row in SCOPED if row.scope and row.too}
SESSIONS_ONLY = [row for row in TABLE if not row.scope and row.level is not Level.PUBLIC]


def asking(row: Row) -> dict[str, int]:
    """Who asks, with what their session gets: one for each of a row's answers, all in the whole sweep."""
    answers = dict(zip(SIGNED_IN, row.answers[1:], strict=True))
    if WHOLE:
        return answers
    one_of_each = {status: actor for actor, status in answers.items()}
    return {actor: status for status, actor in one_of_each.items()}


class Cuts(Stage):
    """The stage with tokens: by actor one of each scope, one of all but that, and one of all."""

    def __init__(self) -> None:
        super().__init__()
        rows = []
        for actor in SIGNED_IN:
            user = self.clients[actor].user
            for name, scopes in {
                **{f"only {scope}": [scope] for scope in SCOPES},
                **{f"all but {scope}": sorted(SCOPES.keys() - {scope}) for scope in SCOPES},
                **{f"only {' '.join(pair)}": list(pair) for pair in PAIRS},
                "all": list(SCOPES),
            }.items():
                secret = secret_make()
                self.clients[f"{actor} {name}"] = ApiClient(secret)
                rows.append(self._token(user, secret, scopes))
        Token.objects.bulk_create(rows)

    def _token(self, user: Any, secret: str, scopes: list[str]) -> Token:
        return Token(
            user=user,
            name="Token",
            hint=secret_hint(secret),
            secret_hash=secret_hash(secret),
            scopes=scopes,
            expires_at=timezone.now() + dt.timedelta(days=30),
        )

    def refusals(self, row: Row, cut: str) -> set[tuple[Any, ...]]:
        """Status, code and named scope of what the token of that cut of each who asks is answered.

        What is refused has changed nothing: all of them stand before the same world.
        """
        found = set()
        for actor in asking(row):
            answer = self.answer(row, f"{actor} {cut}")
            body = answer.json() if answer.content else {}
            found.add((answer.status_code, body.get("code"), body.get("scope")))
        return found


@pytest.fixture(scope="module")
def cuts(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cuts]:
    """One for all rows: nothing of a row stays."""
    with transaction_of_many_tests(django_db_blocker):
        yield Cuts()


@pytest.mark.parametrize("row", SCOPED, ids=lambda row: row.name)
def test_own_scope_opens_a_row_as_a_session_does(cuts: Cuts, row: Row) -> None:
    """A token of exactly what the row needs gets what its person's session gets."""
    with undone():
        cuts.prepare(row.setup)
        scopes = " ".join(filter(None, (row.scope, row.too)))
        answers = {actor: cuts.call(row, f"{actor} only {scopes}") for actor in asking(row)}
    assert answers == asking(row)


@pytest.mark.parametrize("row", SCOPED, ids=lambda row: row.name)
def test_other_scopes_leave_a_row_shut(cuts: Cuts, row: Row) -> None:
    """A token of all other scopes, and so of each, is refused, whoever has it; the missing one is named."""
    with undone():
        cuts.prepare(row.setup)
        assert cuts.refusals(row, f"all but {row.scope}") == {(403, "missing_scope", row.scope)}


@pytest.mark.parametrize("row", SESSIONS_ONLY, ids=lambda row: row.name)
def test_row_without_a_scope_is_shut_to_tokens(cuts: Cuts, row: Row) -> None:
    """What names no scope is for sessions alone, however many scopes a token has."""
    with undone():
        assert cuts.refusals(row, "all") == {(403, "missing_scope", None)}


def test_scopes_are_those_that_routes_ask_for() -> None:
    """No token can be cut to what opens nothing, and nothing asks for what no token can have."""
    assert set(SCOPES) == {row.scope for row in SCOPED}
