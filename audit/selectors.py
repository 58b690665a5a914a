"""Reading the trail, by plans that stay bounded however long it has grown."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db.models import Max, Min, QuerySet

from audit.models import Event

# An event draws its number a moment before its time, so that neighbours may stand crosswise, but never more
# of them than there are connections: among so many at the edge of a time range is its outermost number.
_CROSSWISE = 1000
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


def _edge(rows: QuerySet[Event]) -> dict[str, int | None]:
    nearest = rows.values("sequence")[:_CROSSWISE]
    return nearest.aggregate(lowest=Min("sequence"), highest=Max("sequence"))


def events_about(target_uid: uuid.UUID) -> QuerySet[Event]:
    """What happened to one object, for paging by sequence; who may read it is the caller's rule."""
    return events_found(target=target_uid)
