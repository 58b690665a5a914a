"""Telling people what concerns them, and what they do with what they were told."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from accounts.actors import person_held, stranger
from accounts.models import Channel, Notification, NotificationPreference, User
from accounts.notices import notifications_of
from accounts.notifications import NoticeKind, kind_named
from accounts.queues import NOTICES_MAIL
from audit.services import Target, event_record
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import FieldError, InvalidInput, NotFound
from cloudscribe.lib.postgresql.arrays import array_text, one_of
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from cloudscribe.lib.transactions import transactional

_NAME_LENGTH = 200


@dataclasses.dataclass(frozen=True, slots=True)
class News:
    """What is told: its kind, what it is about, the workspace of that, and what its sentence needs.

    Titles of documents, workspaces and teams are none of the facts: they are looked up when they are shown.
    The name of what is the reader's own (a token, a passkey, a device) is the fact `name`.
    """

    kind: NoticeKind
    target_type: str = ""
    target_uid: uuid.UUID | None = None
    workspace_uid: uuid.UUID | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def _people(users: str, kind: str) -> QuerySet[User, tuple[int, str | None]]:
    """Those of the users who can be told something, and which channel they chose for that kind."""
    chosen = NotificationPreference.objects.filter(user_id=OuterRef("pk"), kind=kind).values("channel")
    people = User.objects.filter(one_of("pk", users), kind=User.Kind.PERSON, deleted_at__isnull=True)
    return people.order_by("pk").values_list("pk", Subquery(chosen))


_PEOPLE = CompiledQuery(_people, users=str, kind=str)


def notify(*, actor: Actor, users: Collection[int], news: News) -> None:
    """Tell people, given by their keys, within the caller's transaction, in three statements at most.

    Services aren't told anything, people nothing of their own acts unless the kind warns of those. Who chose
    to be mailed gets the mail by one job for all.
    """
    kind = news.kind
    told = set(users) if kind.mandatory else set(users) - {actor.pk}
    if not told:
        return
    people = _PEOPLE.rows(users=array_text(told), kind=kind.name)
    rows = [_row(actor, news, pk, kind.channel(channel)) for pk, channel in people]
    rows = Notification.objects.bulk_create([row for row in rows if row.channel != Channel.NONE])
    mailed = [str(row.uid) for row in rows if row.channel == Channel.EMAIL]
    if mailed:
        # As for all mails, nobody's job: see `mail_request`.
        payload = {"notifications": mailed}
        job_enqueue(actor=stranger("mail", actor.now), kind=NOTICES_MAIL, payload=payload)


def _row(actor: Actor, news: News, user_pk: int, channel: Channel) -> Notification:
    return Notification(
        user_id=user_pk,
        kind=news.kind.name,
        actor_uid=actor.uid,
        actor_name=actor.name[:_NAME_LENGTH],
        target_type=news.target_type,
        target_uid=news.target_uid,
        workspace_uid=news.workspace_uid,
        facts=dict(news.facts),
        channel=channel,
    )


@transactional
def notification_mark(*, actor: Actor, notification: Notification, read: bool) -> Notification:
    """Note that the actor has read one of theirs, or hasn't; gives it as it is then. Raises NotFound."""
    row = notifications_of(actor).filter(pk=notification.pk)
    row.filter(read_at__isnull=read).update(read_at=Now() if read else None)
    found = row.first()
    if found is None:
        raise NotFound
    return found


@transactional
def notifications_read_all(*, actor: Actor) -> int:
    """Note that the actor has read all that is in their inbox now; how many of them were unread."""
    return notifications_of(actor).filter(read_at__isnull=True).update(read_at=Now())


@transactional
def notification_delete(*, actor: Actor, notification: Notification) -> None:
    """Remove one of the actor's own; what was to be mailed of it isn't any more. Raises NotFound."""
    if not notifications_of(actor).filter(pk=notification.pk).delete()[0]:
        raise NotFound


@transactional
def notification_mailed(*, uid: uuid.UUID) -> None:
    """Note that the mail of a notification is on its way."""
    Notification.objects.filter(uid=uid, mailed_at__isnull=True).update(mailed_at=Now())


@transactional
def notification_preferences_change(*, actor: Actor, channels: Mapping[str, str]) -> None:
    """Choose the channels of some kinds; the others stay as they are.

    Raises InvalidInput that names each kind which is unknown and each channel which its kind doesn't offer.
    """
    faults = [fault for name, channel in channels.items() if (fault := _fault(name, channel))]
    if faults:
        raise InvalidInput("Some of these can't be chosen.", errors=faults)
    user = person_held(actor)
    rows = NotificationPreference.objects.filter(user_id=user.pk, kind__in=channels)
    before = dict(rows.values_list("kind", "channel"))
    changed = {name: channel for name, channel in channels.items() if before.get(name) != channel}
    if not changed:
        return
    NotificationPreference.objects.bulk_create(
        [
            NotificationPreference(user_id=user.pk, kind=name, channel=channel, updated_at=actor.now)
            for name, channel in changed.items()
        ],
        update_conflicts=True,
        unique_fields=["user", "kind"],
        update_fields=["channel", "updated_at"],
    )
    event_record(
        actor=actor,
        action="notification_preferences.changed",
        target=Target("user", user.uid, user.name),
        changes={name: (before.get(name), channel) for name, channel in changed.items()},
    )


def _fault(name: str, channel: str) -> FieldError | None:
    pointer = "/channels/" + name[:60].replace("~", "~0").replace("/", "~1")
    kind = kind_named(name)
    if kind is None:
        return FieldError(pointer, "unknown_kind", "There is no such kind of notification.")
    if channel not in kind.channels:
        return FieldError(pointer, "invalid_choice", f"One of {', '.join(kind.channels)} is due.")
    return None
