"""Grants as rows: the private half of the grant and member services."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Model, QuerySet

from accounts.models import Team, User
from audit.services import Entry, Target, events_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import InvalidInput, NotFound
from cloudscribe.lib.postgresql.base import prepared_rows
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from documents.exceptions import GrantExists
from documents.models import (
    AccessRequest,
    Decision,
    Document,
    DocumentGroupPermission,
    DocumentUserPermission,
    Origin,
    Workspace,
)
from documents.models.grant import GroupGrant
from documents.roles import (
    DOCUMENT_CODENAMES,
    RANK,
    ROLE_OF_CODENAME,
    ROLES,
    WORKSPACE_CODENAMES,
    Role,
)
from documents.selectors.grants import grant_model, subject_path

_PERMISSION = CompiledQuery(
    lambda codename: Permission.objects.select_related("content_type").filter(
        codename=codename, content_type__app_label="documents"
    ),
    codename=str,
)


def permission_of(obj: Document | Workspace, role: Role) -> Permission:
    """The permission row that says the role; by its codename, since ids differ between databases."""
    codenames = DOCUMENT_CODENAMES if isinstance(obj, Document) else WORKSPACE_CODENAMES
    found = _PERMISSION.first(codename=codenames[role])
    if found is None:
        raise Permission.DoesNotExist(codenames[role])
    return found


def role_of_grant(grant: Any) -> Role:
    """The role that a grant gives."""
    return ROLE_OF_CODENAME[grant.permission.codename]


def removal_entry(actor: Actor | None, grant: Any, subject: User | Team, action: str = "") -> Entry:
    """The event of a grant that goes with its subject; the grant's place and permission are at hand."""
    place = grant.content_object
    is_room = isinstance(place, Workspace)
    return Entry(
        actor,
        action or ("member.removed" if is_room else "grant.removed"),
        Target("member", grant.uid, str(subject)) if is_room else Target("grant", grant.uid, place.title),
        workspace_uid=place.uid if is_room else place.workspace.uid,
        changes={"role": (str(role_of_grant(grant)), None)},
        facts={"root": str(place.uid), "subjects": [str(subject.uid)]},
    )


def grants_end(ended: QuerySet[Any]) -> int:
    """Remove grants of one table that have run out, each with one `grant.expired` of nobody; how many.

    Whoever comes second waits for the row and finds it gone, so that each end is told once.
    """
    place = "content_object"
    if ended.model in {DocumentUserPermission, DocumentGroupPermission}:
        place = "content_object__workspace"
    rows = list(
        ended.select_related("permission", subject_path(ended.model), place).select_for_update(of=("self",))
    )
    if not rows:
        return 0
    entries = [removal_entry(None, row, _subject_row(row), "grant.expired") for row in rows]
    events_record(entries)
    ended.model._default_manager.filter(pk__in=[row.pk for row in rows]).delete()  # noqa: SLF001 (documented)
    return len(rows)


def _subject_row(grant: Any) -> User | Team:
    found: User | Team = grant.group.team if isinstance(grant, GroupGrant) else grant.user
    return found


def origin_for(expires_at: dt.datetime | None) -> Origin:
    """Why a grant that somebody gives stands: for good or for a time."""
    return Origin.STANDING if expires_at is None else Origin.TEMPORARY


def expiry_check(expires_at: dt.datetime | None, now: dt.datetime) -> None:
    """Raise InvalidInput for an end that has passed."""
    if expires_at is not None and expires_at <= now:
        raise InvalidInput.field("/expires_at", "past", "The end lies in the past.")


def grant_give(
    actor: Actor,
    obj: Document | Workspace,
    role: Role,
    *,
    user: User | None,
    team: Team | None,
    expires_at: dt.datetime | None,
) -> Any:
    """Write a grant to a person or a team in place of one that has run out.

    For services that hold the object's row and have checked the rank. Raises InvalidInput for an end that has
    passed, GrantExists, NotFound for a team or a person that was deleted meanwhile.
    """
    expiry_check(expires_at, actor.now)
    if team is not None:
        _team_hold(team)
    if user is not None:
        person_hold(user.pk)
    origin = origin_for(expires_at)
    subject: dict[str, Any] = {
        "user_pk": user.pk if user else None,
        "group_pk": team.group_id if team else None,
    }
    grant_make_room(obj, origin=origin, now=actor.now, **subject)
    requests_close(actor, obj, role, **subject)
    grant = grant_insert(obj, role=role, origin=origin, granted_by=actor.pk, expires_at=expires_at, **subject)
    if user is not None:
        grant.user = user
    return grant


def grant_insert(
    obj: Document | Workspace,
    *,
    role: Role,
    origin: Origin,
    user_pk: int | None = None,
    group_pk: int | None = None,
    granted_by: int | None = None,
    expires_at: dt.datetime | None = None,
    reason: str = "",
) -> Any:
    """Write a grant, for services that hold the object's row and know that no such grant stands."""
    subject = {"user_id": user_pk} if group_pk is None else {"group_id": group_pk}
    rows = grant_model(obj, team=group_pk is not None)._default_manager  # noqa: SLF001 (documented)
    return rows.create(
        **subject,
        content_object=obj,
        permission=permission_of(obj, role),
        origin=origin,
        granted_by_id=granted_by,
        expires_at=expires_at,
        reason=reason,
    )


def grant_make_room(
    obj: Document | Workspace,
    *,
    origin: Origin,
    now: dt.datetime,
    user_pk: int | None = None,
    group_pk: int | None = None,
) -> None:
    """End a grant of that origin that has run out; raises GrantExists where a live one stands."""
    model = grant_model(obj, team=group_pk is not None)
    subject = user_pk if group_pk is None else group_pk
    ends = _ends(model).rows(subject=subject, place=obj.pk, origin=origin)
    if any(end is None or end > now for end in ends):
        raise GrantExists
    if ends:
        standing = _standing(model, subject, obj.pk, origin)
        grants_end(standing.filter(expires_at__lte=now))


@functools.cache
def _ends(model: type[Model]) -> CompiledQuery[Any]:
    """When the grants of one origin to somebody on something end: None for never."""
    return CompiledQuery(
        lambda subject, place, origin: _standing(model, subject, place, origin).values_list(
            "expires_at", flat=True
        ),
        subject=int,
        place=int,
        origin=str,
    )


def _standing(model: type[Model], subject: int | None, place: int, origin: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._default_manager.filter(content_object_id=place, origin=origin)  # noqa: SLF001
    return rows.filter(group_id=subject) if issubclass(model, GroupGrant) else rows.filter(user_id=subject)


def grant_fresh(grant: Any, obj: Document | Workspace) -> Any:
    """The grant as it is now that its object is held; raises NotFound for one that was removed meanwhile."""
    model: type[Model] = type(grant)
    fresh = _by_key(model).first(pk=grant.pk, place=obj.pk)
    if fresh is None:
        raise NotFound
    return fresh


@functools.cache
def _by_key(model: type[Model]) -> CompiledQuery[Any]:
    """A grant with its permission and to whom it stands."""
    rows = model._default_manager.select_related("permission", subject_path(model))  # noqa: SLF001 (documented)
    return CompiledQuery(lambda pk, place: rows.filter(pk=pk, content_object_id=place), pk=int, place=int)


def subject_of(grant: Any) -> dict[str, int | None]:
    """To whom a grant stands, as the functions here take it: `user_pk` and `group_pk`, one of them None."""
    return {"user_pk": getattr(grant, "user_id", None), "group_pk": getattr(grant, "group_id", None)}


@functools.cache
def _asked_by(field: str) -> CompiledQuery[Any]:
    """Whether whoever the field names has an open request: hardly anybody to whom something is given has."""
    rows = AccessRequest.objects.filter(decided_at__isnull=True).values_list("pk", flat=True)
    return CompiledQuery(lambda pk: rows.filter(**{field: pk})[:1], pk=int)


def requests_close(
    actor: Actor,
    obj: Document | Workspace,
    role: Role,
    *,
    user_pk: int | None = None,
    group_pk: int | None = None,
) -> None:
    """Close what the person, or people of the team, asked for and have now, at and below the object."""
    by, pk = ("asker", user_pk) if group_pk is None else ("asker__groups", group_pk)
    if _asked_by(by).first(pk=pk) is None:
        return
    target = obj.pk if isinstance(obj, Document) else -obj.pk
    reached = [lower for lower in ROLES if RANK[lower] <= RANK[role]]
    rows = AccessRequest.objects.filter(**{by: pk}, decided_at__isnull=True, role__in=reached)
    rows.filter(document__reach__contains=[target]).update(
        decision=Decision.CLOSED, decided_by=actor.pk, decided_at=actor.now
    )


def person_hold(pk: int) -> None:
    """Keep the account from being deleted until the end of the transaction; raises NotFound for one that was.

    The row of a deleted account stays, so that no foreign key would tell.
    """
    held = "SELECT 1 FROM accounts_user WHERE id = %s AND deleted_at IS NULL FOR KEY SHARE"
    if not prepared_rows(held, [pk]):
        raise NotFound


def _team_hold(team: Team) -> None:
    """Keep the team from being deleted until the end of the transaction; raises NotFound for one that was."""
    # The foreign key looks only at the commit, when it is too late for an answer.
    if not prepared_rows("SELECT 1 FROM auth_group WHERE id = %s FOR KEY SHARE", [team.group_id]):
        raise NotFound
