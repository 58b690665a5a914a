"""Retention: a range of events becomes a file, and leaves the database when that was read and verified."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.db import DatabaseError, connection

from audit.archive_files import BadArchive, archive_check, archive_store, archive_write
from audit.models import Archive, Event, Seal
from audit.selectors.archives import Span, archives_newest
from audit.selectors.tree import seal_newest
from audit.services.events import Entry, Target, entry_row
from audit.showing import hash_shown
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.postgresql.locks import advisory_lock
from cloudscribe.lib.storage import file_remove, temporary_file
from cloudscribe.lib.transactions import sqlstate, transactional

ARCHIVED = "audit.archived"
_REFUSED = {
    "55000": "what is there changed meanwhile",
    "55P03": "somebody reads or writes the trail without a pause",
    "42501": "the database's role may not",
}


class NotArchived(Exception):
    """A range was not archived, and all is as before; the message says why."""


@contextlib.contextmanager
def archiving_alone() -> Iterator[None]:
    """Keep others who archive away as long as this goes on; raises NotArchived where one is at it."""
    with advisory_lock("audit.archive") as held:
        if not held:
            raise NotArchived("somebody else archives at this moment")
        yield


def span_archive(*, actor: Actor, span: Span, progress: Callable[[int], None]) -> Archive:
    """Write a range to a file, verify what the storage gives back, and only then drop it from the database.

    Alone (`archiving_alone`), and by the role that owns the tables. Raises NotArchived where anything is not
    as it should be, StorageFull and StorageUnavailable.
    """
    seal = seal_newest()
    if seal is None:
        raise NotArchived("nothing is sealed")
    if not _may_drop():
        raise NotArchived("the database's role may not drop ranges, which DATABASE_OWNER_URL must name")
    inside = Event.objects.filter(sequence__range=span)
    with temporary_file() as sink:
        archive_write(sink, span, seal, progress)
        archive = Archive(
            first_sequence=span.first,
            last_sequence=span.last,
            events=inside.count(),
            erased=inside.filter(detail=None).count(),
            tree_size=seal.tree_size,
            path=f"audit/events-{span.first}-{span.last}.ndjson.gz",
        )
        archive_store(archive, sink)
    try:
        archive_check(archive)
        _span_drop(actor=actor, archive=archive, seal=seal)
    except BadArchive as error:
        file_remove(archive.path)
        raise NotArchived(str(error)) from error
    except DatabaseError as error:
        # Of another error it isn't known what came of it: the file stays, to be written over or needed.
        if (why := _REFUSED.get(sqlstate(error))) is None:
            raise
        file_remove(archive.path)
        raise NotArchived(f"{why} ({error.__cause__})") from error
    return next(row for row in archives_newest() if row.first_sequence == span.first)


def _may_drop() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_function_privilege('cs_audit_archive(jsonb, jsonb)', 'EXECUTE')")
        return bool(cursor.fetchone()[0])


@transactional
def _span_drop(*, actor: Actor, archive: Archive, seal: Seal) -> None:
    names = ("first_sequence", "last_sequence", "events", "erased", "size", "tree_size")
    facts = {name: getattr(archive, name) for name in names}
    facts |= {"sha256": archive.sha256.hex(), "root": hash_shown(seal.root)}
    entry = Entry(actor, ARCHIVED, Target("archive", None, archive.path), facts=facts)
    row: dict[str, Any] = {**facts, "path": archive.path, "sha256": f"\\x{archive.sha256.hex()}"}
    texts = [orjson.dumps(found).decode() for found in (row, entry_row(entry))]
    with connection.cursor() as cursor:
        cursor.execute("SELECT cs_audit_archive(%s::jsonb, %s::jsonb)", texts)
