"""`manage.py prepare`: each half of it as the database role that it is for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from cloudscribe.lib.connections import database_config
from cloudscribe.lib.embedded.postgres import APP_ROLE, OWNER_ROLE
from cloudscribe.management.commands import prepare


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
