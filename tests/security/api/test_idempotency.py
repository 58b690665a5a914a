"""Idempotency-Key on creating requests."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from documents.models import Workspace
from security.models import IdempotencyKey
from security.services import idempotency_keys_purge
from tests.accounts.factories import user_make
from tests.fixtures import ApiClient

KEY = {"Idempotency-Key": "7f0d3c1e-0000-4000-8000-000000000001"}


def create(client: Any, name: str = "Notes", **headers: str) -> Any:
    """A workspace, asked for with the key."""
    return client.post("workspaces/", {"name": name}, **{**KEY, **headers})


def test_key_again_gives_the_first_answer(client_for: Any) -> None:
    """The same request with the same key creates once and is answered alike, byte for byte."""
    client = client_for()
    first, again = create(client), create(client)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Workspace.objects.count() == 1


def test_key_with_another_body_is_422(client_for: Any) -> None:
    """A key belongs to its request."""
    client = client_for()
    create(client)
    answer = create(client, "Other notes")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Workspace.objects.count() == 1


def test_key_of_somebody_else_is_another_key(client_for: Any) -> None:
    """Keys are per person: nobody gets at another's answer by guessing the key."""
    first, other = create(client_for()), create(client_for())
    assert other.status_code == 201
    assert other.json()["id"] != first.json()["id"]


def test_key_of_a_refused_creation_is_not_used_up(client_for: Any) -> None:
    """A refusal leaves nothing behind."""
    client = client_for()
    assert create(client, "").status_code == 400
    assert not IdempotencyKey.objects.exists()
    assert create(client).status_code == 201


def test_key_replay_passes_sign_in_and_permission(client_for: Any, anonymous: Any) -> None:
    """A replay is an answer like any other: 401 for nobody, 403 for whom the right was taken from."""
    user = user_make()
    client = client_for(user)
    create(client)
    assert create(anonymous).status_code == 401
    user.groups.clear()
    assert create(client).status_code == 403


def test_key_replay_of_a_hidden_object_is_404(client_for: Any) -> None:
    """What the actor may no longer see isn't shown out of the drawer."""
    user = user_make()
    client = client_for(user)
    assert create(client).status_code == 201
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM documents_workspaceuserpermission")
    answer = create(client)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_key_ends_after_a_day(client_for: Any) -> None:
    """After 24 hours a key is new again, and the purge takes it away."""
    client = client_for()
    create(client)
    IdempotencyKey.objects.update(expires_at=F("expires_at") - dt.timedelta(hours=25))
    assert create(client).status_code == 201
    assert Workspace.objects.count() == 2
    assert IdempotencyKey.objects.count() == 1
    IdempotencyKey.objects.update(expires_at=F("expires_at") - dt.timedelta(hours=25))
    assert idempotency_keys_purge() == 1


def test_key_row_shows_neither_key_nor_answer(client_for: Any) -> None:
    """Whoever reads the table alone learns nothing of the body."""
    create(client_for(), "Very secret plans")
    row = IdempotencyKey.objects.get()
    assert b"secret plans" not in bytes(row.body)
    assert KEY["Idempotency-Key"] not in str(row.__dict__)


@pytest.mark.parametrize("key", [" ", "x" * 256, "tab\tin", "\u00e9"])
def test_key_that_is_none_is_400(client_for: Any, key: str) -> None:
    """A key that can't be kept is refused before anything happens."""
    answer = create(client_for(), **{"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
    assert not Workspace.objects.exists()


def test_key_is_ignored_where_nothing_is_created(client_for: Any) -> None:
    """Signing out twice with one key is signing out."""
    client = client_for()
    assert client.post("auth/logout/", **KEY).status_code == 204
    assert not IdempotencyKey.objects.exists()


@pytest.mark.usefixtures("redis_gone")
def test_key_needs_no_redis(client_for: Any) -> None:
    """Keys lie in PostgreSQL."""
    client = client_for()
    assert create(client).content == create(client).content


@pytest.mark.django_db(transaction=True)
def test_key_many_at_once_create_one(client_for: Callable[..., ApiClient]) -> None:
    """Of many at the same time one creates; the others get its answer or are asked to come again."""
    client = client_for(user_make())
    start = threading.Barrier(8)
    answers: list[Any] = []

    def post() -> None:
        try:
            start.wait(timeout=20)
            answers.append(create(ApiClient(client.token)))
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes <= {"idempotency_key_busy"}
    assert Workspace.objects.count() == 1
