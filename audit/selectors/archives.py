"""Ranges of the trail: those that are due to leave the database, and those that left it for a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from audit.exceptions import EventArchived
from audit.models import Archive, Event, EventLeaf

_SPAN_SQL = r"""
SELECT bound[1]::bigint, bound[2]::bigint - 1
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
     regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(\d+)''\) TO \(''(\d+)''\)') bound
WHERE i.inhparent = 'audit_event'::regclass AND bound[1]::bigint <= %(number)s
  AND bound[2]::bigint > %(number)s
"""


class Span(NamedTuple):
    """The numbers of a range, both ends included."""

    first: int
    last: int


def spans_due(retention: dt.timedelta) -> Iterator[Span]:
    """The ranges that are full, sealed, and older than `retention` to the last event, the lowest first.

    The first that isn't due ends it, as do events that lie in no range: nothing goes before what is older.
    """
    after = -1
    while True:
        lowest = Event.objects.filter(sequence__gt=after).order_by("sequence").first()
        span = _span_of(lowest.sequence) if lowest else None
        if span is None or not _is_due(span, retention):
            return
        yield span
        after = span.last


def _span_of(sequence: int) -> Span | None:
    with connection.cursor() as cursor:
        cursor.execute(_SPAN_SQL, {"number": sequence})
        row = cursor.fetchone()
    return Span(*row) if row else None


def _is_due(span: Span, retention: dt.timedelta) -> bool:
    if not Event.objects.filter(sequence__gt=span.last).exists():
        return False
    inside = Event.objects.filter(sequence__range=span)
    if inside.filter(at__gte=Now() - retention).exists():
        return False
    return not inside.exclude(Exists(EventLeaf.objects.filter(sequence=OuterRef("sequence")))).exists()


def archives_newest() -> list[Archive]:
    """What holds each range that was archived, in their order."""
    return list(Archive.objects.order_by("first_sequence", "-id").distinct("first_sequence"))


def archive_of(sequence: int) -> Archive | None:
    """What holds the range that a number lies in, None where that was not archived."""
    rows = Archive.objects.filter(first_sequence__lte=sequence, last_sequence__gte=sequence)
    return rows.order_by("-first_sequence", "-id").first()


def archived_check(sequence: int) -> None:
    """Raise EventArchived for an event that was archived, saying where it went."""
    archive = archive_of(sequence)
    if archive is None or not EventLeaf.objects.filter(sequence=sequence).exists():
        return
    shown = {name: getattr(archive, name) for name in ("first_sequence", "last_sequence", "events", "path")}
    shown |= {"sha256": bytes(archive.sha256).hex(), "archived_at": archive.archived_at}
    raise EventArchived(extra={"archive": shown})
