"""`workspaces/{id}/snapshots/`: named moments, what became of them, and the way back."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.jobs.models import Job
from cloudscribe.lib.cursors import decode_cursor, encode_cursor
from cloudscribe.lib.errors import InvalidInput
from cloudscribe.lib.pagination import binding_of, page_links, page_size_of
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import (
    ActorReferenceSerializer,
    QuerySerializer,
    StrictCharField,
    StrictSerializer,
    StrictUUIDField,
)
from documents import limits
from documents.api.answering import JobAnswering
from documents.authors import author_reference
from documents.models import Document, Snapshot, State, Workspace
from documents.policies import Action, require
from documents.selectors.moments import CHANGES, snapshot_compared
from documents.selectors.snapshots import snapshots_of
from documents.selectors.visible import document_visible, workspace_visible
from documents.services.snapshot_restore import snapshot_restore
from documents.services.snapshots import snapshot_create, snapshot_delete, snapshot_rename

_NOW = "now"
_MANAGE = "workspaces:manage"


class SnapshotInput(StrictSerializer):
    """A name for this moment."""

    name = StrictCharField(max_length=limits.NAME_LENGTH)
    root = StrictUUIDField(  # type: ignore[assignment]
        required=False, allow_null=True, help_text="Of this document with all below it alone."
    )


class SnapshotChangeInput(StrictSerializer):
    """Another name."""

    name = StrictCharField(max_length=limits.NAME_LENGTH)


class SnapshotRestoreInput(StrictSerializer):
    """All of it, or a part."""

    document = StrictUUIDField(
        required=False, allow_null=True, help_text="This document with all that was below it alone."
    )


class SnapshotAnswer(serializers.Serializer[Snapshot]):
    """A named moment of a workspace or a subtree."""

    id = serializers.UUIDField(source="uid")
    workspace = serializers.UUIDField(source="workspace.uid")
    root = serializers.SerializerMethodField()  # type: ignore[assignment]
    name = serializers.CharField()
    at = serializers.DateTimeField(help_text="The moment.")
    documents = serializers.IntegerField(help_text="How many stood then.")
    created_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_root(self, snapshot: Snapshot) -> uuid.UUID | None:
        """The document whose subtree it is of; null where it is of the whole workspace."""
        return snapshot.root.uid if snapshot.root else None

    @extend_schema_field(ActorReferenceSerializer(allow_null=True))
    def get_created_by(self, snapshot: Snapshot) -> dict[str, Any] | None:
        """Who named it."""
        return author_reference(snapshot.created_by, None)


class SideAnswer(serializers.Serializer[Any]):
    """A document as it stood at one of the moments; a parent that is hidden from the reader is none."""

    title = serializers.CharField()
    parent = serializers.UUIDField(allow_null=True)  # type: ignore[assignment]
    state = serializers.ChoiceField(choices=State.choices)
    revision = serializers.IntegerField()


class ComparedAnswer(serializers.Serializer[Any]):
    """A document that differs."""

    id = serializers.UUIDField()
    changes = serializers.ListField(child=serializers.ChoiceField(choices=CHANGES))
    before = SideAnswer(allow_null=True, help_text="In the snapshot; null where it didn't stand there.")
    after = SideAnswer(allow_null=True, help_text="At the other moment, likewise.")


class ComparedPage(serializers.Serializer[Any]):
    """A page of what differs."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    hidden = serializers.IntegerField(help_text="How many more differ that the reader may not see.")
    results = ComparedAnswer(many=True)


@extend_schema_field({"oneOf": [{"type": "string", "format": "uuid"}, {"const": _NOW}], "default": _NOW})
class MomentField(serializers.UUIDField):
    """The id of a snapshot, or `now`, which is None."""

    def to_internal_value(self, data: Any) -> Any:
        """The id."""
        return None if data == _NOW else super().to_internal_value(data)


class CompareQuery(QuerySerializer):
    """With what, and which changes."""

    against = MomentField(required=False, help_text="Another snapshot of the workspace, or `now`.")
    change = serializers.ChoiceField(choices=CHANGES, required=False)


class RestoredAnswer(serializers.Serializer[Any]):
    """What came of it, in numbers of documents."""

    before = serializers.UUIDField(
        help_text="A snapshot of the workspace before; restoring all of that undoes it."
    )
    documents = serializers.IntegerField(help_text="Stood then and stand again.")
    moved = serializers.IntegerField(help_text="Put back to where they stood.")
    brought_back = serializers.IntegerField(help_text="Came out of the trash.")
    trashed = serializers.IntegerField(help_text="Came later and went to the trash.")
    revised = serializers.IntegerField(help_text="Got a new revision that says what they said then.")
    purged = serializers.IntegerField(help_text="Of the whole snapshot, removed for good since.")
    elsewhere = serializers.IntegerField(help_text="Stand in another workspace now and were left there.")
    bodies_gone = serializers.IntegerField(help_text="Whose body of then is kept no longer.")
    hidden = serializers.IntegerField(help_text="Of all reached, those that one may not see.")


class SnapshotViewSet(JobAnswering):
    """The named moments of a workspace, for its managers."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {
        "list": SnapshotAnswer,
        "retrieve": SnapshotAnswer,
        "create": SnapshotInput,
        "partial_update": SnapshotChangeInput,
        "restore": SnapshotRestoreInput,
        "compare": ComparedAnswer,
    }
    answers: ClassVar = {
        "create": SnapshotAnswer,
        "partial_update": SnapshotAnswer,
        "restore": RestoredAnswer,
    }
    queries: ClassVar = {"compare": CompareQuery}
    query_parameters: ClassVar = {"compare": ("page_size", "cursor")}
    scope_map: ClassVar = {
        **dict.fromkeys(("list", "retrieve", "compare"), "documents:read"),
        **dict.fromkeys(("create", "partial_update", "destroy", "restore"), _MANAGE),
    }
    problems: ClassVar = {
        "create": (404, 410, 423),
        "partial_update": (404,),
        "restore": (409, 423),
    }
    ordering_choices: ClassVar = ("at", "name")
    default_ordering = "-at"
    lookup_url_kwarg = "snapshot"
    tag = "snapshots"

    def list(self, request: Request, workspace: str) -> HttpResponseBase:
        """The named moments, the latest first."""
        return self.paged(snapshots_of(self.actor, self.room()))

    def create(self, request: Request, workspace: str) -> HttpResponseBase:
        """Name this moment. Nothing is copied: the history holds it."""
        room, given = self.room(), self.input()
        root = self._document(room, given["root"], "/root") if given.get("root") else None
        made = snapshot_create(actor=self.actor, workspace=room, name=given["name"], root=root)
        location = f"/api/v1/workspaces/{room.uid}/snapshots/{made.uid}/"
        return self.respond(self.shown(self.snapshot(room, made.uid)), location=location)

    def retrieve(self, request: Request, workspace: str, snapshot: str) -> HttpResponseBase:
        """One named moment."""
        return self.respond(self.shown(self.snapshot(self.room(), snapshot)))

    def partial_update(self, request: Request, workspace: str, snapshot: str) -> HttpResponseBase:
        """Give it another name."""
        row = self.snapshot(self.room(), snapshot)
        renamed = snapshot_rename(actor=self.actor, snapshot=row, name=self.input()["name"])
        return self.respond(self.shown(renamed))

    def destroy(self, request: Request, workspace: str, snapshot: str) -> HttpResponseBase:
        """Forget the name; documents and their history stay."""
        snapshot_delete(actor=self.actor, snapshot=self.snapshot(self.room(), snapshot))
        return self.respond()

    @extend_schema(responses=ComparedPage)
    def compare(self, request: Request, workspace: str, snapshot: str) -> HttpResponseBase:
        """What differs between the snapshot and another one, or now: added, removed, moved or changed.

        `moved` stands below another parent, `changed` says something else or has another state. What was
        purged since is in neither.
        """
        room = self.room()
        row, query = self.snapshot(room, snapshot), self.query()
        against = self._moment(room, query.get("against"))
        size, bound = page_size_of(request), binding_of(request)
        text = request.GET.get("cursor")
        cursor = decode_cursor(text, [int], bound=bound) if text else None
        found = snapshot_compared(
            self.actor, row, against, change=query.get("change"), size=size, cursor=cursor
        )
        edges = [
            encode_cursor(edge.values, edge.reverse, bound=bound) if edge else None
            for edge in (found.page.next, found.page.previous)
        ]
        links = page_links(request, edges[0], edges[1])
        return self.respond({**links, "hidden": found.hidden, "results": found.page.rows})

    @extend_schema(responses={200: RestoredAnswer, 202: JobOutput})
    def restore(self, request: Request, workspace: str, snapshot: str) -> HttpResponseBase:
        """Bring all of it, or one document with what was below it, back to that moment, as one change.

        Places and bodies become those of then, the latter as new revisions; what came later goes to the
        trash; states and rights stay as they are. 409 `hidden_parts` where some of it is hidden from who
        doesn't own the workspace. Above 200 documents a job does it, whose result is this answer.
        """
        room = self.room()
        row, given = self.snapshot(room, snapshot), self.input()
        document = self._document(room, given["document"], "/document") if given.get("document") else None
        restored = snapshot_restore(actor=self.actor, snapshot=row, document=document)
        if isinstance(restored, Job):
            return self.job_answer(restored)
        return self.respond(restored.to_json())

    def room(self) -> Workspace:
        """The workspace of the address; raises NotFound, and Forbidden for who may not make snapshots."""
        room = workspace_visible(self.actor, self.kwargs["workspace"])
        require(self.actor, Action.SNAPSHOT, room)
        return room

    def snapshot(self, room: Workspace, uid: Any) -> Snapshot:
        """One of the workspace's; raises NotFound."""
        return self.get_object_or_404(snapshots_of(self.actor, room), uid=uid)

    def _document(self, room: Workspace, uid: uuid.UUID, pointer: str) -> Document:
        """A document that the body names, the trash included; raises NotFound."""
        found = document_visible(self.actor, uid, "workspace")
        if found.workspace_id != room.pk:
            raise InvalidInput.field(pointer, "other_workspace", "It stands in another workspace.")
        return found

    def _moment(self, room: Workspace, against: uuid.UUID | None) -> dt.datetime:
        return self.snapshot(room, against).at if against else self.actor.now
