"""Asking for access: what the asker learns is the same for every id, whether it is there or not."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from accounts.actors import person_held, service_actor, stranger
from accounts.models import User
from accounts.services.notifications import News, notify
from audit.services import Target, event_record
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.exceptions import AccessRequestClosed, AccessRequestsSpent
from documents.models import AccessRequest, Decision, Document, DocumentUserPermission
from documents.notices import ACCESS_REQUESTED
from documents.policies import Action, outranks, require, role_on
from documents.queues import ACCESS_REQUEST_TELL
from documents.roles import RANK, Role
from documents.selectors.access import granters_of
from documents.services.granting import expiry_check, origin_for, role_of_grant
from documents.services.grants import grant_given, grant_rewrite, rank_check
from documents.services.locking import actor_renewed, document_held

_AT_ONCE = 100
_KEPT = dt.timedelta(days=100)
# What its asker sees as open: that one was declined would tell that there is such a document.
_OPEN_TO_ASKER = Q(decision__in=["", Decision.DECLINED])


@transactional
def access_request_make(*, actor: Actor, document: uuid.UUID, role: Role, message: str = "") -> AccessRequest:
    """Ask for a role on whatever has this id; a second time changes the first wish.

    The same statements run for any id: whether there is such a document, and who is to be told, is found out
    by a job. Raises AccessRequestsSpent for who has too many open.
    """
    # One after the other, so that two wishes at once for one document become one.
    asker = person_held(actor)
    actor = actor_renewed(actor)
    mine = AccessRequest.objects.filter(asker=asker)
    mine.filter(document_uid=document, decided_at__isnull=True, expires_at__lte=actor.now).delete()
    live = mine.filter(_OPEN_TO_ASKER, expires_at__gt=actor.now)
    row = live.filter(document_uid=document).order_by("-pk").first()
    if row is None:
        if live.count() >= _AT_ONCE:
            raise AccessRequestsSpent
        row = _insert(actor, asker, document, role, message)
    elif (row.role, row.message) == (role, message):
        return row
    else:
        row.role, row.message, row.changed_at = role, message, actor.now
        row.save(update_fields=["role", "message", "changed_at"])
    _event(actor, row, "access_request.created", role=(None, str(role)))
    return row


def _insert(actor: Actor, asker: User, document: uuid.UUID, role: Role, message: str) -> AccessRequest:
    row = AccessRequest.objects.create(
        document_uid=document,
        document_id=Document.objects.filter(uid=document).values_list("pk", flat=True).first(),
        asker=asker,
        role=role,
        message=message,
        created_at=actor.now,
        expires_at=actor.now + dt.timedelta(seconds=settings.ACCESS_REQUEST_LIFETIME),
    )
    # Nobody's job: the asker would find in its result what they are not told.
    job_enqueue(
        actor=stranger("access requests", actor.now),
        kind=ACCESS_REQUEST_TELL,
        payload={"request": str(row.uid)},
    )
    return row


@transactional
def access_request_tell(*, request: uuid.UUID) -> None:
    """Tell those who may answer a request, once for each asker and document; close one that is pointless."""
    rows = AccessRequest.objects.select_for_update(no_key=True, of=("self",))
    row = rows.select_related("document__workspace", "asker").filter(uid=request).first()
    if row is None or row.decided_at is not None or row.told_at is not None:
        return
    document = row.document
    if document is None or document.is_trashed:
        return
    try:
        asker = service_actor(row.asker)
    except NotFound:
        return
    if outranks(role_on(asker, document), Role(row.role)):
        _decide(row, Decision.CLOSED, None, asker.now)
        return
    _tell(asker, row, document)
    row.told_at = asker.now
    row.save(update_fields=["told_at"])


def _tell(asker: Actor, row: AccessRequest, document: Document) -> None:
    since = asker.now - dt.timedelta(seconds=settings.ACCESS_REQUEST_LIFETIME)
    if AccessRequest.objects.filter(document=document, asker_id=row.asker_id, told_at__gt=since).exists():
        return
    news = News(
        ACCESS_REQUESTED,
        target_type="document",
        target_uid=document.uid,
        workspace_uid=document.workspace.uid,
        facts={"role": row.role},
    )
    notify(actor=asker, users=granters_of(document, asker.now), news=news)
    # In the workspace, and not as the asker's own act: of those they find the workspace in their export.
    _event(stranger("access requests", asker.now), row, "access_request.received", document.workspace.uid)


@transactional
def access_request_approve(
    *,
    actor: Actor,
    document: Document,
    request: uuid.UUID,
    role: Role | None = None,
    expires_at: dt.datetime | None = None,
) -> AccessRequest:
    """Give what was asked for, or another role up to the own one, for good or for a time.

    A grant that the asker has already is raised. Raises NotFound, AccessRequestClosed, Forbidden,
    InvalidInput.
    """
    actor, document, row = _answered(actor, document, request)
    given = role or Role(row.role)
    rank_check(actor, document, given)
    expiry_check(expires_at, actor.now)
    _give(actor, document, row.asker, given, expires_at)
    _decide(row, Decision.APPROVED, actor.pk, actor.now)
    _event(actor, row, "access_request.approved", document.workspace.uid, role=(row.role, str(given)))
    return row


@transactional
def access_request_decline(*, actor: Actor, document: Document, request: uuid.UUID) -> AccessRequest:
    """Decline a request; the asker isn't told. Raises NotFound, AccessRequestClosed, Forbidden."""
    actor, document, row = _answered(actor, document, request)
    _decide(row, Decision.DECLINED, actor.pk, actor.now)
    _event(actor, row, "access_request.declined", document.workspace.uid)
    return row


@transactional
def access_requests_purge() -> int:
    """Delete what ended long ago; how many."""
    return AccessRequest.objects.filter(expires_at__lt=Now() - _KEPT).delete()[0]


def _answered(actor: Actor, document: Document, request: uuid.UUID) -> tuple[Actor, Document, AccessRequest]:
    """The document and the request locked, the request open, the actor of now, who may answer it."""
    actor, document = document_held(actor, document)
    require(actor, Action.ANSWER_REQUESTS, document)
    rows = AccessRequest.objects.select_for_update(no_key=True, of=("self",)).select_related("asker")
    row = rows.filter(uid=request, document=document).first()
    if row is None:
        raise NotFound
    if row.decided_at is not None or row.expires_at <= actor.now:
        raise AccessRequestClosed
    return actor, document, row


def _give(actor: Actor, document: Document, asker: User, role: Role, expires_at: dt.datetime | None) -> None:
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=actor.now)
    standing = (
        DocumentUserPermission.objects.select_related("permission")
        .filter(alive, user=asker, content_object=document, origin=origin_for(expires_at))
        .first()
    )
    if standing is None:
        grant_given(actor, document, role, user=asker, expires_at=expires_at)
    else:
        held, ends = role_of_grant(standing), standing.expires_at
        later = expires_at if ends is None or expires_at is None else max(ends, expires_at)
        grant_rewrite(actor, document, standing, max(held, role, key=RANK.__getitem__), later)


def _decide(row: AccessRequest, decision: Decision, by: int | None, now: dt.datetime) -> None:
    row.decision, row.decided_by_id, row.decided_at = decision, by, now
    row.save(update_fields=["decision", "decided_by", "decided_at"])


def _event(
    actor: Actor, row: AccessRequest, action: str, room: uuid.UUID | None = None, **changes: tuple[Any, Any]
) -> None:
    # Without the document's title: of a wish it is the same whether there is such a document.
    event_record(
        actor=actor,
        action=action,
        target=Target("access_request", row.uid, ""),
        workspace_uid=room,
        changes=changes,
        facts={"document": str(row.document_uid), "asker": str(row.asker.uid)},
    )
