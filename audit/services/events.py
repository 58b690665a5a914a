"""Writing events: inside the transaction of what they tell, in one round trip."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from django.db import connection, models
from django.db.transaction import TransactionManagementError

from audit.models import Event
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.context import RequestContext, current_context
from cloudscribe.lib.postgresql.base import prepared_rows, sent_along
from cloudscribe.lib.transactions import transactional

Changes = Mapping[str, tuple[Any, Any]]

_RECORD = "SELECT sequence, epoch, xid, at, detail_hash FROM cs_audit_record(%s::jsonb)"
_SALT_BYTES = 16


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """What an event is about: its type, public id and name as of then.

    `log_entry` is the key of django-auditlog's entry where one was made for the same change.
    """

    type: str
    uid: uuid.UUID | None
    name: str
    log_entry: int | None = None

    @classmethod
    def of(cls, type_: str, instance: models.Model, name: str) -> Target:
        """The target for a row with a `uid`, with auditlog's entry of its latest save."""
        return cls(type_, instance.uid, name, getattr(instance, "audit_log_entry", None))  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One event to be written. `actor` None means that nobody was signed in.

    `changes` are field → (before, after): bodies as revision numbers, secrets never; those that are equal are
    left out. `facts` are ids and numbers alone, which survive the erasure of a person. `context` is the
    request at hand unless told.
    """

    actor: Actor | None
    action: str
    target: Target
    workspace_uid: uuid.UUID | None = None
    changes: Changes | None = None
    reason: str = ""
    facts: Mapping[str, Any] | None = None
    count: int = 1
    context: RequestContext | None = None


def event_record(
    *,
    actor: Actor,
    action: str,
    target: Target,
    workspace_uid: uuid.UUID | None = None,
    changes: Changes | None = None,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Event:
    """Write one event, in the transaction of what it tells; see `Entry` for the arguments.

    Raises TransactionManagementError outside a transaction.
    """
    return events_record([Entry(actor, action, target, workspace_uid, changes, reason, facts)])[0]


def events_record(entries: Sequence[Entry]) -> list[Event]:
    """Write any number of events in one round trip, in their order; see `event_record`."""
    _require_transaction()
    if not entries:
        return []
    rows = [entry_row(entry, number) for number, entry in enumerate(entries)]
    stamps = prepared_rows(_RECORD, _parameters(rows))
    return [_event(row, stamp) for row, stamp in zip(rows, stamps, strict=True)]


@contextlib.contextmanager
def event_along(entry: Entry) -> Iterator[None]:
    """Write an event in one round trip with the first prepared statement of the block: what it tells.

    For what is known of a change before it is made, on the paths where a round trip counts. It is written at
    the end of the block where it did not go along, and never where the block fails. Raises
    TransactionManagementError outside a transaction.
    """
    _require_transaction()
    with sent_along(_RECORD, _parameters([entry_row(entry)])):
        yield


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise TransactionManagementError("An event is written in the transaction of what it tells.")


def _parameters(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [orjson.dumps(rows).decode()]


@transactional
def partitions_ensure() -> int:
    """Make the partitions that are due, so that two ranges always lie ahead; how many were made."""
    with connection.cursor() as cursor:
        # Rather wait for the next turn than make writers wait behind this one's wait.
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        cursor.execute("SELECT cs_audit_partitions_ensure()")
        return int(cursor.fetchone()[0])


def entry_row(entry: Entry, number: int = 0) -> dict[str, Any]:
    """An event as `cs_audit_record` takes it, the `number`-th of its call."""
    actor = entry.actor
    context = entry.context or current_context()
    return {
        "n": number,
        "actor_kind": actor.kind.value if actor else "",
        "actor_uid": actor.uid if actor else None,
        "on_behalf_of": actor.on_behalf_of if actor else None,
        "credential_kind": actor.credential_kind.value if actor else "",
        "credential_uid": actor.credential_uid if actor else None,
        "request_id": context.request_id,
        "action": entry.action,
        "target_type": entry.target.type,
        "target_uid": entry.target.uid,
        "workspace_uid": entry.workspace_uid,
        "facts": dict(entry.facts or {}),
        "count": entry.count,
        "log_entry": entry.target.log_entry,
        "salt": secrets.token_hex(_SALT_BYTES),
        "address": context.address or None,
        "body": _body(entry, context),
    }


def _body(entry: Entry, context: RequestContext) -> str:
    """The personal part as the text that is hashed: JSON with sorted keys and no spaces."""
    changes = {
        field: {"before": before, "after": after}
        for field, (before, after) in (entry.changes or {}).items()
        if before != after
    }
    content = {
        "actor": entry.actor.name if entry.actor else "",
        "address": context.address or None,
        "changes": changes,
        "reason": entry.reason,
        "target": entry.target.name,
    }
    return orjson.dumps(content, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z).decode()


def _event(row: dict[str, Any], stamp: tuple[int, int, int, dt.datetime, bytes]) -> Event:
    columns = {name: value for name, value in row.items() if name not in {"n", "salt", "address", "body"}}
    sequence, epoch, xid, at, detail_hash = stamp
    return Event(sequence=sequence, epoch=epoch, xid=xid, at=at, detail_hash=bytes(detail_hash), **columns)
