"""The daily digest: once a day, at seven in the morning where its reader lives."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.db.models import Min, QuerySet

from accounts.actors import stranger
from accounts.models import Channel, Notification, User
from accounts.queues import DIGEST_MAIL
from accounts.selectors import database_now
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.transactions import transactional

MORNING = 7


def latest_morning(now: dt.datetime, timezone: str) -> dt.datetime:
    """The last moment up to `now` when it was seven in the morning in that zone; in UTC."""
    zone = zoneinfo.ZoneInfo(timezone)
    local = now.astimezone(zone)
    morning = dt.datetime.combine(local.date(), dt.time(MORNING), zone)
    if morning > local:
        morning = dt.datetime.combine(local.date() - dt.timedelta(days=1), dt.time(MORNING), zone)
    return morning.astimezone(dt.UTC)


def digests_due(now: dt.datetime) -> list[int]:
    """The keys of the people for whom something has waited since before their last morning."""
    waiting = _waiting().filter(user__is_active=True, read_at__isnull=True)
    oldest = waiting.values_list("user_id", "user__timezone").annotate(Min("created_at")).order_by("user_id")
    return [pk for pk, timezone, since in oldest if since < latest_morning(now, timezone)]


@transactional
def digest_collect(*, user_pk: int) -> int:
    """Put all that waits for a person into one digest and ask for its mail; how many notifications it holds.

    Who collects at the same time finds nothing: the rows are locked, and marked as mailed.
    """
    user = User.objects.get(pk=user_pk)
    rows = _waiting().filter(user_id=user_pk).select_for_update(no_key=True).order_by("pk")
    found = list(rows.values_list("pk", "read_at"))
    now, unread = database_now(), sum(read_at is None for _, read_at in found)
    Notification.objects.filter(pk__in=[pk for pk, _ in found]).update(mailed_at=now)
    if unread:
        payload = {"user": str(user.uid), "collected_at": now.isoformat()}
        job_enqueue(actor=stranger("mail", now), kind=DIGEST_MAIL, payload=payload)
    return unread


def _waiting() -> QuerySet[Notification]:
    return Notification.objects.filter(channel=Channel.DIGEST, mailed_at__isnull=True)
