"""What people mark for themselves: `documents/{id}/favorite/`, `…/watch/` and the lists below `me/`."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import StrictBooleanField, StrictSerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.api.reaching import DocumentReached
from documents.api.serializers import DocumentListed
from documents.models import Document, Favorite, RecentView, Watch, Workspace
from documents.selectors.marks import favorites_of, recent_of, watches_of
from documents.selectors.reading import documents_listed
from documents.selectors.visible import workspace_visible
from documents.services.marks import (
    favorite_add,
    favorite_remove,
    recent_forget,
    watch_remove,
    watch_set,
)

_READ, _WRITE = "documents:read", "documents:write"


class FavoriteListed(DocumentListed):
    """A favourite."""

    favorited_at = serializers.DateTimeField()


class RecentListed(DocumentListed):
    """A document that one opened."""

    seen_at = serializers.DateTimeField(help_text="When it was opened last.")


class FavoriteViewSet(DocumentReached, ServiceViewSet):
    """Documents that somebody wants at hand."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": FavoriteListed}
    scope_map: ClassVar = {"list": _READ, "mark": _WRITE, "add": _WRITE, "destroy": _WRITE}
    statuses: ClassVar = {"mark": 204, "add": 204}
    problems: ClassVar = dict.fromkeys(("mark", "add", "destroy"), (410,))
    ordering_choices: ClassVar = {"favorited_at": "created_at"}
    default_ordering = "-favorited_at"
    tag = "me"

    def list(self, request: Request) -> HttpResponseBase:
        """The reader's favourites, the latest first; without what they may not see any more."""
        rows: list[Favorite] = self.paginate_queryset(favorites_of(self.actor)) or []
        listed = documents_listed(self.actor, [row.document_id for row in rows])
        found = ((row, listed.get(row.document_id)) for row in rows)
        shown = [{**answer, "favorited_at": row.created_at} for row, answer in found if answer]
        return self.get_paginated_response(shown)

    def mark(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """Put a document among one's favourites; twice changes nothing."""
        favorite_add(actor=self.actor, document=self.document_here())
        return self.respond()

    def add(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Put a document among one's favourites, as PUT does."""
        return self.mark(request, id)

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Take a document from one's favourites."""
        favorite_remove(actor=self.actor, document=self.document_here())
        return self.respond()


class RecentViewSet(ServiceViewSet):
    """What somebody opened last."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": RecentListed}
    scope_map: ClassVar = {"list": _READ, "destroy": _WRITE}
    ordering_choices: ClassVar = ("seen_at",)
    default_ordering = "-seen_at"
    tag = "me"

    def list(self, request: Request) -> HttpResponseBase:
        """The documents that the reader opened by a session, the latest first, 200 at most.

        Noted within ten seconds; what a killed process had noted and not written is lost.
        """
        rows: list[RecentView] = self.paginate_queryset(recent_of(self.actor)) or []
        listed = documents_listed(self.actor, [row.document_id for row in rows])
        found = ((row, listed.get(row.document_id)) for row in rows)
        shown = [{**answer, "seen_at": row.seen_at} for row, answer in found if answer]
        return self.get_paginated_response(shown)

    def destroy(self, request: Request) -> HttpResponseBase:
        """Forget what one opened."""
        recent_forget(actor=self.actor)
        return self.respond()


class WatchInput(StrictSerializer):
    """How far."""

    subtree = StrictBooleanField(required=False, help_text="Everything below the document, too.")


class NoFurtherInput(StrictSerializer):
    """Nothing: a workspace is watched as a whole."""


class WatchAnswer(serializers.Serializer[Watch]):
    """Something that somebody watches."""

    id = serializers.UUIDField(source="uid")
    workspace = serializers.SerializerMethodField()
    document = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()
    subtree = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_workspace(self, watch: Watch) -> uuid.UUID:
        """The workspace watched, or that of the document."""
        return uuid.UUID(str(_room(watch).uid))

    def get_document(self, watch: Watch) -> uuid.UUID | None:
        """The document watched; null where it is the whole workspace."""
        return watch.document.uid if watch.document else None

    def get_name(self, watch: Watch) -> str:
        """The document's title, or the workspace's name."""
        return watch.document.title if watch.document else _room(watch).name


class OwnWatchViewSet(ServiceViewSet):
    """What somebody watches."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": WatchAnswer}
    scope_map: ClassVar = {"list": _READ}
    ordering_choices: ClassVar = ("created_at",)
    default_ordering = "-created_at"
    tag = "me"

    def list(self, request: Request) -> HttpResponseBase:
        """What the reader watches, the latest first; without what they may not see any more."""
        return self.paged(watches_of(self.actor))


class _WatchViewSet(DocumentReached, ServiceViewSet):
    """Watching one place: its changes are told in the inbox, or as the reader chose."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"retrieve": WatchAnswer, "mark": WatchInput, "add": WatchInput}
    answers: ClassVar = {"mark": WatchAnswer, "add": WatchAnswer}
    scope_map: ClassVar = {"retrieve": _READ, "mark": _WRITE, "add": _WRITE, "destroy": _WRITE}
    problems: ClassVar = dict.fromkeys(("retrieve", "mark", "add", "destroy"), (410,))
    tag = "watches"

    def target(self) -> Document | Workspace:
        """The place of the address; raises NotFound for an absent or hidden one."""
        return self.document_here()

    def own(self, target: Document | Workspace) -> QuerySet[Watch]:
        """The reader's watch of the place."""
        rows = watches_of(self.actor)
        return rows.filter(document=target) if isinstance(target, Document) else rows.filter(workspace=target)

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """How one watches it; 404 where one doesn't."""
        row = self.own(self.target()).first()
        if row is None:
            raise NotFound
        return self.respond(self.shown(row))

    def mark(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Watch it from now on; done again it says anew how far."""
        watch = watch_set(actor=self.actor, target=self.target(), **self.input())
        return self.respond(self.shown(watch))

    def add(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Watch it from now on, as PUT does."""
        return self.mark(request, id)

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Watch it no more."""
        watch_remove(actor=self.actor, target=self.target())
        return self.respond()


class DocumentWatchViewSet(_WatchViewSet):
    """Watching a document, or all below it, too."""


class WorkspaceWatchViewSet(_WatchViewSet):
    """Watching all documents of a workspace that one may see."""

    serializers: ClassVar = {"retrieve": WatchAnswer, "mark": NoFurtherInput, "add": NoFurtherInput}
    problems: ClassVar = {}

    def target(self) -> Workspace:
        """The workspace of the address; raises NotFound for an absent or hidden one."""
        return workspace_visible(self.actor, self.kwargs[self.lookup_url_kwarg])


def _room(watch: Watch) -> Any:
    return watch.document.workspace if watch.document else watch.workspace
