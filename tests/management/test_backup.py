"""What `backup` says of how it is used; tests/system has it and `restore` at work."""

from __future__ import annotations

import io
import pathlib

import pytest
from django.core.management import call_command

from audit.models import Event
from cloudscribe.lib.backups import database
from cloudscribe.lib.commands import FoundWrong, UsageError

pytestmark = pytest.mark.django_db


def backup(path: pathlib.Path) -> None:
    """The command."""
    call_command("backup", path, stdout=io.StringIO(), stderr=io.StringIO())


def test_backup_overwrites_nothing(tmp_path: pathlib.Path) -> None:
    """What lies at the place stays."""
    path = tmp_path / "there"
    path.write_text("another's")
    with pytest.raises(UsageError, match="is there already"):
        backup(path)
    assert path.read_text() == "another's"


def test_backup_needs_a_folder(tmp_path: pathlib.Path) -> None:
    """It makes none."""
    with pytest.raises(UsageError, match="no folder"):
        backup(tmp_path / "none" / "b")


def test_backup_that_fails_leaves_nothing_and_no_record(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has a copy."""
    monkeypatch.setattr(database, "_DUMP", ("--no-such-option",))
    with pytest.raises(FoundWrong, match="pg_dump"):
        backup(tmp_path / "b")
    assert list(tmp_path.iterdir()) == []
    assert not Event.objects.filter(action="database.backed_up").exists()


def test_password_stands_in_no_command_line() -> None:
    """Everybody on the machine sees those."""
    address, environment = database._address("postgres://app:s%20cret@db.example.org/data?sslmode=require")
    assert "cret" not in address
    assert (environment["PGPASSWORD"], "sslmode=require" in address) == ("s cret", True)


def test_programs_older_than_the_server_are_not_taken(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They refuse a newer server's dump, or read it wrongly."""
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho pg_dump 9.6\n")
    old.chmod(0o755)
    monkeypatch.setattr(database, "_installed", lambda _name: iter([old]))
    with pytest.raises(FoundWrong, match="or newer is needed"):
        backup(tmp_path / "b")
