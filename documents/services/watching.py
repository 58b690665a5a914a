"""Telling those who watch something of its changes.

Writes know nothing of watches: the trail has what changed, and is read on by a job every minute. So a save
costs no statement more, and many saves are one piece of news.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q

from accounts.models import Notification
from accounts.services.notifications import News, notify
from audit.models import Event, EventDetail
from audit.selectors import Position, events_settled, position_settled
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional
from documents.models import Document, Watch, WatchProgress
from documents.notices import DOCUMENT_CHANGED
from documents.selectors.access import readers_of
from documents.services.locking import actor_renewed

# What is told, in the words of the sentence. Of what went into the trash nothing could be shown.
_CHANGES = {
    "document.archived": "archived",
    "document.created": "made",
    "document.moved": "moved",
    "document.published": "published",
    "document.restored": "restored",
    "document.unarchived": "brought back",
    "document.unpublished": "withdrew",
    "document.updated": "changed",
}
_BATCH = 500
# For so long after a piece of news that wasn't read the next ones about the same document are left out.
QUIET = dt.timedelta(hours=1)


@dataclasses.dataclass(frozen=True, slots=True)
class _Watcher:
    """A person and the documents, by key, that they watch among those that changed."""

    pk: int
    uid: uuid.UUID
    documents: set[int]


@transactional
def watchers_tell(*, actor: Actor, quiet: dt.timedelta = QUIET) -> bool:
    """Tell of the next events behind those that were told; False where that were all.

    Each watcher hears of a document once, of the last change that isn't their own, if they may see it now and
    have no news of it that is younger than `quiet` and unread. The first call only notes where to begin.
    """
    progress, made = WatchProgress.objects.select_for_update().get_or_create(pk=1)
    if made:
        _advance(progress, position_settled())
        return False
    events = events_settled(Position(progress.epoch, progress.xid, progress.sequence), _BATCH)
    if not events:
        return False
    _tell(actor, [event for event in events if event.action in _CHANGES], quiet)
    last = events[-1]
    _advance(progress, Position(last.epoch, last.xid, last.sequence))
    return len(events) == _BATCH


def _advance(progress: WatchProgress, position: Position) -> None:
    progress.epoch, progress.xid, progress.sequence = position
    progress.save(update_fields=["epoch", "xid", "sequence"])


def _tell(actor: Actor, events: Sequence[Event], quiet: dt.timedelta) -> None:
    changes: dict[uuid.UUID, list[Event]] = defaultdict(list)
    for event in events:
        if event.target_uid is not None:
            changes[event.target_uid].append(event)
    rows = Document.objects.filter(uid__in=changes, trashed_at__isnull=True).select_related("workspace")
    documents = {row.pk: row for row in rows}
    told: dict[tuple[int, int], list[int]] = defaultdict(list)
    by_sequence = {event.sequence: event for event in events}
    watchers = _watchers(documents)
    silent = _silent(watchers, documents, actor.now - quiet)
    # What they may see at this moment, whatever it was when the job began.
    seen = readers_of(documents.values(), [watcher.pk for watcher in watchers], actor_renewed(actor).now)
    for watcher in watchers:
        for pk in sorted(watcher.documents & seen.get(watcher.pk, set())):
            last = _last_of_others(changes[documents[pk].uid], watcher.uid)
            if last is not None and (watcher.pk, documents[pk].uid) not in silent:
                told[last.sequence, pk].append(watcher.pk)
    names = _names(sequence for sequence, _ in told)
    for (sequence, pk), users in told.items():
        event, document = by_sequence[sequence], documents[pk]
        changer = dataclasses.replace(actor, uid=event.actor_uid, name=names.get(sequence, "Somebody"))
        facts = {"change": _CHANGES[event.action]}
        news = News(DOCUMENT_CHANGED, "document", document.uid, document.workspace.uid, facts)
        notify(actor=changer, users=users, news=news)


def _watchers(documents: Mapping[int, Document]) -> list[_Watcher]:
    """Who watches any of the documents: itself, what is above it as a subtree, or its workspace."""
    above = {key for document in documents.values() for key in document.line}
    rooms = {row.workspace_id for row in documents.values()}
    wanted = Q(document__in=documents) | Q(document__in=above, subtree=True) | Q(workspace__in=rooms)
    rows = Watch.objects.filter(wanted, user__is_active=True).select_related("user").order_by("user_id")
    found: dict[int, _Watcher] = {}
    for row in rows:
        watcher = found.setdefault(row.user_id, _Watcher(row.user_id, row.user.uid, set()))
        watcher.documents.update(pk for pk, document in documents.items() if _covers(row, document))
    return list(found.values())


def _covers(watch: Watch, document: Document) -> bool:
    if watch.workspace_id is not None:
        return watch.workspace_id == document.workspace_id
    return watch.document_id == document.pk or (watch.subtree and watch.document_id in document.line)


def _last_of_others(events: Sequence[Event], watcher: uuid.UUID) -> Event | None:
    others = (event for event in reversed(events) if watcher not in {event.actor_uid, event.on_behalf_of})
    return next(others, None)


def _silent(
    watchers: Sequence[_Watcher], documents: Mapping[int, Document], since: dt.datetime
) -> set[tuple[int, uuid.UUID | None]]:
    """Pairs of person and document of which there is unread news, not older than that."""
    unread = Notification.objects.filter(
        kind=DOCUMENT_CHANGED.name,
        user_id__in=[watcher.pk for watcher in watchers],
        target_uid__in=[row.uid for row in documents.values()],
        read_at__isnull=True,
        created_at__gt=since,
    )
    return set(unread.values_list("user_id", "target_uid"))


def _names(sequences: Iterable[int]) -> dict[int, str]:
    """Who changed it, as of then; without those who were erased since."""
    rows = EventDetail.objects.filter(pk__in=list(sequences))
    return {row.pk: row.content["actor"] for row in rows if row.content["actor"]}
