"""Grants on documents, inherited by what stands below."""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import Team, User
from accounts.services.notifications import News, notify
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden
from cloudscribe.lib.transactions import transactional
from documents.etags import ExpectedRevision, expected_check
from documents.models import Document, DocumentUserPermission, Origin
from documents.notices import GRANT_GIVEN
from documents.policies import Action, outranks, require, role_on
from documents.roles import Role
from documents.services.granting import (
    expiry_check,
    grant_fresh,
    grant_give,
    grant_make_room,
    origin_for,
    permission_of,
    requests_close,
    role_of_grant,
    subject_of,
)
from documents.services.locking import document_held


@transactional
def grant_set(
    *,
    actor: Actor,
    document: Document,
    role: Role,
    user: User | None = None,
    team: Team | None = None,
    expires_at: dt.datetime | None = None,
    expected: ExpectedRevision | None = None,
) -> Any:
    """Give a person or a team a role on a document, up to the own one.

    Raises GrantExists, Forbidden, PreconditionFailed.
    """
    actor, document = document_held(actor, document)
    rank_check(actor, document, role)
    expected_check(expected, document, actor)
    return grant_given(actor, document, role, user=user, team=team, expires_at=expires_at)


def grant_given(
    actor: Actor,
    document: Document,
    role: Role,
    *,
    user: User | None = None,
    team: Team | None = None,
    expires_at: dt.datetime | None = None,
) -> Any:
    """Write a grant with its event and tell the person; for services that hold the document and its rank."""
    grant = grant_give(actor, document, role, user=user, team=team, expires_at=expires_at)
    _event(actor, document, grant, "grant.set", role=(None, str(role)), expires_at=(None, expires_at))
    if user is not None:
        news = News(
            GRANT_GIVEN,
            target_type="document",
            target_uid=document.uid,
            workspace_uid=document.workspace.uid,
            facts={"role": str(role)},
        )
        notify(actor=actor, users=[user.pk], news=news)
    return grant


@transactional
def grant_change(*, actor: Actor, document: Document, grant: Any, changes: dict[str, Any]) -> Any:
    """Change a grant's `role` or `expires_at`. Raises GrantExists, Forbidden, NotFound."""
    actor, document = document_held(actor, document)
    grant = grant_fresh(grant, document)
    role, expires_at = changes.get("role", role_of_grant(grant)), changes.get("expires_at", grant.expires_at)
    rank_check(actor, document, role)
    return grant_rewrite(actor, document, grant, role, expires_at)


def grant_rewrite(
    actor: Actor, document: Document, grant: Any, role: Role, expires_at: dt.datetime | None
) -> Any:
    """Give a grant another role and end, with its event; for services that hold the document.

    The actor's rank must reach up to the new role; here it must to the old one.
    """
    before = role_of_grant(grant)
    rank_check(actor, document, before)
    if (role, expires_at) == (before, grant.expires_at):
        return grant
    if expires_at != grant.expires_at:
        expiry_check(expires_at, actor.now)
        _origin_change(actor, document, grant, origin_for(expires_at))
    old_expiry, grant.expires_at = grant.expires_at, expires_at
    grant.permission = permission_of(document, role)
    grant.updated_at = actor.now
    grant.save(update_fields=["permission", "expires_at", "origin", "updated_at"])
    requests_close(actor, document, role, **subject_of(grant))
    _event(
        actor,
        document,
        grant,
        "grant.set",
        role=(str(before), str(role)),
        expires_at=(old_expiry, expires_at),
    )
    return grant


@transactional
def grant_remove(*, actor: Actor, document: Document, grant: Any) -> None:
    """Take a grant away; everybody may give up their own. Raises Forbidden, NotFound."""
    actor, document = document_held(actor, document)
    grant = grant_fresh(grant, document)
    role = role_of_grant(grant)
    if getattr(grant, "user_id", None) != actor.pk or actor.pk is None:
        rank_check(actor, document, role)
    _event(actor, document, grant, "grant.removed", role=(str(role), None))
    grant.delete()


def rank_check(actor: Actor, document: Document, role: Role) -> None:
    """Raise Forbidden for who may not grant here, or nothing as high as this."""
    require(actor, Action.GRANT, document)
    if not outranks(role_on(actor, document), role):
        raise Forbidden(f"Your own role does not reach up to {role}.", extra={"action": Action.GRANT})


def _origin_change(actor: Actor, document: Document, grant: Any, origin: Origin) -> None:
    """Only standing and temporary grants take or lose an end; the others keep the one that they came with."""
    if grant.origin not in {Origin.STANDING, Origin.TEMPORARY}:
        raise Forbidden("The end of this grant is fixed by how it came about.")
    if origin != grant.origin:
        grant_make_room(document, origin=origin, now=actor.now, **subject_of(grant))
    grant.origin = origin


def _event(actor: Actor, document: Document, grant: Any, action: str, **changes: tuple[Any, Any]) -> None:
    is_person = isinstance(grant, DocumentUserPermission)
    subject = grant.user if is_person else grant.group.team
    event_record(
        actor=actor,
        action=action,
        target=Target("grant", grant.uid, document.title),
        workspace_uid=document.workspace.uid,
        changes=changes,
        facts={"root": str(document.uid), "subjects": [str(subject.uid)]},
    )
