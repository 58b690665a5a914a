"""What comes before an attempt at a delivery and after it. The attempt itself is outside of transactions."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from django.conf import settings
from django.db import connection
from django.db.models import F, Q

from accounts.actors import stranger
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.observability.metrics import WEBHOOK_ATTEMPTS, WEBHOOK_LAG
from cloudscribe.lib.sealed import unseal
from cloudscribe.lib.transactions import transactional
from documents.models import Delivery, DeliveryStatus, Webhook
from documents.selectors.webhooks import documents_named, told_of, voices_of
from documents.services.fanning import Subject, may_hear
from documents.services.locking import actor_renewed
from documents.services.webhooks import webhook_switch_off
from documents.webhook_sending import Outcome, Parcel
from documents.webhook_signing import SEALED_FOR

# The next delivery of each webhook that has none under way: first what no rest after failures keeps, which
# is what somebody asked for and first retries. SKIP LOCKED: two who send take different webhooks.
# The clock of the statement, which the plan takes for one value: a webhook that rests costs no look at what
# waits for it, however much that is.
_NEXT_SQL = """
SELECT w.id, d.id FROM documents_webhook w CROSS JOIN LATERAL (
    (SELECT id FROM documents_delivery
     WHERE webhook_id = w.id AND status = 'pending' AND by_hand AND next_at <= statement_timestamp()
     ORDER BY next_at, id LIMIT 1)
    UNION ALL
    (SELECT id FROM documents_delivery
     WHERE webhook_id = w.id AND status = 'pending' AND next_at <= statement_timestamp()
       AND (w.resting_until IS NULL OR w.resting_until <= statement_timestamp())
     ORDER BY next_at, id LIMIT 1)
    LIMIT 1) d
WHERE w.enabled AND (w.failures > 0) = %s
  AND (w.lease_until IS NULL OR w.lease_until <= statement_timestamp())
ORDER BY w.lease_until NULLS FIRST LIMIT %s
FOR NO KEY UPDATE OF w SKIP LOCKED
"""
_GONE = 410
_FACTOR = 4
_LONGEST = 43_200.0
_JITTER = 0.2
# After so many failures in a row the webhook as a whole is left alone for a while.
_PATIENT = 5
_SLACK = 15.0


def retry_delay(tries: int) -> float:
    """Seconds until the next attempt: four times as long each time, up to half a day, ±20 %."""
    delay = min(settings.WEBHOOK_BACKOFF * _FACTOR ** (min(tries, 20) - 1), _LONGEST)
    return float(delay * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 (jitter, not a secret)


@transactional
def deliveries_claim(*, ailing: bool, most: int) -> list[Parcel]:
    """Take the next deliveries, at most one a webhook: of those that failed lately, or of all others.

    Nobody else takes one of the same webhooks until `delivery_settle`, or until the lease ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_SQL, [ailing, most])
        found = dict(cursor.fetchall())
    if not found:
        return []
    actor = _actor()
    rows = Delivery.objects.select_related("webhook__workspace").filter(pk__in=found.values())
    deliveries = [row for row in rows.order_by("pk") if row.status == DeliveryStatus.PENDING]
    allowed = _allowed(actor, deliveries)
    pks = [delivery.pk for delivery in allowed]
    lease = actor.now + dt.timedelta(seconds=settings.WEBHOOK_TIMEOUT + _SLACK)
    Webhook.objects.filter(pk__in=[row.webhook_id for row in allowed]).update(lease_until=lease)
    Delivery.objects.filter(pk__in=pks).update(
        attempts=F("attempts") + 1, tries=F("tries") + 1, by_hand=False, attempted_at=actor.now
    )
    return [_parcel(row, actor.now) for row in allowed]


def _allowed(actor: Actor, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Those that whoever the webhook speaks for may still know of; the others end here."""
    voices = voices_of({row.webhook.speaks_for_id for row in deliveries}, actor.now)
    uids = {row.document_uid for row in deliveries if row.document_uid is not None}
    documents = documents_named(uids)
    told = told_of({row.webhook_id for row in deliveries}, uids - documents.keys())
    allowed = []
    for row in deliveries:
        webhook, voice = row.webhook, voices[row.webhook.speaks_for_id]
        document = documents.get(row.document_uid) if row.document_uid else None
        known = (row.webhook_id, row.document_uid) in told
        if not voice.may_speak(webhook.workspace_id):
            webhook_switch_off(actor, webhook, "rights")
        elif may_hear(voice, webhook, row.action, Subject(row.document_uid), document, known=known):
            allowed.append(row)
        else:
            _end(row, DeliveryStatus.WITHHELD, actor.now, "rights")
    return allowed


def _parcel(row: Delivery, now: dt.datetime) -> Parcel:
    webhook = row.webhook
    sealed = [webhook.secret]
    if webhook.previous_secret and webhook.previous_until and webhook.previous_until > now:
        sealed.append(webhook.previous_secret)
    texts = (unseal(SEALED_FOR, bytes(secret), webhook.uid.bytes).decode() for secret in sealed)
    return Parcel(
        pk=row.pk,
        fence=row.attempts + 1,
        webhook_pk=webhook.pk,
        at=now,
        uid=row.uid,
        url=webhook.url,
        body=row.body.encode(),
        secrets=tuple(texts),
    )


@transactional
def delivery_settle(*, parcel: Parcel, outcome: Outcome) -> None:
    """Write what came of an attempt, and when the next one is due.

    Nothing is written of a delivery that was asked for again meanwhile or whose lease another took over.
    """
    rows = Webhook.objects.select_related("workspace").filter(pk=parcel.webhook_pk)
    webhook = rows.select_for_update(of=("self",), no_key=True).first()
    if webhook is None:
        return
    actor = _actor()
    mine = Q(pk=parcel.pk, attempts=parcel.fence, by_hand=False, status=DeliveryStatus.PENDING)
    row = Delivery.objects.filter(mine).first()
    WEBHOOK_ATTEMPTS.labels(outcome="delivered" if outcome.delivered else "failed").inc()
    if row is not None:
        row.response_status, row.reason = outcome.status, outcome.reason
        row.duration_ms = round(outcome.seconds * 1000)
        if outcome.delivered:
            WEBHOOK_LAG.observe(max((actor.now - row.asked_at).total_seconds(), 0.0))
            _end(row, DeliveryStatus.DELIVERED, actor.now, "")
        else:
            _again(row, outcome, actor.now)
    # Now and not none: who waited longest since the last attempt comes next.
    webhook.lease_until = actor.now
    _health(actor, webhook, outcome)


def _again(row: Delivery, outcome: Outcome, now: dt.datetime) -> None:
    """Another attempt later, or none where the receiver is gone or patience is at its end."""
    wait = max(retry_delay(row.tries), outcome.retry_after or 0.0)
    row.next_at = now + dt.timedelta(seconds=wait)
    patience = dt.timedelta(seconds=settings.WEBHOOK_PATIENCE)
    if outcome.status == _GONE or row.next_at > row.asked_at + patience:
        _end(row, DeliveryStatus.FAILED, now, outcome.reason)
    else:
        # A rest of the webhook is for what was never tried and for what failed again and again.
        row.by_hand = row.tries == 1
        row.save(update_fields=["response_status", "reason", "duration_ms", "next_at", "by_hand"])


def _end(row: Delivery, status: DeliveryStatus, now: dt.datetime, reason: str) -> None:
    row.status, row.finished_at, row.reason, row.by_hand = status.value, now, reason, False
    fields = ["status", "finished_at", "reason", "by_hand", "response_status", "duration_ms", "next_at"]
    row.save(update_fields=fields)


def _health(actor: Actor, webhook: Webhook, outcome: Outcome) -> None:
    """How the receiver does: after failures it is left alone, and at last it is told nothing more."""
    if outcome.delivered:
        webhook.failures, webhook.failing_since, webhook.resting_until = 0, None, None
    else:
        webhook.failures += 1
        webhook.failing_since = webhook.failing_since or actor.now
        rest = outcome.retry_after or 0.0
        if webhook.failures >= _PATIENT:
            rest = max(rest, retry_delay(webhook.failures - _PATIENT + 1))
        webhook.resting_until = actor.now + dt.timedelta(seconds=rest) if rest else None
        if outcome.retry_after:
            # That much the receiver wants of first retries, too.
            until = actor.now + dt.timedelta(seconds=outcome.retry_after)
            waiting = Delivery.objects.filter(webhook=webhook, status=DeliveryStatus.PENDING, by_hand=True)
            waiting.filter(tries=1, next_at__lt=until).update(next_at=until)
    webhook.save(update_fields=["lease_until", "failures", "failing_since", "resting_until"])
    if not webhook.enabled or outcome.delivered or webhook.failing_since is None:
        return
    if outcome.status == _GONE:
        webhook_switch_off(actor, webhook, "gone")
    elif actor.now - webhook.failing_since >= dt.timedelta(seconds=settings.WEBHOOK_PATIENCE):
        webhook_switch_off(actor, webhook, "failing")


@transactional
def deliveries_purge() -> int:
    """Forget what ended, or waited for a webhook that is off, longer ago than it is kept; how many."""
    before = _actor().now - dt.timedelta(seconds=settings.WEBHOOK_RETENTION)
    ended = Q(finished_at__lt=before) & ~Q(status=DeliveryStatus.PENDING)
    left = Q(status=DeliveryStatus.PENDING, webhook__enabled=False, asked_at__lt=before)
    pks = Delivery.objects.filter(ended | left).values_list("pk", flat=True)[:10_000]
    return Delivery.objects.filter(pk__in=list(pks)).delete()[0]


def _actor() -> Actor:
    """Nobody: what the sending itself changes, at the database's clock."""
    return actor_renewed(stranger("webhooks", dt.datetime.now(dt.UTC)))
