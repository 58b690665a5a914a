"""One document or workspace by its key, for who sees it.

The row comes first and is judged in Python, by the rule of `documents.visibility`: so the question is the
same whoever asks, and its text is built once.
"""

from __future__ import annotations

import functools
import uuid
from typing import Any, TypeVar

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from documents.models import Document, Workspace
from documents.roles import SEE_BIT
from documents.visibility import actions_of

# A primary key, or the public id as it is or as a route has it.
Key = int | uuid.UUID | str
Seen = TypeVar("Seen", Document, Workspace)


def document_visible(actor: Actor, key: Key, *related: str) -> Document:
    """The document, in the trash or not, with its `related` rows.

    Raises NotFound for an absent or hidden one.
    """
    return _seen(actor, Document, key, related)


def workspace_visible(actor: Actor, key: Key) -> Workspace:
    """The workspace; raises NotFound for an absent or hidden one."""
    return _seen(actor, Workspace, key, ())


def _seen(actor: Actor, model: type[Seen], key: Key, related: tuple[str, ...]) -> Seen:
    field = "pk" if isinstance(key, int) else "uid"
    row: Seen | None = _by_key(model, field, related).first(key=key)
    if row is None or not actions_of(actor, row) & SEE_BIT:
        raise NotFound
    return row


@functools.cache
def _by_key(model: type[Seen], field: str, related: tuple[str, ...]) -> CompiledQuery[Any]:
    rows = model._default_manager.all()  # noqa: SLF001 (documented)
    rows = rows.select_related(*related) if related else rows
    kind = int if field == "pk" else uuid.UUID
    return CompiledQuery(lambda key: rows.filter(**{field: key}), key=kind)
