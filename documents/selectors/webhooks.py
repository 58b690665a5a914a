"""Reads of webhooks and their deliveries, and what the person for whom one speaks may know of an event."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from accounts.models import User
from cloudscribe.lib.postgresql.base import prepared_rows
from documents.models import Delivery, DeliveryStatus, Document, Webhook, Workspace
from documents.roles import ACTION_BITS, SEE_BIT, Action
from documents.visibility import access_map_load
from documents.webhook_events import GRANTERS, PURGED


def webhooks_of(workspace: Workspace) -> QuerySet[Webhook]:
    """The webhooks of a workspace, each with it and with the person for whom it speaks."""
    return Webhook.objects.filter(workspace=workspace).select_related("workspace", "speaks_for")


def deliveries_of(webhook: Webhook) -> QuerySet[Delivery]:
    """The deliveries to a webhook that are remembered."""
    return Delivery.objects.filter(webhook=webhook)


def deliveries_are_due() -> bool:
    """Whether something waits to be sent that may be sent now, unless another process is about it."""
    waiting = Delivery.objects.filter(webhook=OuterRef("pk"), status=DeliveryStatus.PENDING)
    due = waiting.filter(next_at__lte=Now())
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=Now())
    rested = Q(resting_until__isnull=True) | Q(resting_until__lte=Now())
    some = Q(Exists(due.filter(by_hand=True))) | (rested & Q(Exists(due)))
    return Webhook.objects.filter(free, some, enabled=True).exists()


# All that a verdict on a delivery is made of, but for grants that merely expire.
_STANDINGS_SQL = """
SELECT w.lease_until, w.updated_at, w.speaks_for_id, u.is_active, us.stamp,
       (SELECT coalesce(sum(gs.stamp), 0)::bigint FROM accounts_user_groups m
        JOIN accounts_groupstamp gs ON gs.group_id = m.group_id WHERE m.user_id = u.id),
       (SELECT coalesce(max(number), 0) FROM audit_epoch),
       d.reach
FROM unnest(%s::bigint[], %s::uuid[]) WITH ORDINALITY AS asked (webhook, document, place)
LEFT JOIN documents_webhook w ON w.id = asked.webhook AND w.enabled
LEFT JOIN accounts_user u ON u.id = w.speaks_for_id
LEFT JOIN accounts_userstamp us ON us.user_id = u.id
LEFT JOIN documents_document d ON d.uid = asked.document
ORDER BY asked.place
"""


class Standing(NamedTuple):
    """How it stands with a delivery: until when its webhook is leased, None where it is off or gone.

    While `judged_by` is the same whoever the webhook speaks for may know as much as before, and what is sent
    where is the same.
    """

    lease_until: dt.datetime | None
    judged_by: Sequence[object]


def standings(deliveries: Sequence[tuple[int, uuid.UUID | None]]) -> list[Standing]:
    """How it stands at this moment with deliveries, each by its webhook's key and its document's id."""
    webhooks = ",".join(str(webhook) for webhook, _ in deliveries)
    documents = ",".join(str(document or "NULL") for _, document in deliveries)
    rows = prepared_rows(_STANDINGS_SQL, [f"{{{webhooks}}}", f"{{{documents}}}"])
    return [Standing(row[0], row[1:]) for row in rows]


@dataclasses.dataclass(frozen=True, slots=True)
class Voice:
    """What somebody may know at a moment: action bits by target, as in `documents.visibility`."""

    rights: Mapping[int, int]

    def may_speak(self, workspace_pk: int) -> bool:
        """Whether webhooks of the workspace may speak for them at all."""
        return bool(self.rights.get(-workspace_pk, 0) & ACTION_BITS[Action.WEBHOOK])

    def may_tell(self, action: str, document: Document) -> bool:
        """Whether they may know of this action on the document."""
        bit = ACTION_BITS[Action.GRANT] if action.partition(".")[0] in GRANTERS else SEE_BIT
        return any(self.rights.get(target, 0) & bit for target in document.reach)


_SILENT = Voice({})


def voices_of(people: Collection[int | None], now: dt.datetime) -> dict[int | None, Voice]:
    """The voices of people by their keys; who may not sign in, or is nobody any more, may know nothing."""
    wanted = {pk for pk in people if pk is not None}
    active = set(User.objects.filter(pk__in=wanted, is_active=True).values_list("pk", flat=True))
    voices: dict[int | None, Voice] = dict.fromkeys(people, _SILENT)
    for pk in active:
        voices[pk] = Voice(access_map_load(pk).alive(now.timestamp()))
    return voices


def documents_named(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Document]:
    """The documents with these ids that are still there, in the trash or not; what rights hang on alone."""
    rows = Document.objects.filter(uid__in=uids).only("id", "uid", "workspace_id", "path", "reach")
    return {row.uid: row for row in rows}


def told_of(
    webhooks: Collection[int], uids: Collection[uuid.UUID], besides: Collection[int] = ()
) -> set[tuple[int, uuid.UUID]]:
    """Pairs of a webhook, by key, and a document of which it was told before it was purged.

    What the deliveries `besides`, by key, are to tell doesn't count.
    """
    rows = Delivery.objects.filter(webhook__in=webhooks, document_uid__in=uids).exclude(pk__in=besides)
    rows = rows.exclude(status=DeliveryStatus.WITHHELD).exclude(action=PURGED)
    return {
        (webhook, uid)
        for webhook, uid in rows.values_list("webhook", "document_uid").distinct()
        if uid is not None
    }
