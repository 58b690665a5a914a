"""The archive of all that is a person's: accounts' files and, through a port, those of the floor above."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from django.db.models import F, Model, QuerySet

from accounts.actors import person_pk
from accounts.models import (
    Identity,
    Notification,
    NotificationPreference,
    Passkey,
    Session,
    Team,
    TeamManager,
    Token,
    User,
)
from accounts.ports import exports
from accounts.roles import roles_of
from audit.models import Event
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.renderers import dump_json

EXPORT_NAME = "cloudscribe-export.zip"
_BATCH = 500

Pieces = Iterable[bytes]

# Only what is named goes into the archive: a column that comes later, a secret say, stays out of it.
_TABLES: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "identities.json": (Identity, ("issuer", "subject", "email", "created_at", "last_used_at")),
    "notification-preferences.json": (NotificationPreference, ("kind", "channel", "updated_at")),
    "notifications.json": (
        Notification,
        ("kind", "actor_uid", "target_type", "target_uid", "workspace_uid", "created_at", "read_at"),
    ),
    "passkeys.json": (Passkey, ("name", "created_at", "last_used_at")),
    "sessions.json": (
        Session,
        (
            *("kind", "device", "address", "factors"),
            *("created_at", "last_used_at", "expires_at", "revoked_at", "revoked_reason"),
        ),
    ),
    "tokens.json": (
        Token,
        (
            *("name", "scopes", "workspace_uid", "document_uid", "cidrs"),
            *("created_at", "expires_at", "last_used_at", "last_used_address", "revoked_at"),
        ),
    ),
}


def export_write(*, actor: Actor, archive: BinaryIO, progress: Callable[[int, int], None]) -> None:
    """Write the zip archive of what is the actor's into a file, piece by piece.

    `progress` is told how many files are written and how many there will be about, and may raise to stop.
    """
    total = exports.ask.count(actor) + len(_TABLES)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for number, (name, pieces) in enumerate(_parts(actor), 1):
            _entry_write(made, name, pieces, actor.now)
            progress(number, max(number, total))


def _entry_write(made: zipfile.ZipFile, name: str, pieces: Pieces, at: dt.datetime) -> None:
    entry = zipfile.ZipInfo(name, at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    with made.open(entry, "w", force_zip64=True) as file:
        for piece in pieces:
            file.write(piece)


def json_list(rows: Iterable[Any]) -> Iterator[bytes]:
    """A JSON array of any length, in pieces: one row a line."""
    before = b"["
    for row in rows:
        yield before + b"\n" + dump_json(row)
        before = b","
    yield b"[]\n" if before == b"[" else b"\n]\n"


def _parts(actor: Actor) -> Iterator[tuple[str, Pieces]]:
    user = User.objects.get(pk=person_pk(actor))
    yield "profile.json", [dump_json(_profile(user)), b"\n"]
    for name, (model, columns) in _TABLES.items():
        rows = model._default_manager.filter(user=user)  # noqa: SLF001 (tables of different models)
        yield name, json_list(_batched(rows, columns))
    yield "teams.json", json_list(_teams(user))
    yield "events.json", json_list(_events(user))
    yield from exports.ask.parts(actor)


def _profile(user: User) -> dict[str, Any]:
    return {
        "id": user.uid,
        "email": user.email,
        "email_verified_at": user.email_verified_at,
        "name": user.name,
        "locale": user.locale,
        "timezone": user.timezone,
        "roles": roles_of(user),
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def _batched(rows: QuerySet[Any], columns: tuple[str, ...], key: str = "pk") -> Iterator[dict[str, Any]]:
    """The columns of all rows, in the order of the key, some at a time: nothing is held open meanwhile."""
    last = 0
    while batch := list(rows.filter(**{f"{key}__gt": last}).order_by(key).values(key, *columns)[:_BATCH]):
        last = batch[-1][key]
        for row in batch:
            yield {name: row[name] for name in columns}


def _teams(user: User) -> Iterator[dict[str, Any]]:
    managed = set(TeamManager.objects.filter(user=user).values_list("team_id", flat=True))
    for team in Team.objects.filter(group__user=user).order_by("pk"):
        yield {"id": team.uid, "name": team.name, "manager": team.pk in managed}


def _events(user: User) -> Iterator[dict[str, Any]]:
    """What they did. The names of what they did it to are left out: some they may not see any more."""
    rows = Event.objects.filter(actor_uid=user.uid).annotate(address=F("detail__address"))
    columns = ("sequence", "at", "action", "target_type", "target_uid", "workspace_uid", "address")
    return _batched(rows, columns, "sequence")
