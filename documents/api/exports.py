"""`exports/`: documents as an archive that a job makes."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import StrictBooleanField, StrictSerializer, StrictUUIDField
from documents.api.answering import JobAnswering
from documents.api.reaching import DocumentReached
from documents.selectors.visible import workspace_visible
from documents.services.exporting import document_export_request, workspace_export_request


class ExportInput(StrictSerializer):
    """What of: a workspace, or a document with or without what is below it."""

    workspace = StrictUUIDField(required=False)
    document = StrictUUIDField(required=False)
    include_children = StrictBooleanField(required=False, help_text="True where nothing is said.")
    format = serializers.ChoiceField(choices=["markdown"], required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either of both."""
        if len(attrs.keys() & {"workspace", "document"}) != 1:
            fault = serializers.ErrorDetail("Either a workspace or a document is due.", "one_of")
            raise serializers.ValidationError({"workspace": [fault]})
        if "workspace" in attrs and "include_children" in attrs:
            fault = serializers.ErrorDetail("This has no meaning for a workspace.", "not_for_workspace")
            raise serializers.ValidationError({"include_children": [fault]})
        return attrs


class DocumentExportViewSet(DocumentReached, JobAnswering):
    """Documents to take along."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"create": ExportInput}
    answers: ClassVar = {"create": JobOutput}
    statuses: ClassVar = {"create": 202}
    scope_map: ClassVar = {"create": "documents:read"}
    problems: ClassVar = {"create": (404, 410)}
    rate_scope = "export"
    tag = "documents"

    def create(self, request: Request) -> HttpResponseBase:
        """Ask for an archive of all that you see of a workspace, or of a document and what is below it.

        The job's result names its address: a zip with a Markdown file for each document, in folders as they
        stand below each other, their files, `SUMMARY.md`, and `documents.json` with all that Markdown has no
        place for. Links among them lead from file to file. The trash stays out.
        """
        given = self.input()
        if "workspace" in given:
            room = workspace_visible(self.actor, given["workspace"])
            return self.job_answer(workspace_export_request(actor=self.actor, workspace=room))
        document = self.document_named(given["document"])
        below = given.get("include_children", True)
        return self.job_answer(
            document_export_request(actor=self.actor, document=document, include_children=below)
        )
