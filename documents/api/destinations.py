"""Documents and places that a body names, as the actor may meet them; and the answer of a large change."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.http import HttpResponseBase

from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.jobs.models import Job
from cloudscribe.lib.errors import InvalidInput, NotFound
from documents.api.answering import DocumentAnswering, JobAnswering
from documents.api.serializers import DocumentAnswer
from documents.models import Document
from documents.policies import Action, can
from documents.selectors.visible import document_visible, workspace_visible
from documents.services.destinations import Destination
from documents.services.tree_jobs import TreeChange

# What a change of a subtree answers, by the status.
CHANGED = {200: DocumentAnswer, 202: JobOutput}
OTHER_WORKSPACE = "The parent stands in another workspace."


class DestinationMixin(JobAnswering, DocumentAnswering):
    """For views whose bodies say where a document goes."""

    def even_trashed(self, uid: Any) -> Document:
        """A document by its id; one in the trash only for those who may edit it. Raises NotFound."""
        document = document_visible(self.actor, uid, "workspace")
        if document.is_trashed and not can(self.actor, Action.EDIT, document):
            raise NotFound
        return document

    def destination(self, document: Document, given: dict[str, Any]) -> Destination:
        """Where a body points to; what it doesn't name stays as it is of the document."""
        own = not given.get("parent") and given.get("workspace") == document.workspace.uid
        return self.placed(document, None if own else self.place_named(given), given)

    def placed(self, document: Document, named: Destination | None, given: dict[str, Any]) -> Destination:
        """As `destination`, where the place that the body names is looked up already."""
        if named is None or ("parent" not in given and named.workspace.pk == document.workspace_id):
            named = Destination(document.workspace, None if "parent" in given else document.parent)
        return dataclasses.replace(named, before=given.get("before"), after=given.get("after"))

    def place_named(self, given: dict[str, Any]) -> Destination | None:
        """The parent, or else the workspace, that a body names; None where it names neither.

        Raises NotFound, and InvalidInput where the parent stands in another workspace than the one named.
        """
        if given.get("parent"):
            parent = self.even_trashed(given["parent"])
            if given.get("workspace") not in {None, parent.workspace.uid}:
                raise InvalidInput.field("/parent", "other_workspace", OTHER_WORKSPACE)
            return Destination(workspace=parent.workspace, parent=parent)
        if "workspace" not in given:
            return None
        return Destination(workspace=workspace_visible(self.actor, given["workspace"]))

    def tree_answer(self, changed: TreeChange | Document | Job, **options: Any) -> HttpResponseBase:
        """The document whose subtree was changed, or 202 with the job that changes it."""
        if isinstance(changed, Job):
            return self.job_answer(changed)
        if isinstance(changed, TreeChange):
            options["hidden"] = changed.hidden
            changed = changed.document
        return self.document_answer(changed, **options)
