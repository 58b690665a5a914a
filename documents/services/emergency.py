"""Opening what is closed to oneself, on the record: by a workspace's owner, or by staff as break-glass.

Both write a grant that ends after an hour, so that the map of rights and all that reads it need no branch.
Here alone a document is found without asking whether the actor sees it; others meet the one 404.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

from accounts.notifications import NoticeKind
from accounts.powers import powers_now
from accounts.services.notifications import News, notify
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.exceptions import AccessHeld, DocumentTrashed
from documents.models import Document, DocumentUserPermission, Origin
from documents.notices import ACCESS_OVERRIDDEN, GLASS_BROKEN
from documents.policies import Action, can, outranks, role_on
from documents.roles import Role
from documents.selectors.access import granters_of
from documents.services.granting import grant_insert, grants_end
from documents.services.locking import actor_renewed

BREAK_GLASS = "documents.break_glass"
LIFETIME = dt.timedelta(hours=1)


@dataclasses.dataclass(frozen=True, slots=True)
class _Exception:
    """What is given, why it stands, how it is told."""

    origin: Origin
    role: Role
    action: str
    news: NoticeKind


_OVERRIDE = _Exception(Origin.OVERRIDE, Role.MANAGER, "document.overridden", ACCESS_OVERRIDDEN)
_GLASS = _Exception(Origin.BREAK_GLASS, Role.VIEWER, "document.glass_broken", GLASS_BROKEN)


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """The grant, and whether it is a new one: a second wish renews the first."""

    grant: DocumentUserPermission
    document: Document
    created: bool


@transactional
def owner_override(*, actor: Actor, document: uuid.UUID, reason: str) -> Opened:
    """Make an owner of the workspace manager of a document for an hour; once more renews it.

    Raises NotFound for who is no owner, AccessHeld for who manages it anyway.
    """
    actor, row = _locked(actor, document, _may_override)
    return _open(actor, row, _OVERRIDE, reason)


@transactional
def break_glass(*, actor: Actor, document: uuid.UUID, reason: str) -> Opened:
    """Let a holder of the named permission read a document for an hour; once more renews it.

    Raises NotFound for who doesn't hold it, DocumentTrashed, AccessHeld for who reads it anyway.
    """
    actor, row = _locked(actor, document, _may_break_glass)
    if row.is_trashed:
        raise DocumentTrashed
    return _open(actor, row, _GLASS, reason)


def may_break_glass(actor: Actor) -> bool:
    """Whether the actor holds the permission by a role of theirs: to be a superuser counts for nothing."""
    return actor.pk is not None and actor.limit is None and BREAK_GLASS in powers_now(actor).permissions


def _may_override(actor: Actor, document: Document) -> bool:
    return actor.pk is not None and can(actor, Action.OVERRIDE, document.workspace)


def _may_break_glass(actor: Actor, document: Document) -> bool:
    return may_break_glass(actor)


def _locked(actor: Actor, uid: uuid.UUID, may: Any) -> tuple[Actor, Document]:
    """The document, locked for who may do this; nobody else ever holds its row."""
    rows = Document.objects.select_related("workspace")
    found = rows.filter(uid=uid).first()
    if found is None or not may(actor, found):
        raise NotFound
    row = rows.select_for_update(no_key=True, of=("self",)).filter(pk=found.pk).first()
    actor = actor_renewed(actor)
    if row is None or not may(actor, row):
        raise NotFound
    return actor, row


def _open(actor: Actor, document: Document, kind: _Exception, reason: str) -> Opened:
    standing = DocumentUserPermission.objects.filter(
        content_object=document, user_id=actor.pk, origin=kind.origin
    )
    # What has run out gives way to a new one; what is alive is renewed.
    grants_end(standing.filter(expires_at__lte=actor.now))
    ends = actor.now + LIFETIME
    grant = standing.first()
    if grant is None and outranks(role_on(actor, document), kind.role):
        raise AccessHeld
    created = grant is None
    if grant is None:
        grant = grant_insert(
            document,
            role=kind.role,
            origin=kind.origin,
            user_pk=actor.pk,
            granted_by=actor.pk,
            expires_at=ends,
            reason=reason,
        )
    else:
        grant.expires_at, grant.reason, grant.updated_at = ends, reason, actor.now
        grant.save(update_fields=["expires_at", "reason", "updated_at"])
    _record(actor, document, kind, reason, ends)
    return Opened(grant, document, created)


def _record(actor: Actor, document: Document, kind: _Exception, reason: str, ends: dt.datetime) -> None:
    event_record(
        actor=actor,
        action=kind.action,
        target=Target("document", document.uid, document.title),
        workspace_uid=document.workspace.uid,
        changes={"role": (None, str(kind.role)), "expires_at": (None, ends)},
        reason=reason,
        facts={"root": str(document.uid), "subjects": [str(actor.uid)]},
    )
    news = News(
        kind.news,
        target_type="document",
        target_uid=document.uid,
        workspace_uid=document.workspace.uid,
        facts={"role": str(kind.role), "reason": reason},
    )
    notify(actor=actor, users={document.owner_id, *granters_of(document, actor.now)}, news=news)
