"""Locks that people put on documents while they write: everybody else's writes wait for their end."""

from __future__ import annotations

import datetime as dt

from accounts.services.notifications import News, notify
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, InvalidInput
from cloudscribe.lib.transactions import transactional
from documents.exceptions import DocumentArchived
from documents.models import Document, State
from documents.notices import LOCK_BROKEN
from documents.policies import Action, require
from documents.selectors.locks import lock_check
from documents.services.locking import document_held

LONGEST = dt.timedelta(hours=8)
USUAL = dt.timedelta(hours=1)


@transactional
def lock_take(
    *, actor: Actor, document: Document, reason: str = "", lasting: dt.timedelta = USUAL
) -> Document:
    """Lock a document for oneself, from now on for so long; the holder renews it.

    Raises Forbidden, DocumentLocked, DocumentArchived, DocumentTrashed.
    """
    actor, document = document_held(actor, document)
    require(actor, Action.LOCK, document)
    if actor.pk is None:
        raise Forbidden("Only a person can lock a document.")
    if document.state == State.ARCHIVED:
        raise DocumentArchived
    lock_check(actor, document)
    before = document.lock_expires_at
    document.locked_by_id, document.lock_reason = actor.pk, reason
    document.lock_expires_at = actor.now + lasting
    _save(document)
    _event(actor, document, "document.locked", reason, (before, document.lock_expires_at))
    return document


@transactional
def lock_release(*, actor: Actor, document: Document, reason: str = "") -> None:
    """End a lock: the own one, or somebody else's with a reason, of which its holder is told.

    Where nothing is locked nothing happens. Raises Forbidden, InvalidInput without a reason,
    DocumentTrashed.
    """
    actor, document = document_held(actor, document)
    require(actor, Action.LOCK, document)
    before, holder = document.lock_expires_at, document.locked_by_id
    if before is None or before <= actor.now:
        return
    broken = holder != actor.pk
    if broken:
        require(actor, Action.BREAK_LOCK, document)
        if not reason:
            raise InvalidInput.field("?reason", "required", "Say why you break somebody else's lock.")
    document.locked_by_id, document.lock_expires_at, document.lock_reason = None, None, ""
    _save(document)
    _event(actor, document, "document.unlocked", reason, (before, None))
    if broken and holder is not None:
        news = News(
            LOCK_BROKEN,
            target_type="document",
            target_uid=document.uid,
            workspace_uid=document.workspace.uid,
            facts={"reason": reason},
        )
        notify(actor=actor, users=[holder], news=news)


def _save(document: Document) -> None:
    # Not a change of what it says: `updated_at` stays.
    document.save(update_fields=["locked_by", "lock_expires_at", "lock_reason"])


def _event(
    actor: Actor,
    document: Document,
    action: str,
    reason: str,
    expiry: tuple[dt.datetime | None, dt.datetime | None],
) -> None:
    event_record(
        actor=actor,
        action=action,
        target=Target("document", document.uid, document.title),
        workspace_uid=document.workspace.uid,
        changes={"lock_expires_at": expiry},
        reason=reason,
    )
