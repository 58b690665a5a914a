"""Where documents are moved or copied to, as it stands once its workspace is locked."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import InvalidInput, NotFound
from documents.models import Document, Workspace
from documents.policies import Action, can
from documents.selectors.visible import document_visible


@dataclasses.dataclass(frozen=True, slots=True)
class Destination:
    """Where a document goes: below `parent`, or on top of `workspace`; next to a sibling, else last."""

    workspace: Workspace
    parent: Document | None = None
    before: uuid.UUID | None = None
    after: uuid.UUID | None = None


def destination_payload(to: Destination) -> dict[str, Any]:
    """The destination as ids, for a job's row."""
    return {
        "workspace": to.workspace.pk,
        "parent": to.parent and to.parent.pk,
        "before": to.before and str(to.before),
        "after": to.after and str(to.after),
    }


def destination_of(actor: Actor, payload: dict[str, Any]) -> Destination:
    """The inverse of `destination_payload`; raises NotFound for what is no more or not to be seen."""
    workspace = Workspace.objects.filter(pk=payload["workspace"]).first()
    parent = None
    if payload["parent"] is not None:
        parent = document_visible(actor, payload["parent"])
    if workspace is None:
        raise NotFound
    before, after = (payload[name] and uuid.UUID(payload[name]) for name in ("before", "after"))
    return Destination(workspace, parent, before, after)


def parent_read(actor: Actor, to: Destination) -> Document | None:
    """The parent as it stands now that its workspace is locked; raises NotFound for a hidden one."""
    if to.parent is None:
        return None
    parent = document_visible(actor, to.parent.pk)
    if parent.is_trashed and not can(actor, Action.EDIT, parent):
        raise NotFound
    if parent.workspace_id != to.workspace.pk:
        raise InvalidInput.field("/parent", "other_workspace", "The parent stands in another workspace.")
    return parent
