"""The inbox and how people want to be told: `me/notifications/`, `me/notification-preferences/`."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from accounts.actors import person_pk
from accounts.models import Channel, Notification, NotificationPreference
from accounts.notices import Notice, notices_shown, notifications_of
from accounts.notifications import kinds_all
from accounts.permissions import step_up_check
from accounts.services.notifications import (
    notification_delete,
    notification_mark,
    notification_preferences_change,
    notifications_read_all,
)
from cloudscribe.lib.conditional import make_etag
from cloudscribe.lib.pagination import KeysetPagination
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.renderers import dump_json
from cloudscribe.lib.serializers import QuerySerializer, StrictBooleanField, StrictSerializer
from cloudscribe.lib.viewsets import ServiceViewSet


class ActorOutput(serializers.Serializer[Notification]):
    """Who did it, under their name of then."""

    id = serializers.UUIDField(source="actor_uid", allow_null=True)
    name = serializers.CharField(source="actor_name")


class TargetOutput(serializers.Serializer[Notice]):
    """What it is about. `id` and `title` are null for what the reader may not see any more."""

    type = serializers.CharField(source="row.target_type")
    id = serializers.UUIDField(source="target_uid", allow_null=True)
    title = serializers.CharField(allow_null=True)


class NotificationOutput(serializers.Serializer[Notice]):
    """One piece of news as its reader may see it now."""

    id = serializers.UUIDField(source="row.uid")
    kind = serializers.CharField(source="row.kind")
    actor = ActorOutput(source="row")
    target = TargetOutput(allow_null=True)
    workspace = serializers.UUIDField(source="workspace_uid", allow_null=True)
    facts = serializers.DictField(
        source="row.facts", help_text="What its kind tells besides, such as `role`."
    )
    created_at = serializers.DateTimeField(source="row.created_at")
    updated_at = serializers.SerializerMethodField(help_text="When it was read, else made.")
    read_at = serializers.DateTimeField(source="row.read_at", allow_null=True)

    def get_updated_at(self, notice: Notice) -> dt.datetime:
        """The last of the moments that it tells of."""
        return notice.row.read_at or notice.row.created_at


class InboxQuery(QuerySerializer):
    """Which of them."""

    unread = serializers.BooleanField(required=False, help_text="Only those unread, or only those read.")


class ReadInput(StrictSerializer):
    """Whether it counts as read."""

    read = StrictBooleanField()


class InboxPagination(KeysetPagination):
    """Pages that tell how many notifications are unread in all."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The page's schema with the number."""
        page = super().get_paginated_response_schema(schema)
        number = {"type": "integer", "description": "Unread ones in the whole inbox."}
        page["properties"] = {"unread_count": number, **page["properties"]}
        page["required"] = ["unread_count", *page["required"]]
        return page


class NotificationsViewSet(ServiceViewSet):
    """The own inbox. A token that is cut to a workspace or a document finds it empty."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": NotificationOutput, "partial_update": ReadInput}
    answers: ClassVar = {"partial_update": NotificationOutput}
    queries: ClassVar = {"list": InboxQuery}
    scope_map: ClassVar = {
        "list": "notifications:read",
        "partial_update": "notifications:write",
        "read_all": "notifications:write",
        "destroy": "notifications:write",
    }
    statuses: ClassVar = {"read_all": 204}
    pagination_class = InboxPagination
    tag = "notifications"

    def get_queryset(self) -> QuerySet[Notification]:
        """The actor's own."""
        return notifications_of(self.actor)

    def list(self, request: Request) -> HttpResponseBase:
        """What one was told, newest first.

        Documents, workspaces and teams are named under the rights of this moment: what you may not see any
        more has neither id nor title.
        """
        inbox, unread = self.get_queryset(), self.query().get("unread")
        found = inbox if unread is None else inbox.filter(read_at__isnull=unread)
        page = self.paginate_queryset(found)
        shown = self.shown(notices_shown(self.actor, page or []), many=True)
        links = self.paginator.links()  # type: ignore[union-attr]  # of the class above
        count = inbox.filter(read_at__isnull=True, channel__in=_TO_READ).count()
        return self.respond({"unread_count": count, **links, "results": shown})

    def partial_update(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """Mark one as read or unread."""
        row = self.get_object_or_404(self.get_queryset())
        row = notification_mark(actor=self.actor, notification=row, **self.input())
        return self.respond(NotificationOutput(notices_shown(self.actor, [row])[0]).data)

    def read_all(self, request: Request) -> HttpResponseBase:
        """Mark all as read."""
        notifications_read_all(actor=self.actor)
        return self.respond(status=204)

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Remove one; nothing of it is mailed any more."""
        notification_delete(actor=self.actor, notification=self.get_object_or_404(self.get_queryset()))
        return self.respond()


# Every channel that leaves a row; the words of the partial index that counts.
_TO_READ = (Channel.IN_APP, Channel.EMAIL, Channel.DIGEST)


class PreferenceOutput(serializers.Serializer[Any]):
    """How one kind of news reaches the person."""

    kind = serializers.CharField()
    channel = serializers.ChoiceField(choices=Channel.choices, help_text="The one that holds.")
    default = serializers.ChoiceField(choices=Channel.choices, help_text="The one without a choice.")
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=Channel.choices), help_text="Those to choose from."
    )
    mandatory = serializers.BooleanField(help_text="It can't be turned off: it warns of thieves.")
    description = serializers.CharField()


class PreferencesOutput(serializers.Serializer[Any]):
    """Every kind of news, by name."""

    preferences = PreferenceOutput(many=True)


class PreferencesInput(StrictSerializer):
    """Channels by kind; kinds that aren't named stay as they are."""

    channels = serializers.DictField(
        child=serializers.ChoiceField(choices=Channel.choices),
        allow_empty=False,
        help_text="`in_app`, `email` (the inbox, and a mail at once), `digest` (the inbox, and a mail a day) "
        "or `none`, by kind.",
    )


class NotificationPreferencesViewSet(ServiceViewSet):
    """How the signed-in person wants to be told."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"retrieve": PreferencesOutput, "partial_update": PreferencesInput}
    answer_serializer = PreferencesOutput
    tag = "notifications"

    def retrieve(self, request: Request) -> HttpResponseBase:
        """Every kind of news with the channel that it takes."""
        shown = self._shown()
        return self.respond(shown, etag=make_etag(dump_json(shown)))

    def partial_update(self, request: Request) -> HttpResponseBase:
        """Choose the channels of some kinds. For those that warn of thieves it takes a fresh proof."""
        chosen = self.input()
        if any(kind.mandatory and kind.name in chosen["channels"] for kind in kinds_all()):
            step_up_check(self.actor)
        notification_preferences_change(actor=self.actor, **chosen)
        return self.respond(self._shown())

    def _shown(self) -> dict[str, Any]:
        rows = NotificationPreference.objects.filter(user_id=person_pk(self.actor))
        chosen = dict(rows.values_list("kind", "channel"))
        found = [
            {
                "kind": kind.name,
                "channel": kind.channel(chosen.get(kind.name)),
                "default": kind.default,
                "channels": kind.channels,
                "mandatory": kind.mandatory,
                "description": kind.description,
            }
            for kind in kinds_all()
        ]
        return dict(PreferencesOutput({"preferences": found}).data)
