"""Clients at the HTTP edge: whole requests through every middleware, signed in by a real session."""

from __future__ import annotations

import copy
import enum
import json
import math
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.factors import PASSWORD
from accounts.models import User
from accounts.services import Credentials
from accounts.services.sessions import session_create
from cloudscribe.lib.breaker import redis_breaker
from documents.caching import audited_rooms
from security import read_only
from security.ip_rules import RuleIndex, rules
from security.limits import policies
from security.read_only import Standing, standing
from tests.accounts.factories import user_make
from tests.rolled_back import forget, transaction_of_many_tests

BASE = "/api/v1/"
# Fixtures of tests whose rows are committed, as they are with `django_db(transaction=True)`.
COMMITTING = {"transactional_db", "live_server"}
Made = TypeVar("Made")

# Without timers a request loads limits and IP rules anew when they are two seconds old. A test that counts
# statements or changes them must not depend on how long that takes here; the latter has them forgotten.
policies._every = rules._every = audited_rooms._every = standing._every = read_only.FRESH = math.inf
# Who asks whether jobs wait is told what holds now.
read_only.ASK_AGAIN = 0.0
# Nor on which test reads the first document: no workspace wants that on record but a test's own.
audited_rooms._value, audited_rooms._loaded_at = frozenset(), math.inf
_NO_RULES, _NOT_FROZEN = RuleIndex(), Standing(None, "", 0.0)


class ApiClient:
    """Speaks JSON with the API; paths are below /api/v1/ unless they begin with a slash."""

    def __init__(self, token: str | None = None, **meta: Any) -> None:
        self.token = token
        self.meta = meta
        self.user: User | None = None
        self.credentials: Credentials | None = None
        self._client = Client(raise_request_exception=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> ApiClient:
        """The same person with the same session and cookies."""
        twin = ApiClient(self.token, **self.meta)
        twin.user, twin.credentials, twin._client.cookies = copy.deepcopy(
            (self.user, self.credentials, self._client.cookies), memo
        )
        return twin

    def call(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> Any:
        """The answer; `answer.json()` is its body. `headers` are HTTP header names with underscores."""
        content = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        kind = sent.pop("Content-Type", "application/json")
        address = path if path.startswith(("/", "http")) else BASE + path
        return self._client.generic(method, address, content, kind, headers=sent, **self.meta)

    def get(self, path: str, **headers: Any) -> Any:
        """GET."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: Any) -> Any:
        """POST."""
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: Any) -> Any:
        """PUT."""
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: Any) -> Any:
        """PATCH."""
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: Any) -> Any:
        """DELETE."""
        return self.call("DELETE", path, **headers)


class Begins(enum.IntEnum):
    """What a test finds in the database, in the order in which those of a file run."""

    EMPTY = 0
    AS_MADE = 1
    COMMITTING = 2


class Once(Protocol):
    """Takes how something is made, and returns what each test gets it from."""

    def __call__(self, make: Callable[[], Made]) -> Callable[[], Made]:
        """See the fixture `once`."""


@pytest.fixture(autouse=True)
def _closed_breaker() -> None:
    """Redis that was gone in one test is tried again in the next."""
    redis_breaker.succeeded()


@pytest.fixture(autouse=True)
def _open() -> None:
    """Nobody is kept out and all may write, without asking a database that the test may not have.

    `own_rules` reads the rules.
    """
    rules._value, standing._value = _NO_RULES, _NOT_FROZEN


@pytest.fixture
def own_rules() -> Iterator[None]:
    """IP rules and limits as the test's own rows say, and nothing of them for the next one."""
    rules.forget()
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def anonymous(db: None) -> ApiClient:
    """A client that nobody signed in."""
    return ApiClient()


def client_make(user: User | None = None, **meta: Any) -> ApiClient:
    """A client with a session of the user, or of a new member where none is given.

    It is made as a sign-in makes it, once the password was right. Limits and rules are read by now, as by a
    sign-in: else the first request of a process, whoever's it is, would have more statements than the others.
    """
    rules.get()
    policies.get()
    standing.get()
    user = user or user_make()
    with transaction.atomic(savepoint=False):
        row = User.objects.annotate(clock=Now()).get(pk=user.pk)
        found = session_create(
            user=row, factors=[PASSWORD], address=meta.get("REMOTE_ADDR", "127.0.0.1"), device="tests"
        )
    client = ApiClient(found.access, **meta)
    client.user, client.credentials = user, found
    return client


@pytest.fixture
def client_for(db: None) -> Callable[..., ApiClient]:
    """Makes a client signed in as the user, or as a new member where none is given."""
    return client_make


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tell `begins` of each test: pytest ends what was made upon one before a test that begins otherwise."""
    mark = metafunc.definition.get_closest_marker("django_db")
    if COMMITTING.intersection(metafunc.fixturenames) or (mark and mark.kwargs.get("transaction")):
        how = Begins.COMMITTING
    else:
        how = Begins.AS_MADE if {"for_all_tests", "once"} & {*metafunc.fixturenames} else Begins.EMPTY
    metafunc.parametrize("begins", [how], ids=[pytest.HIDDEN_PARAM], indirect=True, scope="module")


@pytest.fixture(scope="module", autouse=True)
def begins(request: pytest.FixtureRequest) -> Begins:
    """How the tests that come next begin; those of a file that begin alike follow each other."""
    return Begins(request.param)


@pytest.fixture(scope="module")
def for_all_tests(
    begins: Begins, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """For fixtures whose rows stay over all tests of a file that ask for them, and are seen by no other.

    A test that commits would wait for the locks of such rows, without end.
    """
    assert begins is Begins.AS_MADE
    with transaction_of_many_tests(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def once(begins: Begins, request: pytest.FixtureRequest) -> Once:
    """Makes what tests of a file begin with once for all of them, and anew for each that commits its rows.

    Each gets a copy: what it does to the objects is no other's business, and `as_made` sees to the rows.
    """
    if begins is Begins.COMMITTING:
        return lambda make: make
    request.getfixturevalue("for_all_tests")

    def keep(make: Callable[[], Made]) -> Callable[[], Made]:
        made = make()
        forget()
        return lambda: copy.deepcopy(made)

    return keep


@pytest.fixture
def as_made(db: None) -> Iterator[None]:
    """What a test changes of such rows goes with its own transaction, and what was cached of them too."""
    yield
    forget()
