"""`changes/`: what happened to the documents and workspaces that the reader sees, for clients that follow."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudscribe.lib.cursors import binding, decode_cursor, encode_cursor
from cloudscribe.lib.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, page_links
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import QueryIntegerField, QuerySerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.exceptions import ResyncNeeded
from documents.selectors.changes import FeedPosition, changes_page, position_now
from documents.services.locking import actor_renewed

# In place of a cursor: nothing of what was, only what comes.
NOW = "now"


class ChangesQuery(QuerySerializer):
    """Which changes are wanted."""

    workspace = serializers.UUIDField(required=False, help_text="Of this workspace alone.")
    cursor = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="Where to go on, from an earlier answer, or `now`.",
    )
    page_size = QueryIntegerField(min_value=1, max_value=MAX_PAGE_SIZE, default=DEFAULT_PAGE_SIZE)


class FeedEntryOutput(serializers.Serializer[Any]):
    """What happened to one document or workspace, as it is for the reader now."""

    sequence = serializers.IntegerField(help_text="Number of the event; one event may have several entries.")
    action = serializers.CharField(help_text="Such as `document.updated`.")
    type = serializers.ChoiceField(choices=["document", "workspace"])
    id = serializers.UUIDField()
    workspace = serializers.UUIDField(allow_null=True)
    at = serializers.DateTimeField()
    tombstone = serializers.BooleanField(help_text="It is gone for the reader, with all below it.")
    access_gained = serializers.BooleanField(help_text="It is to be read anew, with all below it.")
    subtree = serializers.BooleanField(help_text="Whether the entry speaks of all below it, too.")


class ChangesPage(serializers.Serializer[Any]):
    """Changes, the oldest first."""

    next = serializers.URLField(allow_null=True, help_text="Where more waits already.")
    previous = serializers.URLField(allow_null=True, help_text="Null: a feed is read in one direction.")
    cursor = serializers.CharField(help_text="To go on from, now or later.")
    results = FeedEntryOutput(many=True)


class ChangesViewSet(ServiceViewSet):
    """The change feed."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"follow": ChangesPage}
    queries: ClassVar = {"follow": ChangesQuery}
    scope_map: ClassVar = {"follow": "documents:read"}
    problems: ClassVar = {"follow": (410,)}
    rate_scope = "reads"
    tag = "documents"

    def follow(self, request: Request) -> HttpResponseBase:
        """What happened behind the cursor, the oldest first; without a cursor from the beginning on.

        `cursor=now` gives the cursor of the moment and no entry. 410 `resync`, with such a `cursor`, says
        that events are gone which the client would need.
        """
        wanted = self.query()
        room, size = wanted.get("workspace"), wanted["page_size"]
        bound = binding(request.GET.items())
        text = request.GET.get("cursor")
        if text == NOW:
            return Response(self._body(request, position_now(), bound, []))
        after = FeedPosition(*decode_cursor(text, [int] * 4, bound=bound).values) if text else None
        try:
            page = changes_page(self.actor, actor_renewed, after=after, size=size, room=room)
        except ResyncNeeded:
            raise ResyncNeeded(extra={"cursor": encode_cursor(position_now(), bound=bound)}) from None
        entries = FeedEntryOutput(page.entries, many=True).data
        return Response(self._body(request, page.position, bound, entries, more=page.more))

    @staticmethod
    def _body(
        request: Request, position: FeedPosition, bound: str, entries: Any, *, more: bool = False
    ) -> dict[str, Any]:
        cursor = encode_cursor(position, bound=bound)
        links = page_links(request, cursor if more else None, None)
        return {**links, "cursor": cursor, "results": entries}
