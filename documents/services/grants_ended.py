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
    return sum(_table_expire(table) for table in _TABLES)


def _table_expire(table: type[Model]) -> int:
    gone = 0
    while ended := _some_expire(table):
        gone += ended
        if ended < _BATCH:
            break
    return gone


@transactional
def _some_expire(table: type[Model]) -> int:
    rows: QuerySet[Any] = table._default_manager.filter(expires_at__lte=Now())  # noqa: SLF001 (documented)
    return grants_end(rows.order_by("expires_at", "pk")[:_BATCH])
