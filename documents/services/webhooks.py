"""Making, changing and asking of webhooks; what is sent to them is made by `fanning` and `delivering`."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from uuid_utils.compat import uuid7

from accounts.powers import powers_required
from accounts.services.notifications import News, notify
from audit.selectors import Position, position_settled
from audit.services import Changes, Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.sealed import seal
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.exceptions import TooManyWebhooks, WebhookDisabled
from documents.models import Delivery, DeliveryStatus, Webhook, WebhookProgress, Workspace
from documents.notices import WEBHOOK_DISABLED
from documents.policies import Action, require
from documents.queues import WEBHOOK_REPLAY
from documents.services.locking import Strength, actor_renewed, workspace_lock
from documents.webhook_events import PING
from documents.webhook_sending import address_check
from documents.webhook_signing import SEALED_FOR, secret_make

WEBHOOK_STAFF = "documents.change_webhook"
_BY_STAFF = "staff"


@dataclasses.dataclass(frozen=True, slots=True)
class MadeWebhook:
    """A webhook with a new secret, which is readable this once."""

    webhook: Webhook
    secret: str = dataclasses.field(repr=False)


@transactional
def webhook_create(*, actor: Actor, workspace: Workspace, url: str, events: list[str]) -> MadeWebhook:
    """Let an address be told of a workspace's events from now on, as far as the actor may know of them.

    `events` are names and patterns of `webhook_events`. Raises Forbidden, InvalidInput for an address that
    requests may not go to, TooManyWebhooks.
    """
    address_check(url)
    # Not shared: two who make the last one that there is room for would not see each other's.
    workspace_lock(workspace.pk, Strength.REWRITE, tree=False)
    actor = actor_renewed(actor)
    require(actor, Action.WEBHOOK, workspace)
    if Webhook.objects.filter(workspace=workspace).count() >= limits.WEBHOOKS:
        raise TooManyWebhooks
    secret, uid = secret_make(), uuid7()
    row = Webhook.objects.create(
        uid=uid,
        workspace=workspace,
        url=url,
        events=sorted(set(events)),
        speaks_for_id=actor.pk,
        secret=_sealed(uid, secret),
        created_at=actor.now,
        updated_at=actor.now,
    )
    _following_begin()
    changes = {"url": (None, origin_of(url)), "events": (None, row.events)}
    _event(actor, row, "webhook.created", changes)
    return MadeWebhook(row, secret)


@transactional
def webhook_update(*, actor: Actor, webhook: Webhook, changes: Mapping[str, Any]) -> Webhook:
    """Change `url`, `events` or `enabled`; from then on the webhook speaks for the actor.

    Else who may see less could lead what somebody else may know to an address of their own. Raises
    Forbidden, NotFound, InvalidInput as `webhook_create` does.
    """
    if "url" in changes:
        address_check(changes["url"])
    actor, row = _locked(actor, webhook)
    wanted = dict(changes)
    if "events" in wanted:
        wanted["events"] = sorted(set(wanted["events"]))
    differing = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not differing:
        return row
    before = _shown(row, differing)
    for name, value in differing.items():
        setattr(row, name, value)
    row.speaks_for_id, row.updated_at = actor.pk, actor.now
    # Whatever was wrong may be mended by the change.
    row.failures, row.failing_since, row.resting_until = 0, None, None
    row.disabled_reason = "" if row.enabled else row.disabled_reason
    row.save(
        update_fields=[
            *differing,
            *("speaks_for", "updated_at", "failures", "failing_since", "resting_until", "disabled_reason"),
        ]
    )
    after = _shown(row, differing)
    _event(actor, row, "webhook.updated", {name: (before[name], after[name]) for name in differing})
    return row


@transactional
def webhook_delete(*, actor: Actor, webhook: Webhook) -> None:
    """Tell an address nothing any more, and forget its deliveries. Raises Forbidden, NotFound."""
    actor, row = _locked(actor, webhook)
    Delivery.objects.filter(webhook=row).delete()
    Webhook.objects.filter(pk=row.pk).delete()
    _event(actor, row, "webhook.deleted", {"url": (origin_of(row.url), None)})


@transactional
def webhook_rotate(*, actor: Actor, webhook: Webhook) -> MadeWebhook:
    """Give a webhook a new secret; for a while the one before signs as well, so that none is missed.

    That of a rotation before ends at once. Raises Forbidden, NotFound.
    """
    actor, row = _locked(actor, webhook)
    secret = secret_make()
    row.previous_secret, row.secret = row.secret, _sealed(row.uid, secret)
    row.previous_until = actor.now + dt.timedelta(seconds=settings.WEBHOOK_SECRET_OVERLAP)
    row.updated_at = actor.now
    row.save(update_fields=["secret", "previous_secret", "previous_until", "updated_at"])
    _event(actor, row, "webhook.rotated", {})
    return MadeWebhook(row, secret)


@transactional
def webhook_ping(*, actor: Actor, webhook: Webhook) -> Delivery:
    """Send something that is no event, to see what the receiver does.

    Raises Forbidden, NotFound, WebhookDisabled.
    """
    actor, row = _locked(actor, webhook)
    if not row.enabled:
        raise WebhookDisabled
    data = {"id": row.uid, "type": "webhook", "workspace": row.workspace.uid, "sequence": None}
    ping = Delivery.objects.create(
        webhook=row,
        action=PING,
        body=body_of(PING, actor.now, data),
        by_hand=True,
        next_at=actor.now,
        asked_at=actor.now,
        created_at=actor.now,
    )
    _event(actor, row, "webhook.pinged", {}, delivery=str(ping.uid))
    return ping


@transactional
def webhook_redeliver(*, actor: Actor, webhook: Webhook, delivery: uuid.UUID) -> Delivery:
    """Send a delivery once more, under the id that it had, whatever came of it before.

    Raises Forbidden, NotFound, WebhookDisabled.
    """
    actor, row = _locked(actor, webhook)
    return _again(actor, row, delivery)


@transactional
def delivery_resend(*, actor: Actor, delivery: uuid.UUID) -> Delivery:
    """As `webhook_redeliver`, by staff who hold the permission to switch webhooks off."""
    powers_required(actor, WEBHOOK_STAFF)
    rows = Webhook.objects.select_related("workspace").filter(deliveries__uid=delivery)
    row = rows.select_for_update(of=("self",), no_key=True).first()
    if row is None:
        raise NotFound
    return _again(actor_renewed(actor), row, delivery)


def _again(actor: Actor, row: Webhook, delivery: uuid.UUID) -> Delivery:
    """Have a delivery of a webhook, whose row the caller holds, sent once more."""
    if not row.enabled:
        raise WebhookDisabled
    # The lock of the webhook keeps the sender from writing what comes of an attempt meanwhile.
    found = Delivery.objects.filter(webhook=row, uid=delivery).first()
    if found is None:
        raise NotFound
    found.status, found.by_hand = DeliveryStatus.PENDING.value, True
    found.tries, found.next_at, found.asked_at, found.finished_at = 0, actor.now, actor.now, None
    found.save(update_fields=["status", "by_hand", "tries", "next_at", "asked_at", "finished_at"])
    _event(actor, row, "webhook.redelivered", {}, delivery=str(found.uid))
    return found


@transactional
def webhook_replay(*, actor: Actor, webhook: Webhook, after: Position) -> Job:
    """Ask for a job that sends anew what happened behind a position, to a receiver that lost it.

    What was sent before keeps its id. Raises as `webhook_ping` does.
    """
    actor, row = _locked(actor, webhook)
    if not row.enabled:
        raise WebhookDisabled
    payload = {"webhook": str(row.uid), "after": list(after)}
    job = job_enqueue(actor=actor, kind=WEBHOOK_REPLAY, payload=payload, queue="slow")
    _event(actor, row, "webhook.replayed", {}, after=after.sequence)
    return job


@transactional
def webhook_withdraw(*, actor: Actor, webhook: uuid.UUID) -> None:
    """Switch any webhook off, as staff who hold the permission; raises NotFound, WebhookDisabled."""
    powers_required(actor, WEBHOOK_STAFF)
    row = Webhook.objects.select_related("workspace").filter(uid=webhook)
    found = row.select_for_update(of=("self",), no_key=True).first()
    if found is None:
        raise NotFound
    if not found.enabled:
        raise WebhookDisabled
    webhook_switch_off(actor, found, _BY_STAFF)


def webhook_switch_off(actor: Actor, row: Webhook, reason: str) -> None:
    """Tell an address nothing until somebody switches it on again, and tell the person for whom it spoke.

    Within the transaction of a caller that holds the row; `reason` is `gone`, `failing`, `rights` or `staff`.
    """
    row.enabled, row.disabled_reason, row.updated_at = False, reason, actor.now
    row.save(update_fields=["enabled", "disabled_reason", "updated_at"])
    _event(actor, row, "webhook.disabled", {"enabled": (True, False)}, reason=reason)
    if row.speaks_for_id is not None:
        facts = {"host": urlsplit(row.url).hostname or "", "reason": _TOLD[reason]}
        news = News(WEBHOOK_DISABLED, "workspace", row.workspace.uid, row.workspace.uid, facts)
        notify(actor=actor, users=[row.speaks_for_id], news=news)


_TOLD = {
    "failing": "it has failed for days",
    "gone": "it answered that it is gone",
    "rights": "you may not manage webhooks there any more",
    "staff": "staff did so",
}


def body_of(type_: str, at: dt.datetime, data: Mapping[str, Any]) -> str:
    """The text that is signed and sent; made once, so that each attempt sends the same."""
    content = {"type": type_, "timestamp": at, "data": data}
    return orjson.dumps(content, option=orjson.OPT_UTC_Z).decode()


def origin_of(url: str) -> str:
    """What of an address goes on the record: its path and query may hold a secret of the receiver's."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _following_begin() -> None:
    """Deliveries are made of what settles from the first webhook on; the trail before that concerns none."""
    if not WebhookProgress.objects.filter(pk=1).exists():
        epoch, xid, sequence = position_settled()
        row = WebhookProgress(pk=1, epoch=epoch, xid=xid, sequence=sequence)
        WebhookProgress.objects.bulk_create([row], ignore_conflicts=True)


def _shown(row: Webhook, names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: origin_of(row.url) if name == "url" else getattr(row, name) for name in names}


def _sealed(uid: uuid.UUID, secret: str) -> bytes:
    return seal(SEALED_FOR, secret.encode(), uid.bytes)


def _locked(actor: Actor, webhook: Webhook) -> tuple[Actor, Webhook]:
    """The webhook, locked, and the actor of after that, who may manage it; raises Forbidden, NotFound."""
    workspace_lock(webhook.workspace_id, Strength.ADD, tree=False)
    rows = Webhook.objects.select_related("workspace").filter(pk=webhook.pk)
    row = rows.select_for_update(of=("self",), no_key=True).first()
    actor = actor_renewed(actor)
    if row is None:
        raise NotFound
    require(actor, Action.WEBHOOK, row.workspace)
    return actor, row


def _event(actor: Actor, row: Webhook, action: str, changes: Changes, **facts: str | int) -> None:
    event_record(
        actor=actor,
        action=action,
        target=Target("webhook", row.uid, origin_of(row.url)),
        workspace_uid=row.workspace.uid,
        changes=changes,
        facts=facts,
    )
