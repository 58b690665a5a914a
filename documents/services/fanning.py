"""Making deliveries of what happened: a follower of the trail, as watches have one.

Writes know nothing of webhooks. The trail is read on in its order, only what is older than every running
writer, so that no late commit is passed over; a batch of events, its deliveries and the position behind it
are one transaction, so that each event is made one delivery of, whoever dies meanwhile.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import connection
from uuid_utils.compat import uuid7

from accounts.actors import stranger
from audit.models import Event
from audit.selectors import Position, events_settled
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional
from documents.models import Delivery, DeliveryStatus, Document, Webhook, WebhookProgress
from documents.selectors.webhooks import Voice, documents_named, told_of, voices_of
from documents.services.locking import actor_renewed
from documents.services.webhooks import body_of, webhook_switch_off
from documents.webhook_events import PURGED, is_chosen

# Few enough for 20 webhooks that want everything: the rows are written within a second or two.
_BATCH = 200
# What concerns the workspace as a whole, for whoever may manage its webhooks.
_OF_ROOM = frozenset({"invitation", "member", "snapshot", "webhook", "workspace"})
# Facts that are told on; others may name what whoever is told of the event may not see.
_FACTS = ("comment", "revision", "subjects", "thread")

# Each text goes to the database once, for however many webhooks it is: an import of 500 documents told to 20
# of them is 10,000 rows, which the ORM would take seconds to put into words.
_INSERT_SQL = """
INSERT INTO documents_delivery (
    uid, webhook_id, sequence, action, document_uid, body, status, by_hand, attempts, tries,
    next_at, asked_at, reason, created_at)
SELECT d.uid, d.webhook, d.sequence, e.action, e.document, e.body, 'pending', false, 0, 0,
    e.at, e.at, '', statement_timestamp()
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS d (uid, webhook, sequence)
JOIN unnest(%s::bigint[], %s::text[], %s::uuid[], %s::text[], %s::timestamptz[])
    AS e (sequence, action, document, body, at) ON e.sequence = d.sequence
ON CONFLICT (webhook_id, sequence) DO NOTHING
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """What rights hang on: the document that an event is about, None where it is about the workspace."""

    document: uuid.UUID | None


@transactional
def webhooks_fan_out() -> bool:
    """Make the deliveries of the next events behind those that were followed; False where that were all."""
    progress = WebhookProgress.objects.select_for_update().filter(pk=1).first()
    if progress is None:
        return False
    events = events_settled(Position(progress.epoch, progress.xid, progress.sequence), _BATCH)
    if not events:
        return False
    deliveries_make(events)
    progress.epoch, progress.xid, progress.sequence = _place(events[-1])
    progress.save(update_fields=["epoch", "xid", "sequence"])
    return len(events) == _BATCH


@transactional
def deliveries_replay(
    *, actor: Actor, webhook: uuid.UUID, after: Position, until: Position
) -> Position | None:
    """Make the deliveries of a batch of events behind `after` due anew; the position behind them.

    None where nothing is left up to `until`, or the webhook was switched off or removed meanwhile. Each is
    judged when it is sent, as if it were the first time.
    """
    row = Webhook.objects.select_for_update(no_key=True).filter(uid=webhook, enabled=True).first()
    found = events_settled(after, _BATCH) if row is not None else []
    events = [event for event in found if _place(event) <= until]
    if row is None or not events:
        return None
    due = deliveries_make(events, only=row)
    now = actor_renewed(actor).now
    ended = Delivery.objects.filter(webhook=row, sequence__in=due).exclude(status=DeliveryStatus.PENDING)
    ended.update(status=DeliveryStatus.PENDING, tries=0, next_at=now, asked_at=now, finished_at=None)
    return _place(events[-1])


def _place(event: Event) -> Position:
    return Position(event.epoch, event.xid, event.sequence)


def deliveries_make(events: Sequence[Event], only: Webhook | None = None) -> list[int]:
    """Write the deliveries due of these events that there are none of yet, within the caller's transaction.

    `only` is for a replay: its events may be older than the webhook. Gives the numbers of the events that
    deliveries are due of, whether these were written now or before.
    """
    rooms = {event.workspace_uid for event in events if event.workspace_uid is not None}
    rows = Webhook.objects.filter(workspace__uid__in=rooms, enabled=True).select_related("workspace")
    webhooks = list((rows.filter(pk=only.pk) if only else rows).order_by("pk"))
    if not webhooks:
        return []
    actor = actor_renewed(stranger("webhooks", dt.datetime.now(dt.UTC)))
    heard = _Hearing(webhooks, events, actor.now)
    for webhook in heard.mute:
        locked = Webhook.objects.select_related("workspace").filter(pk=webhook.pk, enabled=True)
        for row in locked.select_for_update(of=("self",), no_key=True):
            webhook_switch_off(actor, row, "rights")
    due = [
        (webhook.pk, event.sequence)
        for event in events
        if (subject := subject_of(event)) is not None
        for webhook in heard.by_room[event.workspace_uid]
        if (only or event.at >= webhook.created_at) and heard.hears(webhook, event, subject)
    ]
    numbers = {sequence for _, sequence in due}
    _insert([event for event in events if event.sequence in numbers], due)
    return sorted(numbers)


def _insert(events: Sequence[Event], due: Sequence[tuple[int, int]]) -> None:
    """Write a delivery for each pair of a webhook and an event; what there is already stays."""
    if not due:
        return
    subjects = [subject_of(event) for event in events]
    texts = [
        body_of(event.action, event.at, _data(event, subject))
        for event, subject in zip(events, subjects, strict=True)
    ]
    values: list[Any] = [
        [uuid7() for _ in due],
        *([pair[at] for pair in due] for at in (0, 1)),
        *([event.sequence for event in events], [event.action for event in events]),
        [subject.document if subject else None for subject in subjects],
        *(texts, [event.at for event in events]),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_SQL, values)


class _Hearing:
    """Which webhook is told of which event; what that takes to know is read once for all."""

    def __init__(self, webhooks: Sequence[Webhook], events: Sequence[Event], now: dt.datetime) -> None:
        self._voices = voices_of({webhook.speaks_for_id for webhook in webhooks}, now)
        about = {subject.document for event in events if (subject := subject_of(event))}
        uids = {uid for uid in about if uid is not None}
        self._documents = documents_named(uids)
        gone = uids - self._documents.keys()
        self._told = told_of([webhook.pk for webhook in webhooks], gone) if gone else set()
        self.by_room: dict[uuid.UUID | None, list[Webhook]] = defaultdict(list)
        self.mute: list[Webhook] = []
        for webhook in webhooks:
            if self._voices[webhook.speaks_for_id].may_speak(webhook.workspace_id):
                self.by_room[webhook.workspace.uid].append(webhook)
            else:
                self.mute.append(webhook)

    def hears(self, webhook: Webhook, event: Event, subject: Subject) -> bool:
        """Whether the webhook wants the event, and whoever it speaks for may know of it."""
        if not is_chosen(event.action, webhook.events) or event.target_uid == webhook.uid:
            return False
        document = self._documents.get(subject.document) if subject.document else None
        known = (webhook.pk, subject.document) in self._told
        voice = self._voices[webhook.speaks_for_id]
        return may_hear(voice, webhook, event.action, subject, document, known=known)


def may_hear(
    voice: Voice,
    webhook: Webhook,
    action: str,
    subject: Subject,
    document: Document | None,
    *,
    known: bool,
) -> bool:
    """Whether what a webhook speaks for may know of an action now.

    On a document that is gone nobody has rights: its end is told where it was told of before (`known`).
    """
    if not voice.may_speak(webhook.workspace_id):
        return False
    if subject.document is None:
        return True
    if document is None:
        return known and action == PURGED
    return voice.may_tell(action, document)


def subject_of(event: Event) -> Subject | None:
    """What rights on the event hang on; None where that isn't known, which nobody is told of."""
    if event.target_type == "document":
        return Subject(event.target_uid) if event.target_uid else None
    named = event.facts.get("document")
    root = event.facts.get("root")
    if event.target_type in _OF_ROOM:
        # A snapshot of a subtree names its document.
        of_document = event.target_type == "snapshot" and root is not None
        return Subject(uuid.UUID(root) if of_document else None)
    if isinstance(named, str):
        return Subject(uuid.UUID(named))
    if event.target_type == "grant" and isinstance(root, str):
        return Subject(uuid.UUID(root))
    return None


def _data(event: Event, subject: Subject | None) -> dict[str, Any]:
    """Ids and numbers alone: whoever is told reads the rest by the API, under rights of their own."""
    return {
        "id": event.target_uid,
        "sequence": event.sequence,
        "action": event.action,
        "type": event.target_type,
        "workspace": event.workspace_uid,
        "document": subject.document if subject else None,
        "at": event.at,
        "actor": {"kind": event.actor_kind, "id": event.actor_uid} if event.actor_kind else None,
        **{name: event.facts[name] for name in _FACTS if name in event.facts},
    }
