"""Reads on the record, in workspaces whose policy wants them there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional
from documents.caching import audited_rooms

DOCUMENT_READ = "document.read"
ATTACHMENT_DOWNLOADED = "attachment.downloaded"


def reads_wanted(workspace: uuid.UUID | str) -> bool:
    """Whether the reads of a workspace are put on the record."""
    return str(workspace) in audited_rooms.get()


def read_told(
    *, actor: Actor, action: str, target: Target, workspace: uuid.UUID | str, **facts: str | int
) -> None:
    """Put a read on the record, before its answer goes out; nothing where the workspace doesn't want that.

    A change of the policy holds within two seconds, in every process.
    """
    if reads_wanted(workspace):
        _record(actor=actor, reads=[(target, workspace)], action=action, facts=facts)


def reads_told(*, actor: Actor, reads: Iterable[tuple[Target, uuid.UUID | str]]) -> None:
    """As `read_told`, of documents that one answer shows together, each with its workspace."""
    wanted = [(target, workspace) for target, workspace in reads if reads_wanted(workspace)]
    if wanted:
        _record(actor=actor, reads=wanted, action=DOCUMENT_READ, facts={})


@transactional
def _record(
    *,
    actor: Actor,
    reads: Iterable[tuple[Target, uuid.UUID | str]],
    action: str,
    facts: dict[str, str | int],
) -> None:
    for target, workspace in reads:
        room = uuid.UUID(str(workspace))
        event_record(actor=actor, action=action, target=target, workspace_uid=room, facts=facts)
