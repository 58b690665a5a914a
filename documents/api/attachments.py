"""Files of documents: `documents/{id}/attachments/` and `attachments/{id}/[file/]`."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from cloudscribe.lib.conditional import make_etag
from cloudscribe.lib.errors import InvalidInput, ServiceUnavailable
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import (
    ActorReferenceSerializer,
    QuerySerializer,
    StrictCharField,
    StrictSerializer,
)
from cloudscribe.lib.uploads import Upload, UploadParser
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.api.reaching import DocumentReached
from documents.api.read_log import attachment_read_tell
from documents.api.serving import blob_answer
from documents.attachments import attachment_address, attachment_location
from documents.authors import author_reference
from documents.models import Attachment, Blob, BlobState, Document
from documents.selectors.attachments import attachment_find, attachments_of
from documents.services.attachments import (
    attachment_create,
    attachment_delete,
    attachment_foresee,
    attachment_rename,
)
from documents.services.blobs import Incoming, blob_store
from documents.thumbnails import SIDES
from security.content import content_inspect
from security.idempotency import answer_is_kept

_READ, _WRITE = "documents:read", "documents:write"
_NAME_LENGTH = 255
RANGE = OpenApiParameter(
    "Range", str, OpenApiParameter.HEADER, description="One range, `bytes=0-99`; several are not divided."
)
# Of any type; generators of clients know bytes by the second name alone.
FILE_ANSWERS = {
    (status, kind): OpenApiTypes.BINARY
    for status in (200, 206)
    for kind in ("*/*", "application/octet-stream")
}


class AttachmentOutput(serializers.Serializer[Attachment]):
    """What is known about a file. `width` and `height` stand where it is shown in place."""

    id = serializers.UUIDField(source="uid")
    document = serializers.SerializerMethodField()
    name = serializers.CharField()
    content_type = serializers.CharField(source="blob.content_type", help_text="By the bytes of the file.")
    size = serializers.IntegerField(source="blob.size")
    sha256 = serializers.CharField(source="blob.digest")
    width = serializers.IntegerField(source="blob.width", allow_null=True)
    height = serializers.IntegerField(source="blob.height", allow_null=True)
    state = serializers.ChoiceField(source="blob.state", choices=BlobState.choices)
    url = serializers.SerializerMethodField()
    created_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(OpenApiTypes.UUID)
    def get_document(self, attachment: Attachment) -> uuid.UUID:
        """Whose file it is."""
        return self.context["document"].uid  # type: ignore[no-any-return]

    @extend_schema_field(OpenApiTypes.URI_REF)
    def get_url(self, attachment: Attachment) -> str:
        """Where the file itself is."""
        return attachment_address(attachment.uid)

    @extend_schema_field(ActorReferenceSerializer(allow_null=True))
    def get_created_by(self, attachment: Attachment) -> dict[str, Any] | None:
        """Who attached it."""
        return author_reference(attachment.created_by, attachment.created_actor)


class AttachmentUploadInput(StrictSerializer):
    """A file, under the name that it shall have."""

    file = serializers.FileField(max_length=4096)


class AttachmentRenameInput(StrictSerializer):
    """Another name."""

    name = StrictCharField(max_length=_NAME_LENGTH)


class AttachmentFileQuery(QuerySerializer):
    """A smaller picture of an image instead of the file."""

    size = serializers.ChoiceField(
        choices=SIDES, required=False, help_text="Its longest side in pixels, at most."
    )


class AttachmentListViewSet(DocumentReached, ServiceViewSet):
    """The files of a document, in the order in which they came."""

    permission_classes = (Authenticated,)
    parser_classes = (UploadParser,)
    document_kwarg = "document"
    default_ordering = "pk"
    serializers: ClassVar = {"list": AttachmentOutput, "create": AttachmentUploadInput}
    answers: ClassVar = {"create": AttachmentOutput}
    scope_map: ClassVar = {"list": _READ, "create": _WRITE}
    problems: ClassVar = {"list": (410,), "create": (409, 410, 423, 507)}
    tag = "attachments"
    blob: Blob | None = None
    file_name = ""

    def _prepare_write(self, request: Request) -> None:
        """Have the file in the storage before the guard of creations opens its transaction."""
        self.document = self.document_here()
        # What a kept answer made counts against a second one; and for it nothing has to be stored again.
        if answer_is_kept(request, self.actor):
            self._upload(request)
        else:
            self._store(request)
        super()._prepare_write(request)

    def _store(self, request: Request) -> None:
        attachment_foresee(actor=self.actor, document=self.document)
        upload = self._upload(request)
        size = int(upload.size or 0)
        attachment_foresee(actor=self.actor, document=self.document, size=size)
        content = content_inspect(upload.file, name=str(upload.name))  # type: ignore[arg-type]
        incoming = Incoming(upload.file, upload.sha256, size, content)  # type: ignore[arg-type]
        self.blob, self.file_name = blob_store(actor=self.actor, incoming=incoming), content.name

    def list(self, request: Request, document: str) -> HttpResponseBase:
        """List the files of a document."""
        self.document = self.document_here()
        return self.paged(attachments_of(self.document))

    def create(self, request: Request, document: str) -> HttpResponseBase:
        """Attach a file to a document.

        Its type is found by its bytes, its name is made harmless. Equal bytes are stored once, and counted
        each time against what the workspace may hold. While a virus scanner looks at it, `state` is
        `scanning` and the file is not given away.
        """
        if self.blob is None:
            raise ServiceUnavailable("The key's time has just ended. Send the file again.")
        attachment = attachment_create(
            actor=self.actor, document=self.document, blob=self.blob, name=self.file_name
        )
        return self.respond(self.shown(attachment), location=attachment_location(attachment.uid))

    def get_serializer_context(self) -> dict[str, Any]:
        """With the document, which all of them share."""
        return {**super().get_serializer_context(), "document": getattr(self, "document", None)}

    def _upload(self, request: Request) -> Upload:
        upload: Upload = self.input()["file"]
        if len(request.FILES.getlist("file")) > 1:
            raise InvalidInput.field("/file", "too_many", "One file at a time is taken here.")
        return upload


class AttachmentViewSet(ServiceViewSet):
    """One file of a document."""

    permission_classes = (Authenticated,)
    serializers: ClassVar = {"retrieve": AttachmentOutput, "partial_update": AttachmentRenameInput}
    answers: ClassVar = {"partial_update": AttachmentOutput}
    scope_map: ClassVar = {"retrieve": _READ, "partial_update": _WRITE, "destroy": _WRITE}
    problems: ClassVar = {
        "retrieve": (410,),
        "partial_update": (409, 410, 423),
        "destroy": (409, 410, 423),
    }

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """What is known about a file."""
        data = self._shown(self._here())
        return self.respond(data, etag=make_etag(data))

    def partial_update(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Give a file another name, which is made harmless."""
        name = self.input()["name"]
        return self.respond(
            self._shown(attachment_rename(actor=self.actor, attachment=self._here(), name=name))
        )

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Remove a file from its document."""
        attachment_delete(actor=self.actor, attachment=self._here())
        return self.respond()

    def _here(self) -> Attachment:
        return attachment_find(self.actor, uuid.UUID(str(self.kwargs["id"])))

    def _shown(self, attachment: Attachment) -> Any:
        document: Document = attachment.document
        context = {**self.get_serializer_context(), "document": document}
        return AttachmentOutput(attachment, context=context).data


class AttachmentFileViewSet(ServiceViewSet):
    """The file itself."""

    permission_classes = (Authenticated,)
    queries: ClassVar = {"file": AttachmentFileQuery}
    scope_map: ClassVar = {"file": _READ}
    problems: ClassVar = {"file": (409, 410, 416)}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:  # noqa: FBT001, FBT002 (the framework's)
        """None: the file is what it is, refusals are JSON."""
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type

    @extend_schema(responses=FILE_ANSWERS, parameters=[RANGE])
    def file(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """A file, whole or a range of it; images also as smaller pictures.

        The type is that of its bytes. Raster images are shown in place, everything else is a download, in a
        sandbox.
        """
        side = self.query().get("size")
        attachment = attachment_find(self.actor, uuid.UUID(str(id)))
        attachment_read_tell(request, self.actor, attachment)
        return blob_answer(request, attachment.blob, attachment.name, side=side)
