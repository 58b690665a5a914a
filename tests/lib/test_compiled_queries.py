"""Querysets whose text is built once give what the queryset gives, and nothing of another question."""

from __future__ import annotations

import datetime as dt
import gc
import threading
import uuid
import weakref
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Session, User
from cloudscribe.lib.context import RequestContext, request_context
from cloudscribe.lib.postgresql.base import ask_along, prepared_rows
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from tests.accounts.factories import user_make
from tests.fixtures import client_make

PERMISSION = CompiledQuery(
    lambda codename: Permission.objects.select_related("content_type").filter(codename=codename), codename=str
)
USER = CompiledQuery(lambda uid: User.objects.filter(uid=uid), uid=uuid.UUID)
LOCKED = CompiledQuery(lambda pk: Group.objects.filter(pk=pk).select_for_update(no_key=True), pk=int)


def columns(row: Any) -> dict[str, Any]:
    """What a model holds, its related rows as well."""
    held = {name: value for name, value in row.__dict__.items() if name != "_state"}
    related = row._state.fields_cache.items()
    return {**held, **{name: columns(other) for name, other in related if other is not None}}


@pytest.mark.django_db
def test_rows_are_those_of_the_queryset() -> None:
    """Models with their related rows and the state of what is stored."""
    found = PERMISSION.rows(codename="view_user")
    expected = list(Permission.objects.select_related("content_type").filter(codename="view_user"))
    assert [columns(row) for row in found] == [columns(row) for row in expected] != []
    assert (found[0]._state.adding, found[0]._state.db) == (False, "default")
    assert PERMISSION.rows(codename="no such") == []
    assert PERMISSION.first(codename="no such") is None


@pytest.mark.django_db
def test_first_goes_by_the_order_of_the_queryset() -> None:
    """As it is asked for there."""
    backwards = CompiledQuery(
        lambda app: Permission.objects.filter(content_type__app_label=app).order_by("-codename"), app=str
    )
    codenames = Permission.objects.filter(content_type__app_label="auth").values_list("codename", flat=True)
    found = backwards.first(app="auth")
    assert found is not None
    assert found.codename == max(codenames)


@pytest.mark.django_db
def test_values_of_every_kind() -> None:
    """Each finds its row, also where the value comes as text or as a member of an enumeration."""
    client = client_make()
    user, session = client.user, client.credentials.session  # type: ignore[union-attr]
    assert user is not None
    secret = Session.objects.get(pk=session.pk)
    alive = CompiledQuery(
        lambda user, now, kind: Session.objects.filter(user_id=user, expires_at__gt=now, kind=kind),
        user=int,
        now=dt.datetime,
        kind=str,
    )
    now = timezone.now()
    assert alive.rows(user=user.pk, now=now, kind=Session.Kind.USER) == [secret]
    assert alive.rows(user=user.pk, now=now + dt.timedelta(days=1_000), kind=Session.Kind.USER) == []
    assert USER.first(uid=str(user.uid)) == USER.first(uid=user.uid) == user


@pytest.mark.django_db
def test_values_list_gives_tuples_or_single_values() -> None:
    """As Django's own iterating does."""
    user = user_make()
    pairs = CompiledQuery(lambda pk: User.objects.filter(pk=pk).values_list("uid", "name"), pk=int)
    names = CompiledQuery(lambda pk: User.objects.filter(pk=pk).values_list("name", flat=True), pk=int)
    assert pairs.rows(pk=user.pk) == [(user.uid, user.name)]
    assert names.rows(pk=user.pk) == [user.name]


@pytest.mark.django_db
def test_text_is_built_once_and_each_question_is_one_statement() -> None:
    """Whatever the values; what a row says now is read each time."""
    built: list[object] = []

    def build(pk: int) -> Any:
        built.append(pk)
        return User.objects.filter(pk=pk)

    user, other = user_make(), user_make()
    query = CompiledQuery(build, pk=int)
    with CaptureQueriesContext(connection) as asked:
        assert (query.first(pk=user.pk), query.first(pk=other.pk)) == (user, other)
    assert (len(built), len(asked)) == (1, 2)
    User.objects.filter(pk=user.pk).update(name="Renamed")
    assert query.rows(pk=user.pk)[0].name == "Renamed"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"uid": "nonsense"}, ValueError),
        ({"uid": None}, ValueError),
        ({}, TypeError),
        ({"uid": uuid.uuid4(), "name": "x"}, TypeError),
    ],
)
def test_values_that_are_none(values: dict[str, Any], error: type[Exception]) -> None:
    """Another kind or other names are refused before anything is asked."""
    with CaptureQueriesContext(connection) as asked, pytest.raises(error):
        USER.rows(**values)
    assert len(asked) == 0


@pytest.mark.django_db
def test_value_that_the_query_does_not_use() -> None:
    """It is a mistake of whoever wrote the query."""
    query = CompiledQuery(lambda pk, name: User.objects.filter(pk=pk), pk=int, name=str)
    with pytest.raises(TypeError, match="nothing of name"):
        query.rows(pk=1, name="x")


@pytest.mark.django_db
def test_query_that_fetches_beforehand() -> None:
    """What it would ask besides can't be kept."""
    query = CompiledQuery(lambda pk: User.objects.filter(pk=pk).prefetch_related("groups"), pk=int)
    with pytest.raises(TypeError, match="beforehand"):
        query.rows(pk=1)


@pytest.mark.django_db(transaction=True)
def test_lock_is_held_and_needs_a_transaction() -> None:
    """As with the queryset itself."""
    group = Group.objects.create(name="a group")
    with pytest.raises(transaction.TransactionManagementError):
        LOCKED.first(pk=group.pk)
    parameters = connection.get_connection_params() | {"cursor_factory": None}
    with transaction.atomic(), psycopg.connect(**parameters) as stranger:
        assert LOCKED.first(pk=group.pk) == group
        with pytest.raises(psycopg.errors.LockNotAvailable):
            stranger.execute("SELECT FROM auth_group WHERE id = %s FOR UPDATE NOWAIT", [group.pk])


@pytest.mark.django_db(transaction=True)
def test_thread_that_asked_first_takes_its_connection_with_it() -> None:
    """What is kept of the query is nobody's."""
    query = CompiledQuery(lambda pk: User.objects.filter(pk=pk), pk=int)
    made: list[weakref.ref[Any]] = []

    def ask() -> None:
        assert query.first(pk=1) is None
        made.append(weakref.ref(connection.connection.pgconn))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    gc.collect()
    assert [known() for known in made] == [None]
    assert query.first(pk=1) is None


@pytest.mark.django_db
def test_answer_is_no_garbage() -> None:
    """It is gone with its last use: a body in it would stay until Python looks for what is lost."""
    user = user_make()
    assert USER.first(uid=user.uid) == user
    gc.collect()
    gc.disable()
    try:
        assert USER.first(uid=user.uid) == user
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.django_db
def test_what_was_asked_along_does_not_go_with_it() -> None:
    """Whoever has something read under a lock must not have it read before, by a question in between."""
    user, clock = user_make(), "SELECT clock_timestamp()"
    with request_context(RequestContext("r", route="test")):
        ask_along(clock, [])
        assert USER.first(uid=user.uid) == user
        read = timezone.now()
        assert prepared_rows(clock, [])[0][0] > read
