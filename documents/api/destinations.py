"""Documents and places that a body names, as the actor may meet them; and the answer of a large change."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase

from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.jobs.models import Job
from cloudscribe.lib.errors import InvalidInput, NotFound
from documents.api.answering import DocumentAnswering
from documents.models import Document, Workspace
from documents.policies import Action, can
from documents.services.destinations import Destination
from documents.visibility import visible_to

OTHER_WORKSPACE = "The parent stands in another workspace."


class DestinationMixin(DocumentAnswering):
    """For views whose bodies say where a document goes."""

    def even_trashed(self, uid: Any) -> Document:
        """A document by its id; one in the trash only for those who may edit it. Raises NotFound."""
        rows = visible_to(Document.objects.select_related("workspace"), self.actor)
        document = self.get_object_or_404(rows, uid=uid)
        if document.is_trashed and not can(self.actor, Action.EDIT, document):
            raise NotFound
        return document

    def destination(self, document: Document, given: dict[str, Any]) -> Destination:
        """Where a body points to; what it doesn't name stays as it is of the document."""
        siblings = {name: given.get(name) for name in ("before", "after")}
        if given.get("parent"):
            parent = self.even_trashed(given["parent"])
            if given.get("workspace") not in {None, parent.workspace.uid}:
                raise InvalidInput.field("/parent", "other_workspace", OTHER_WORKSPACE)
            return Destination(workspace=parent.workspace, parent=parent, **siblings)
        workspace = document.workspace
        if "workspace" in given and given["workspace"] != workspace.uid:
            rooms = visible_to(Workspace.objects.all(), self.actor)
            return Destination(workspace=self.get_object_or_404(rooms, uid=given["workspace"]), **siblings)
        stays = None if "parent" in given else document.parent
        return Destination(workspace=workspace, parent=stays, **siblings)

    def job_answer(self, job: Job) -> HttpResponseBase:
        """202 with the job that does it."""
        shown = JobOutput(job, context=self.get_serializer_context()).data
        return self.respond(shown, status=202, location=f"/api/v1/jobs/{job.uid}/")
