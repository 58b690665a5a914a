"""Documents as an archive, made in the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from cloudscribe.jobs.files import job_file_store
from cloudscribe.jobs.registry import job_handler
from cloudscribe.jobs.run import JobRun
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.storage import temporary_file
from documents.exporting.writing import EXPORT_NAME, Export
from documents.models import Document
from documents.queues import DOCUMENTS_EXPORT
from documents.selectors.visible import document_visible, workspace_visible
from documents.services.locking import actor_renewed
from documents.services.placing import subtree
from documents.visibility import visible_to


@job_handler(DOCUMENTS_EXPORT, timeout=3600)
def documents_export(run: JobRun) -> dict[str, Any]:
    """Put the archive together; a second run's file takes the place of the first's."""

    def readable() -> QuerySet[Document]:
        actor = actor_renewed(run.actor)
        return visible_to(_wanted(actor, run.payload).filter(trashed_at__isnull=True), actor)

    with temporary_file() as archive:
        result = Export(archive, readable, run.actor.now).write(run.progress)
        job_file_store(run=run, name=EXPORT_NAME, media_type="application/zip", content=archive)
    return {"url": f"/api/v1/jobs/{run.job.uid}/file/", **result}


def _wanted(actor: Actor, asked: Mapping[str, Any]) -> QuerySet[Document]:
    """What was asked for, wherever it stands by now, if it may still be seen; raises NotFound."""
    if "workspace" in asked:
        return Document.objects.filter(workspace=workspace_visible(actor, asked["workspace"]))
    document = document_visible(actor, asked["document"])
    return subtree(document) if asked["include_children"] else Document.objects.filter(pk=document.pk)
