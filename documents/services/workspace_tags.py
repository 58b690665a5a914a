"""Tags of a whole workspace: renamed, merged and removed by a job that revises each document."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from audit.services import Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import DomainError, InvalidInput, NotFound
from cloudscribe.lib.transactions import transactional
from documents.exceptions import TagExists
from documents.models import Document, Workspace
from documents.policies import ACTION_BITS, Action, require
from documents.queues import TAG_CHANGE
from documents.selectors.tags import tag_is_used
from documents.selectors.visible import workspace_visible
from documents.services.locking import actor_renewed
from documents.services.tagging import tags_revise
from documents.visibility import visible_to

_BATCH = 50


@dataclasses.dataclass(slots=True)
class TagsChanged:
    """How many documents were revised, and how many of those that the actor sees were left as they are."""

    changed: int = 0
    left: int = 0


@transactional
def tag_change(*, actor: Actor, workspace: Workspace, tag: str, into: str | None, merge: bool = False) -> Job:
    """Ask for the job that puts `into` in the place of a tag, or with None takes it away.

    Raises Forbidden, NotFound for a tag that no document has which the actor sees, and TagExists where `into`
    is another tag already and no merge is asked for; for a merge it has to be, else InvalidInput.
    """
    actor = actor_renewed(actor)
    require(actor, Action.TAG, workspace)
    if not tag_is_used(actor, workspace, tag):
        raise NotFound
    if into is not None:
        _target_check(actor, workspace, tag, into, merge=merge)
    action = "tag.removed" if into is None else "tag.merged" if merge else "tag.renamed"
    event_record(
        actor=actor,
        action=action,
        target=Target("workspace", workspace.uid, workspace.name),
        workspace_uid=workspace.uid,
        changes={"tag": (tag, into)},
    )
    payload = {"workspace": workspace.pk, "tag": tag, "into": into}
    return job_enqueue(actor=actor, kind=TAG_CHANGE, payload=payload, queue="slow")


def _target_check(actor: Actor, workspace: Workspace, tag: str, into: str, *, merge: bool) -> None:
    pointer = "/into" if merge else "/tag"
    if into == tag:
        raise InvalidInput.field(pointer, "same", "It is the same tag.")
    used = tag_is_used(actor, workspace, into)
    if used and not merge:
        raise TagExists
    if merge and not used:
        raise InvalidInput.field(pointer, "no_such_tag", "No document has this tag.")


def tag_rewrite(
    *, actor: Actor, workspace: int, tag: str, into: str | None, progress: Callable[[int], object] = int
) -> TagsChanged:
    """Revise each document that has the tag and that the actor may edit, in a transaction each.

    What is archived, locked by somebody else or not the actor's to edit is left and counted. What was revised
    before is not found again, so that it can be started anew. Raises Forbidden, NotFound.
    """
    result = TagsChanged()
    last = 0
    while batch := _batch(actor, workspace, tag, last):
        last = batch[-1].pk
        for document in batch:
            try:
                _document_retag(actor=actor, document=document, tag=tag, into=into)
            except DomainError:
                result.left += 1
            else:
                result.changed += 1
            progress(result.changed + result.left)
    return result


def _batch(actor: Actor, workspace: int, tag: str, after: int) -> list[Document]:
    """Documents with the tag that the actor sees; raises once the actor may not change tags any more."""
    actor = actor_renewed(actor)
    room = workspace_visible(actor, workspace)
    require(actor, Action.TAG, room)
    rows = Document.objects.filter(
        workspace=room, tags__contains=[tag], trashed_at__isnull=True, pk__gt=after
    )
    return list(visible_to(rows, actor, ACTION_BITS[Action.SEE]).order_by("pk")[:_BATCH])


@transactional
def _document_retag(*, actor: Actor, document: Document, tag: str, into: str | None) -> None:
    def change(tags: list[str]) -> list[str]:
        return [into if name == tag else name for name in tags if into is not None or name != tag]  # type: ignore[misc]

    note = f"Tag {tag} removed" if into is None else f"Tag {tag} became {into}"
    tags_revise(actor, document, change, note=note)
