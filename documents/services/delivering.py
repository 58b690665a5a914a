"""What comes before and after attempts at deliveries. The attempts themselves are outside of transactions.

Of deliveries nothing is written until a handful is settled: one that was never sent is due as it was before,
and one whose sender was killed is sent again. The lease of the webhook is what keeps others away meanwhile.
"""

from __future__ import annotations

import datetime as dt
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import F, Q

from accounts.actors import stranger
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.observability.metrics import WEBHOOK_LAG
from cloudscribe.lib.postgresql.arrays import array_text
from cloudscribe.lib.postgresql.base import prepared_rows
from cloudscribe.lib.sealed import unseal
from cloudscribe.lib.transactions import on_commit, transactional
from documents.models import Delivery, DeliveryStatus, Webhook
from documents.selectors.webhooks import Standing, documents_named, standings, told_of, voices_of
from documents.services.fanning import Subject, may_hear
from documents.services.locking import actor_renewed
from documents.services.webhooks import webhook_switch_off
from documents.webhook_sending import Handful, Outcome, Parcel
from documents.webhook_signing import SEALED_FOR

# So many deliveries of a webhook are taken at once: each of them is sent by the same connection, and all are
# settled in one transaction. As many are sent twice at most where the sender is killed.
HANDFUL = 25
# Webhooks that something is due of and nothing under way; first who waited longest since the last attempt.
# What no rest after failures keeps is what somebody asked for and first retries. SKIP LOCKED: two who send
# take different webhooks. The clock of the statement, which the plan takes for one value: a webhook that
# rests costs no look at what waits for it, however much that is.
_FREE_SQL = """
SELECT w.id FROM documents_webhook w CROSS JOIN LATERAL (
    (SELECT FROM documents_delivery
     WHERE webhook_id = w.id AND status = 'pending' AND by_hand AND next_at <= statement_timestamp()
     ORDER BY next_at, id LIMIT 1)
    UNION ALL
    (SELECT FROM documents_delivery
     WHERE webhook_id = w.id AND status = 'pending' AND next_at <= statement_timestamp()
       AND (w.resting_until IS NULL OR w.resting_until <= statement_timestamp())
     ORDER BY next_at, id LIMIT 1)
    LIMIT 1) d
WHERE w.enabled AND (w.failures > 0) = %s::boolean
  AND (w.lease_until IS NULL OR w.lease_until <= statement_timestamp())
ORDER BY w.lease_until NULLS FIRST LIMIT %s::bigint
FOR NO KEY UPDATE OF w SKIP LOCKED
"""
# What is due of webhooks that are locked: a statement of its own, which sees what was settled until then.
_DUE_COLUMNS = "id, uid, action, document_uid, body, asked_at, next_at"
_DUE_SQL = f"""
SELECT w.id, d.id, d.uid, d.action, d.document_uid, d.body, d.asked_at
FROM documents_webhook w CROSS JOIN LATERAL (
    (SELECT 1 AS turn, {_DUE_COLUMNS} FROM documents_delivery
     WHERE webhook_id = w.id AND status = 'pending' AND by_hand AND next_at <= statement_timestamp()
     ORDER BY next_at, id LIMIT {HANDFUL})
    UNION ALL
    (SELECT 2 AS turn, {_DUE_COLUMNS} FROM documents_delivery
     WHERE webhook_id = w.id AND status = 'pending' AND NOT by_hand AND next_at <= statement_timestamp()
       AND (w.resting_until IS NULL OR w.resting_until <= statement_timestamp())
     ORDER BY next_at, id LIMIT {HANDFUL})
    ORDER BY turn, next_at, id LIMIT {HANDFUL}) d
WHERE w.id = ANY(%s::bigint[])
ORDER BY w.id, d.turn, d.next_at, d.id
"""  # noqa: S608 (columns and a number of our own)
# Only what still waits as it did when it was taken: not what somebody asked for anew meanwhile.
_DELIVERED_SQL = """
UPDATE documents_delivery d SET
    status = 'delivered', by_hand = false, attempts = d.attempts + 1, tries = d.tries + 1,
    attempted_at = sent.at, response_status = sent.status, reason = '', duration_ms = sent.ms,
    finished_at = sent.ended_at
FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::int[], %s::int[])
    AS sent (id, asked_at, at, ended_at, status, ms)
WHERE d.id = sent.id AND d.asked_at = sent.asked_at AND d.status = 'pending'
RETURNING d.id, extract(epoch FROM d.finished_at - d.asked_at)::float
"""
_GONE = 410
_FACTOR = 4
_LONGEST = 43_200.0
_JITTER = 0.2
# After so many failures in a row the webhook as a whole is left alone for a while.
_PATIENT = 5
# A lease is as long as one attempt and this: no handful begins another so late that it would be too short.
_SLACK = 15.0
_WRITTEN = [
    *("status", "by_hand", "attempts", "tries", "next_at", "attempted_at", "response_status", "reason"),
    *("duration_ms", "finished_at"),
]


def retry_delay(tries: int) -> float:
    """Seconds until the next attempt: four times as long each time, up to half a day, ±20 %."""
    delay = min(settings.WEBHOOK_BACKOFF * _FACTOR ** (min(tries, 20) - 1), _LONGEST)
    return float(delay * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 (jitter, not a secret)


class _Due(NamedTuple):
    """A delivery that may be sent now."""

    webhook_pk: int
    pk: int
    uid: uuid.UUID
    action: str
    document_uid: uuid.UUID | None
    body: str
    asked_at: dt.datetime


@transactional
def deliveries_claim(*, ailing: bool, most: int) -> list[Handful]:
    """Take handfuls of what is due, of `most` webhooks: of those that failed lately, or of all others.

    Nobody else takes any of the same webhooks until `deliveries_settle`, or until the lease ends. A handful
    is empty where nothing of what was due may be sent.
    """
    begun = time.monotonic()
    free = [pk for (pk,) in prepared_rows(_FREE_SQL, [ailing, most])]
    if not free:
        return []
    due = [_Due(*row) for row in prepared_rows(_DUE_SQL, [array_text(free)])]
    # Before it is judged: what changes from now on shows.
    standing = standings([(each.webhook_pk, each.document_uid) for each in due])
    judged_by = {each.pk: seen.judged_by for each, seen in zip(due, standing, strict=True)}
    actor = _actor()
    webhooks = Webhook.objects.select_related("workspace").in_bulk({each.webhook_pk for each in due})
    parcels: dict[int, list[Parcel]] = {pk: [] for pk in webhooks}
    for each in _allowed(actor, webhooks, due):
        parcels[each.webhook_pk].append(_parcel(each, judged_by[each.pk]))
    lease = actor.now + dt.timedelta(seconds=settings.WEBHOOK_TIMEOUT + _SLACK)
    Webhook.objects.filter(pk__in=[pk for pk, some in parcels.items() if some]).update(lease_until=lease)
    return [
        Handful(
            webhook_pk=pk,
            lease_until=lease,
            at=actor.now,
            begun=begun,
            url=webhook.url,
            parcels=parcels[pk],
            secrets=_secrets(webhook, actor.now),
        )
        for pk, webhook in webhooks.items()
    ]


def _parcel(due: _Due, judged_by: Sequence[object]) -> Parcel:
    return Parcel(
        pk=due.pk,
        uid=due.uid,
        asked_at=due.asked_at,
        document_uid=due.document_uid,
        judged_by=judged_by,
        body=due.body.encode(),
    )


def _allowed(actor: Actor, webhooks: Mapping[int, Webhook], due: Sequence[_Due]) -> list[_Due]:
    """Those that whoever the webhook speaks for may still know of; the others end here."""
    voices = voices_of({webhook.speaks_for_id for webhook in webhooks.values()}, actor.now)
    uids = {each.document_uid for each in due if each.document_uid is not None}
    documents = documents_named(uids)
    gone = uids - documents.keys()
    # What is due here of a document that is gone ends unsent: whoever waited for it alone was told nothing.
    told = told_of(webhooks.keys(), gone, {each.pk for each in due}) if gone else set()
    mute = {pk for pk, row in webhooks.items() if not voices[row.speaks_for_id].may_speak(row.workspace_id)}
    for pk in mute:
        webhook_switch_off(actor, webhooks[pk], "rights")
    allowed: list[_Due] = []
    withheld: list[_Due] = []
    for each in due:
        if each.webhook_pk in mute:
            continue
        webhook = webhooks[each.webhook_pk]
        document = documents.get(each.document_uid) if each.document_uid else None
        known = (each.webhook_pk, each.document_uid) in told
        subject, voice = Subject(each.document_uid), voices[webhook.speaks_for_id]
        hears = may_hear(voice, webhook, each.action, subject, document, known=known)
        (allowed if hears else withheld).append(each)
    if withheld:
        Delivery.objects.filter(pk__in=[each.pk for each in withheld]).update(
            status=DeliveryStatus.WITHHELD, reason="rights", by_hand=False, finished_at=actor.now
        )
    return allowed


def _secrets(webhook: Webhook, now: dt.datetime) -> list[str]:
    sealed = [webhook.secret]
    if webhook.previous_secret and webhook.previous_until and webhook.previous_until > now:
        sealed.append(webhook.previous_secret)
    return [unseal(SEALED_FOR, bytes(secret), webhook.uid.bytes).decode() for secret in sealed]


def handfuls_standing(handfuls: Sequence[tuple[Handful, Parcel]]) -> list[bool]:
    """Whether the next parcel of each may be sent without being judged anew.

    Nobody has taken the webhook over, switched it off, changed or removed it, and nothing was changed by
    which the parcel was let go. One short statement for all, outside of transactions.
    """
    found = standings([(handful.webhook_pk, parcel.document_uid) for handful, parcel in handfuls])
    return [
        seen == Standing(handful.lease_until, parcel.judged_by)
        for (handful, parcel), seen in zip(handfuls, found, strict=True)
    ]


@transactional
def deliveries_settle(*, handful: Handful, outcomes: Sequence[Outcome]) -> None:
    """Write what came of the first of a handful; when what failed is due again, and the others as before.

    Only the last may have failed. Nothing is written where the lease ended and another took the webhook over;
    nothing but that there was an attempt of a delivery that was asked for again meanwhile, and of a failure
    at an address that the webhook has no more.
    """
    rows = Webhook.objects.select_related("workspace").filter(pk=handful.webhook_pk)
    webhook = rows.select_for_update(of=("self",), no_key=True).first()
    if webhook is None or webhook.lease_until != handful.lease_until:
        return
    actor = _actor()
    sent = list(zip(handful.parcels, outcomes, strict=False))
    _delivered([each for each in sent if each[1].delivered])
    failed = [each for each in sent if not each[1].delivered]
    # Now and not none: who waited longest since the last attempt comes next.
    webhook.lease_until = actor.now
    if webhook.url != handful.url:
        _anew([parcel.pk for parcel, _ in failed])
        webhook.save(update_fields=["lease_until"])
        return
    for parcel, outcome in failed:
        _failed(parcel, outcome, actor.now)
    _health(actor, webhook, outcomes)


def _delivered(sent: Sequence[tuple[Parcel, Outcome]]) -> None:
    if not sent:
        return
    parcels, outcomes = zip(*sent, strict=True)
    values: list[list[Any]] = [
        *([parcel.pk for parcel in parcels], [parcel.asked_at for parcel in parcels]),
        *([each.at for each in outcomes], [each.ended_at for each in outcomes]),
        *([each.status for each in outcomes], [_milliseconds(each) for each in outcomes]),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERED_SQL, values)
        lags = dict(cursor.fetchall())
    _anew([parcel.pk for parcel in parcels if parcel.pk not in lags])

    def observe() -> None:
        for lag in lags.values():
            WEBHOOK_LAG.observe(max(lag, 0.0))

    on_commit(observe)


def _failed(parcel: Parcel, outcome: Outcome, now: dt.datetime) -> None:
    mine = Q(pk=parcel.pk, asked_at=parcel.asked_at, status=DeliveryStatus.PENDING)
    row = Delivery.objects.filter(mine).first()
    if row is None:
        _anew([parcel.pk])
        return
    row.attempts, row.tries, row.attempted_at = row.attempts + 1, row.tries + 1, outcome.at
    row.response_status, row.reason, row.duration_ms = outcome.status, outcome.reason, _milliseconds(outcome)
    _again(row, outcome, now)
    row.save(update_fields=_WRITTEN)


def _anew(pks: Sequence[int]) -> None:
    """Count the attempts of what is due as if it had not been sent, whatever came of them."""
    if pks:
        Delivery.objects.filter(pk__in=pks).update(attempts=F("attempts") + 1)


def _milliseconds(outcome: Outcome) -> int:
    return round(outcome.seconds * 1000)


def _again(row: Delivery, outcome: Outcome, now: dt.datetime) -> None:
    """Another attempt later, or none where the receiver is gone or patience is at its end."""
    wait = max(retry_delay(row.tries), outcome.retry_after or 0.0)
    row.next_at = now + dt.timedelta(seconds=wait)
    patience = dt.timedelta(seconds=settings.WEBHOOK_PATIENCE)
    if outcome.status == _GONE or row.next_at > row.asked_at + patience:
        row.status, row.finished_at, row.by_hand = DeliveryStatus.FAILED.value, now, False
    else:
        # A rest of the webhook is for what was never tried and for what failed again and again.
        row.by_hand = row.tries == 1


def _health(actor: Actor, webhook: Webhook, outcomes: Sequence[Outcome]) -> None:
    """How the receiver does: after failures it is left alone, and at last it is told nothing more."""
    if any(each.delivered for each in outcomes):
        webhook.failures, webhook.failing_since, webhook.resting_until = 0, None, None
    failed = outcomes[-1] if outcomes and not outcomes[-1].delivered else None
    if failed is not None:
        webhook.failures += 1
        webhook.failing_since = webhook.failing_since or actor.now
        rest = failed.retry_after or 0.0
        if webhook.failures >= _PATIENT:
            rest = max(rest, retry_delay(webhook.failures - _PATIENT + 1))
        webhook.resting_until = actor.now + dt.timedelta(seconds=rest) if rest else None
        if failed.retry_after:
            # That much the receiver wants of first retries, too.
            until = actor.now + dt.timedelta(seconds=failed.retry_after)
            waiting = Delivery.objects.filter(webhook=webhook, status=DeliveryStatus.PENDING, by_hand=True)
            waiting.filter(tries=1, next_at__lt=until).update(next_at=until)
    webhook.save(update_fields=["lease_until", "failures", "failing_since", "resting_until"])
    if not webhook.enabled or failed is None or webhook.failing_since is None:
        return
    if failed.status == _GONE:
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
