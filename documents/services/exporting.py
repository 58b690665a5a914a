"""Asking for documents as an archive."""

from __future__ import annotations

from typing import Any

from audit.services import Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional
from documents.models import Document, Workspace
from documents.queues import DOCUMENTS_EXPORT


@transactional
def workspace_export_request(*, actor: Actor, workspace: Workspace) -> Job:
    """Ask for what the actor sees of a workspace; a job makes the archive."""
    job = _asked(actor, {"workspace": str(workspace.uid)})
    workspace_export_record(actor=actor, workspace=workspace)
    return job


@transactional
def document_export_request(*, actor: Actor, document: Document, include_children: bool) -> Job:
    """Ask for a document and, where wanted, what the actor sees below it; a job makes the archive."""
    job = _asked(actor, {"document": str(document.uid), "include_children": include_children})
    event_record(
        actor=actor,
        action="document.exported",
        target=Target("document", document.uid, document.title),
        workspace_uid=document.workspace.uid,
        facts={"include_children": include_children},
    )
    return job


@transactional
def workspace_export_record(*, actor: Actor, workspace: Workspace) -> None:
    """Put on the record that somebody takes a workspace's documents along."""
    event_record(
        actor=actor,
        action="workspace.exported",
        target=Target("workspace", workspace.uid, workspace.name),
        workspace_uid=workspace.uid,
    )


def _asked(actor: Actor, payload: dict[str, Any]) -> Job:
    return job_enqueue(actor=actor, kind=DOCUMENTS_EXPORT, payload=payload, queue="slow")
