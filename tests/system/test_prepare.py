"""`manage.py prepare`: each half of it as the database role that it is for."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from cloudscribe.lib.connections import database_config
from cloudscribe.lib.embedded.postgres import APP_ROLE, OWNER_ROLE
from cloudscribe.management import alone
from cloudscribe.management.commands import prepare
from tests.conftest import SERVERS


@pytest.fixture
def as_owner(transactional_db: None) -> Iterator[None]:
    """The connection as manage.py gives it to this command."""
    usual = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(database_config(os.environ["DATABASE_OWNER_URL"], "command"))
    yield
    connection.close()
    connection.settings_dict.update(usual)


def test_prepare_migrates_as_owner_and_bootstraps_as_the_application(
    as_owner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who owns the audit trail could alter it: only the schema is that role's business."""
    seen: list[tuple[str, str]] = []

    def note(command: str, **options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            seen.append((command, cursor.fetchone()[0]))

    monkeypatch.setattr(prepare, "call_command", note)
    call_command("prepare")
    assert seen == [("migrate", OWNER_ROLE), ("bootstrap", APP_ROLE)]


@pytest.mark.parametrize("command", ["migrate", "bootstrap"])
def test_whoever_prepares_waits_for_whoever_already_does(
    command: str, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two migrations at once would make the same table; two bootstraps the same administrator."""
    waits: list[float] = []
    with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('cloudscribe.prepare', 0))")

        def leave(seconds: float) -> None:
            waits.append(seconds)
            other.execute("SELECT pg_advisory_unlock_all()")

        monkeypatch.setattr(alone.time, "sleep", leave)
        said = io.StringIO()
        call_command(command, stdout=io.StringIO(), stderr=said)
    assert (len(waits), said.getvalue().count("waits for it")) == (1, 1)


def test_a_look_at_what_is_due_waits_for_nobody(transactional_db: None) -> None:
    """It changes nothing, and health checks ask it."""
    with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('cloudscribe.prepare', 0))")
        said = io.StringIO()
        call_command("migrate", "--plan", stdout=said)
    assert "No planned migration operations" in said.getvalue()
