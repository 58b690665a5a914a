"""Legal holds: what stands under one can't be removed until it is released."""

from __future__ import annotations

from accounts.powers import powers_required
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import BusinessError, NotFound
from cloudscribe.lib.transactions import transactional
from documents.exceptions import HoldReleased, LegalHold
from documents.models import Document, Hold, Workspace
from documents.selectors.holds import subtree_is_held
from documents.services.locking import Strength, actor_renewed, workspace_lock

PERMISSION = "documents.place_hold"


@transactional
def hold_place(*, actor: Actor, target: Document | Workspace, reason: str) -> Hold:
    """Put a hold on a document with all below it, or on a workspace; several may stand on the same.

    Its own right is enough: the actor need not see what it is put on. A job that has yet to remove it finds
    the hold. Raises Forbidden, NotFound for what was removed meanwhile.
    """
    room = target.workspace if isinstance(target, Document) else target
    # Whoever removes holds this lock for a rewrite: either they see the hold, or this sees that it is gone.
    workspace_lock(room.pk, Strength.ADD, tree=False)
    actor = actor_renewed(actor)
    powers_required(actor, PERMISSION)
    if isinstance(target, Document):
        fresh = Document.objects.filter(pk=target.pk).only("workspace_id").first()
        if fresh is None:
            raise NotFound
        if fresh.workspace_id != room.pk:
            raise BusinessError("It was moved to another workspace meanwhile; try again.")
    hold = Hold.objects.create(
        document=target if isinstance(target, Document) else None,
        workspace=target if isinstance(target, Workspace) else None,
        reason=reason,
        placed_by_id=actor.pk,
        created_at=actor.now,
    )
    _event(actor, hold, "hold.placed", reason)
    return hold


@transactional
def hold_release(*, actor: Actor, hold: Hold, reason: str = "") -> Hold:
    """Let a hold stand no longer; it is remembered. Raises Forbidden, NotFound, HoldReleased."""
    actor = actor_renewed(actor)
    powers_required(actor, PERMISSION)
    # Locked, so that of two who release it at once the second is told.
    rows = Hold.objects.select_related("workspace", "document__workspace")
    fresh = rows.select_for_update(of=("self",), no_key=True).filter(pk=hold.pk).first()
    if fresh is None:
        raise NotFound
    if fresh.released_at is not None:
        raise HoldReleased
    fresh.released_at, fresh.released_by_id = actor.now, actor.pk
    fresh.save(update_fields=["released_at", "released_by"])
    _event(actor, fresh, "hold.released", reason)
    return fresh


def hold_check(root: Document) -> None:
    """Raise LegalHold where removing a document with all below it would take what a hold stands on.

    For services that hold the workspace's lock for a rewrite.
    """
    if subtree_is_held(root):
        raise LegalHold


def _event(actor: Actor, hold: Hold, action: str, reason: str) -> None:
    document, room = hold.document, hold.workspace
    target = Target("document", document.uid, document.title) if document else None
    if target is None and room is not None:
        target = Target.of("workspace", room, room.name)
    workspace = document.workspace if document else room
    if target is None or workspace is None:
        raise AssertionError("a hold stands on a document or on a workspace")
    event_record(
        actor=actor,
        action=action,
        target=target,
        workspace_uid=workspace.uid,
        reason=reason,
        facts={"hold": str(hold.uid)},
    )
