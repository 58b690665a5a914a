"""Reading the trail, by plans that stay bounded however long it has grown."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max, Min, QuerySet

from audit.models import Event

# An event draws its number a moment before its time, so that neighbours may stand crosswise, but never more
# of them than there are connections: among so many at the edge of a time range is its outermost number.
_CROSSWISE = 1000
# Only what is older than every running writer: a number can be committed after a higher one was read.
SETTLED = """(epoch < (SELECT max(number) FROM audit_epoch)
       OR xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"""
_SETTLED_SQL = f"""
SELECT * FROM audit_event WHERE (epoch, xid, sequence) > (%s, %s, %s) AND {SETTLED}
ORDER BY epoch, xid, sequence LIMIT %s
"""  # noqa: S608 (a fragment of our own)
# The planner looks at the epoch alone and takes what lies behind a position for a row or two: it would read
# and sort a million events rather than walk along the index.
IN_ORDER_SQL = "SET LOCAL enable_sort = off"
_ANY_ORDER_SQL = "SET LOCAL enable_sort = on"
_LAST_SETTLED_SQL = f"""
SELECT epoch, xid, sequence FROM audit_event WHERE {SETTLED}
ORDER BY epoch DESC, xid DESC, sequence DESC LIMIT 1
"""  # noqa: S608 (as above)
_COLUMNS = {
    "action": "action",
    "actor": "actor_uid",
    "address": "detail__address",
    "request_id": "request_id",
    "target": "target_uid",
    "workspace": "workspace_uid",
}


def events_found(
    *, at__gte: dt.datetime | None = None, at__lte: dt.datetime | None = None, **filters: Any
) -> QuerySet[Event]:
    """The events that match, with their details, for paging by sequence.

    `filters`: actor, action, target, workspace, address and request_id, each by equality. A time range
    becomes a range of sequences first: else the planner would walk the trail from its end to one long past.
    """
    rows = Event.objects.select_related("detail")
    rows = rows.filter(**{_COLUMNS[name]: value for name, value in filters.items()})
    if at__lte is not None:
        before = Event.objects.filter(at__lte=at__lte).order_by("-at", "-sequence")
        highest = _edge(before)["highest"]
        rows = rows.filter(at__lte=at__lte, sequence__lte=highest or 0)
    if at__gte is not None:
        after = Event.objects.filter(at__gte=at__gte).order_by("at", "sequence")
        lowest = _edge(after)["lowest"]
        rows = rows.filter(at__gte=at__gte, sequence__gte=lowest) if lowest else rows.none()
    return rows


class Position(NamedTuple):
    """A place in the one order in which events are read on: that of their transactions."""

    epoch: int
    xid: int
    sequence: int


BEGINNING = Position(0, 0, 0)


def events_settled(after: Position, most: int) -> list[Event]:
    """The next events behind a position, without their details; none that another may yet come before.

    Within a transaction alone.
    """
    with connection.cursor() as cursor:
        cursor.execute(IN_ORDER_SQL)
        events = list(Event.objects.raw(_SETTLED_SQL, [*after, most]))
        cursor.execute(_ANY_ORDER_SQL)
    return events


def position_settled() -> Position:
    """The position behind which nothing has settled yet."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_SETTLED_SQL)
        row = cursor.fetchone()
    return Position(*row) if row else BEGINNING


def _edge(rows: QuerySet[Event]) -> dict[str, int | None]:
    nearest = rows.values("sequence")[:_CROSSWISE]
    return nearest.aggregate(lowest=Min("sequence"), highest=Max("sequence"))


def events_about(target_uid: uuid.UUID) -> QuerySet[Event]:
    """What happened to one object, for paging by sequence; who may read it is the caller's rule."""
    return events_found(target=target_uid)
