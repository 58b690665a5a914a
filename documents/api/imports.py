"""`imports/`: folders of Markdown become trees of documents, by a job."""

from __future__ import annotations

import uuid
from typing import Any, BinaryIO, ClassVar, cast

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.lib.errors import InvalidInput, ServiceUnavailable
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import FormBooleanField, StrictSerializer, StrictUUIDField
from cloudscribe.lib.uploads import Upload, UploadParser
from documents.api.destinations import DestinationMixin
from documents.models import Document, Workspace
from documents.services.blobs import Incoming, blob_store
from documents.services.documents import creation_check
from documents.services.import_requests import Source, import_request, upload_kind
from security.content import content_inspect
from security.idempotency import answer_is_kept


class ImportInput(StrictSerializer):
    """A folder of Markdown files as a zip, or one such file, and where its documents go."""

    file = serializers.FileField(
        max_length=4096,
        help_text="A `.zip` of Markdown files and pictures, or one `.md` or `.markdown` file.",
    )
    workspace = StrictUUIDField()
    parent = StrictUUIDField(  # type: ignore[assignment]
        required=False, help_text="A document of the workspace to go below; without, they go to the top."
    )
    dry_run = FormBooleanField(required=False, default=False, help_text="Only say what would be done.")
    format = serializers.ChoiceField(choices=["markdown"], required=False, default="markdown")


class ImportViewSet(DestinationMixin):
    """Imports of documents."""

    permission_classes = [Authenticated]
    parser_classes = (UploadParser,)
    serializers: ClassVar = {"create": ImportInput}
    answers: ClassVar = {"create": JobOutput}
    statuses: ClassVar = {"create": 202}
    scope_map: ClassVar = {"create": "documents:write"}
    problems: ClassVar = {"create": (409, 410, 423, 507)}
    rate_scope = "export"
    tag = "documents"
    source: Source | None = None

    def _prepare_write(self, request: Request) -> None:
        """Have the file in the storage before the guard of creations opens its transaction."""
        self.given: dict[str, Any] = self.input()
        if len(request.FILES.getlist("file")) > 1:
            raise InvalidInput.field("/file", "too_many", "One file at a time is taken here.")
        self.workspace, self.parent = self._place(self.given["workspace"], self.given.get("parent"))
        # For an answer that is kept nothing has to be stored again.
        if not answer_is_kept(request, self.actor):
            creation_check(self.actor, self.workspace, self.parent)
            self.source = self._stored(self.given["file"])
        super()._prepare_write(request)

    def create(self, request: Request) -> HttpResponseBase:
        """Make documents of a folder of Markdown files, or bring those up to date that it became before.

        A job does it: titles from headings, the tree from folders and `SUMMARY.md`, links between files made
        links between documents, pictures and other files that are linked to made attachments. Its result
        tells `documents` (`created`, `updated`, `unchanged`), `files`, `problems` (the first hundred, of
        `path` and `reason`) and `dry_run`. An archive that isn't safe to unpack fails as `import_refused`.
        """
        if self.source is None:
            raise ServiceUnavailable("The key's time has just ended. Send the file again.")
        job = import_request(
            actor=self.actor,
            workspace=self.workspace,
            parent=self.parent,
            source=self.source,
            dry_run=self.given["dry_run"],
        )
        return self.job_answer(job)

    def _place(self, workspace: uuid.UUID, parent: uuid.UUID | None) -> tuple[Workspace, Document | None]:
        """The workspace and the document in it to go below; raises NotFound, InvalidInput."""
        place = self.place_named({"workspace": workspace, "parent": parent})
        assert place is not None  # noqa: S101 (a workspace is always named)
        return place.workspace, place.parent

    def _stored(self, upload: Upload) -> Source:
        file = cast("BinaryIO", upload.file)
        content = content_inspect(file, name=str(upload.name))
        kind = upload_kind(file, content.name)
        if kind is None:
            text = "Only a .zip of Markdown files, or a .md or .markdown file, is taken here."
            raise InvalidInput.field("/file", "unsupported", text)
        incoming = Incoming(file, upload.sha256, int(upload.size or 0), content)
        return Source(blob_store(actor=self.actor, incoming=incoming), kind, content.name)
