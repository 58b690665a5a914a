"""Grants on one object, as rows: which tables they stand in, and those that are alive."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from typing import Any

from django.db.models import Model, Q, QuerySet

from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from documents.models import (
    Document,
    DocumentGroupPermission,
    DocumentUserPermission,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.models.grant import GroupGrant


def grant_model(obj: Document | Workspace, *, team: bool) -> type[Model]:
    """The table of grants on such an object, to people or to teams."""
    if isinstance(obj, Document):
        return DocumentGroupPermission if team else DocumentUserPermission
    return WorkspaceGroupPermission if team else WorkspaceUserPermission


def grants_alive(obj: Document | Workspace, now: dt.datetime) -> list[QuerySet[Any]]:
    """Those to people and those to teams, without what has run out."""
    return [_alive(grant_model(obj, team=team), obj.pk, now) for team in (False, True)]


def grant_alive(obj: Document | Workspace, uid: uuid.UUID | str, now: dt.datetime) -> Any:
    """The one of a public id; raises NotFound."""
    for team in (False, True):
        found = _one_alive(grant_model(obj, team=team)).first(uid=uid, place=obj.pk, now=now)
        if found is not None:
            return found
    raise NotFound


def subject_path(model: type[Model]) -> str:
    """To whom grants of the table stand, as a path of relations."""
    return "group__team" if issubclass(model, GroupGrant) else "user"


def _alive(model: type[Model], place: int, now: dt.datetime) -> QuerySet[Any]:
    rows = model._default_manager.select_related("permission", "granted_by", subject_path(model))  # noqa: SLF001
    return rows.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), content_object_id=place)


@functools.cache
def _one_alive(model: type[Model]) -> CompiledQuery[Any]:
    return CompiledQuery(
        lambda uid, place, now: _alive(model, place, now).filter(uid=uid),
        uid=uuid.UUID,
        place=int,
        now=dt.datetime,
    )
