"""Grants that have run out: they count no more at that moment, and go with an event soon after."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.functions import Now

from cloudscribe.lib.transactions import transactional
from documents.models import (
    DocumentGroupPermission,
    DocumentUserPermission,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.services.granting import grants_end

_TABLES: tuple[type[Model], ...] = (
    DocumentUserPermission,
    DocumentGroupPermission,
    WorkspaceUserPermission,
    WorkspaceGroupPermission,
)
_BATCH = 500


def grants_expire() -> int:
    """Remove all that has run out, each with its `grant.expired`; how many. For the scheduler."""
    one, *others = (_ended(table).values("pk") for table in _TABLES)
    if not one.union(*others, all=True).exists():
        return 0
    return sum(_table_expire(table) for table in _TABLES)


def _ended(table: type[Model]) -> QuerySet[Any]:
    return table._default_manager.filter(expires_at__lte=Now())  # noqa: SLF001 (documented)


def _table_expire(table: type[Model]) -> int:
    gone = 0
    while ended := _some_expire(table):
        gone += ended
        if ended < _BATCH:
            break
    return gone


@transactional
def _some_expire(table: type[Model]) -> int:
    return grants_end(_ended(table).order_by("expires_at", "pk")[:_BATCH])
