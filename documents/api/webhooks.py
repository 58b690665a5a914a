"""`workspaces/{id}/webhooks/`: addresses that are told of events, and what was sent to them."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from audit.selectors import Position
from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.lib.cursors import InvalidCursor, binding, decode_cursor
from cloudscribe.lib.errors import InvalidInput
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import (
    ActorReferenceSerializer,
    QuerySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictSerializer,
)
from cloudscribe.lib.viewsets import ServiceViewSet
from documents import limits
from documents.authors import author_reference
from documents.models import Delivery, DeliveryStatus, Webhook, Workspace
from documents.policies import Action, require
from documents.selectors.changes import FeedPosition, position_check
from documents.selectors.visible import workspace_visible
from documents.selectors.webhooks import deliveries_of, webhooks_of
from documents.services.webhooks import (
    MadeWebhook,
    webhook_create,
    webhook_delete,
    webhook_ping,
    webhook_redeliver,
    webhook_replay,
    webhook_rotate,
    webhook_update,
)
from documents.webhook_events import is_pattern

_MANAGE = "workspaces:manage"
_MOST_EVENTS = 100
_EVENTS_HELP = "Actions such as `document.updated`, all of a noun as `document.*`, or `*` for everything."


class EventField(StrictCharField):
    """The name of an action, a noun with `.*`, or `*`."""

    default_error_messages = {"unknown_event": "There is no such event."}

    def to_internal_value(self, data: Any) -> str:
        """The pattern."""
        text = super().to_internal_value(data)
        if not is_pattern(text):
            self.fail("unknown_event")
        return text


class WebhookInput(StrictSerializer):
    """Where to, and what of."""

    url = StrictCharField(max_length=limits.WEBHOOK_URL_LENGTH, help_text="An https or http address.")
    events = serializers.ListField(
        child=EventField(max_length=64), min_length=1, max_length=_MOST_EVENTS, help_text=_EVENTS_HELP
    )


class WebhookChangeInput(StrictSerializer):
    """What is to be otherwise."""

    url = StrictCharField(max_length=limits.WEBHOOK_URL_LENGTH, required=False)
    events = serializers.ListField(
        child=EventField(max_length=64),
        min_length=1,
        max_length=_MOST_EVENTS,
        required=False,
        help_text=_EVENTS_HELP,
    )
    enabled = StrictBooleanField(required=False)


class ReplayInput(StrictSerializer):
    """From where on."""

    cursor = StrictCharField(max_length=2_000, help_text="Of the change feed: what came behind it is sent.")


class WebhookAnswer(serializers.Serializer[Webhook]):
    """A webhook, without its secret."""

    id = serializers.UUIDField(source="uid")
    workspace = serializers.UUIDField(source="workspace.uid")
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    disabled_reason = serializers.CharField(
        help_text="Why it was switched off, where nobody did it by `enabled`: "
        "`gone`, `failing`, `rights` or `staff`."
    )
    speaks_for = serializers.SerializerMethodField()
    failures = serializers.IntegerField(help_text="Attempts in a row that failed.")
    failing_since = serializers.DateTimeField(allow_null=True)
    previous_secret_until = serializers.DateTimeField(
        source="previous_until", allow_null=True, help_text="So long the secret before signs, too."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(ActorReferenceSerializer(allow_null=True))
    def get_speaks_for(self, webhook: Webhook) -> dict[str, Any] | None:
        """Who changed it last: what they may not know of is not sent."""
        return author_reference(webhook.speaks_for, None)


class MadeWebhookAnswer(WebhookAnswer):
    """A webhook with its secret, which is shown this once."""

    secret = serializers.SerializerMethodField()

    def get_secret(self, webhook: Webhook) -> str:
        """`whsec_` and the key in base64."""
        return str(self.context["secret"])


class SecretAnswer(serializers.Serializer[Any]):
    """A new secret, which is shown this once."""

    secret = serializers.CharField()
    previous_secret_until = serializers.DateTimeField(help_text="So long the secret before signs, too.")


class DeliveryAnswer(serializers.Serializer[Delivery]):
    """What came of one event for one webhook."""

    id = serializers.UUIDField(source="uid", help_text="The `webhook-id` of each attempt.")
    type = serializers.CharField(source="action")
    sequence = serializers.IntegerField(allow_null=True, help_text="The event's; null for a ping.")
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.SerializerMethodField()
    attempted_at = serializers.DateTimeField(allow_null=True)
    response_status = serializers.IntegerField(
        allow_null=True, help_text="Of the last answer; null where there was none."
    )
    reason = serializers.CharField(
        help_text="Why the last attempt failed: `status`, `too_slow`, `redirect` …"
    )
    duration_ms = serializers.IntegerField(allow_null=True, help_text="Of the last attempt.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.SerializerMethodField()

    def get_next_attempt_at(self, row: Delivery) -> dt.datetime | None:
        """Not before then; null where nothing more is to come."""
        return row.next_at if row.status == DeliveryStatus.PENDING else None

    def get_updated_at(self, row: Delivery) -> dt.datetime:
        """When something last happened to it."""
        moments = (row.created_at, row.attempted_at, row.finished_at)
        return max(moment for moment in moments if moment is not None)


class DeliveryQuery(QuerySerializer):
    """Of one status alone."""

    status = serializers.ChoiceField(choices=DeliveryStatus.choices, required=False)


class WebhookViewSet(ServiceViewSet):
    """The webhooks of a workspace, for its managers."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {
        "list": WebhookAnswer,
        "retrieve": WebhookAnswer,
        "create": WebhookInput,
        "partial_update": WebhookChangeInput,
        "replay": ReplayInput,
        "deliveries": DeliveryAnswer,
        "delivery_retrieve": DeliveryAnswer,
    }
    answers: ClassVar = {
        "create": MadeWebhookAnswer,
        "partial_update": WebhookAnswer,
        "rotate": SecretAnswer,
        "ping": DeliveryAnswer,
        "replay": JobOutput,
        "redeliver": DeliveryAnswer,
    }
    queries: ClassVar = {"deliveries": DeliveryQuery}
    statuses: ClassVar = {"ping": 202, "redeliver": 202, "replay": 202}
    unlocated: ClassVar = ["ping", "redeliver"]
    no_store = ("create", "rotate")
    paged_actions: ClassVar = ("deliveries",)
    scope_map: ClassVar = dict.fromkeys(
        (
            *("list", "create", "retrieve", "partial_update", "destroy", "rotate", "ping", "replay"),
            *("deliveries", "delivery_retrieve", "redeliver"),
        ),
        _MANAGE,
    )
    problems: ClassVar = {"create": (404, 409), "ping": (409,), "redeliver": (409,), "replay": (409, 410)}
    ordering_choices: ClassVar = ("created_at",)
    default_ordering = "-created_at"
    lookup_url_kwarg = "webhook"
    tag = "webhooks"

    def list(self, request: Request, workspace: str) -> HttpResponseBase:
        """The webhooks, the newest first."""
        return self.paged(webhooks_of(self.room()))

    def create(self, request: Request, workspace: str) -> HttpResponseBase:
        """Let an address be told of events from now on; the secret is shown this once.

        What is sent is signed as Standard Webhooks has it and holds ids and numbers, no titles and no bodies,
        and only of what who made the webhook may see at that moment.
        """
        room, given = self.room(), self.input()
        made = webhook_create(actor=self.actor, workspace=room, url=given["url"], events=given["events"])
        location = f"/api/v1/workspaces/{room.uid}/webhooks/{made.webhook.uid}/"
        return self.respond(self._with_secret(room, made), location=location)

    def retrieve(self, request: Request, workspace: str, webhook: str) -> HttpResponseBase:
        """One webhook."""
        return self.respond(self.shown(self.webhook(self.room())))

    def partial_update(self, request: Request, workspace: str, webhook: str) -> HttpResponseBase:
        """Change where to and what of, or switch it off and on. It speaks for whoever changed it last."""
        room = self.room()
        webhook_update(actor=self.actor, webhook=self.webhook(room), changes=self.input())
        return self.respond(self.shown(self.webhook(room)))

    def destroy(self, request: Request, workspace: str, webhook: str) -> HttpResponseBase:
        """Tell the address nothing any more; the log of deliveries goes, too."""
        webhook_delete(actor=self.actor, webhook=self.webhook(self.room()))
        return self.respond()

    def rotate(self, request: Request, workspace: str, webhook: str) -> HttpResponseBase:
        """A new secret, shown this once; for a day the one before signs each delivery as well."""
        made = webhook_rotate(actor=self.actor, webhook=self.webhook(self.room()))
        until = made.webhook.previous_until
        return self.respond(self.shown({"secret": made.secret, "previous_secret_until": until}))

    def ping(self, request: Request, workspace: str, webhook: str) -> HttpResponseBase:
        """Send a delivery of the type `webhook.ping`, which is no event."""
        return self.respond(self.shown(webhook_ping(actor=self.actor, webhook=self.webhook(self.room()))))

    def replay(self, request: Request, workspace: str, webhook: str) -> HttpResponseBase:
        """Send anew what happened behind a cursor of the change feed, by a job; ids stay what they were.

        For a receiver that lost what it had. Events from before the webhook was made are among it.
        """
        room = self.room()
        row, after = self.webhook(room), self._position(room, self.input()["cursor"])
        job = webhook_replay(actor=self.actor, webhook=row, after=Position(*after[1:]))
        return self.respond(self.shown(job), location=f"/api/v1/jobs/{job.uid}/")

    def deliveries(self, request: Request, workspace: str, webhook: str) -> HttpResponseBase:
        """What was sent and is to be sent, the newest first."""
        rows, status = deliveries_of(self.webhook(self.room())), self.query().get("status")
        return self.paged(rows if status is None else rows.filter(status=status))

    def delivery_retrieve(
        self, request: Request, workspace: str, webhook: str, delivery: str
    ) -> HttpResponseBase:
        """One delivery."""
        rows = deliveries_of(self.webhook(self.room()))
        return self.respond(self.shown(self.get_object_or_404(rows, uid=delivery)))

    def redeliver(self, request: Request, workspace: str, webhook: str, delivery: str) -> HttpResponseBase:
        """Send a delivery once more, with the same id and body, whatever came of it before."""
        row = self.webhook(self.room())
        again = webhook_redeliver(actor=self.actor, webhook=row, delivery=uuid.UUID(str(delivery)))
        return self.respond(self.shown(again))

    def room(self) -> Workspace:
        """The workspace of the address; raises NotFound, and Forbidden for who may not manage webhooks."""
        room = workspace_visible(self.actor, self.kwargs["workspace"])
        require(self.actor, Action.WEBHOOK, room)
        return room

    def webhook(self, room: Workspace) -> Webhook:
        """The webhook of the address; raises NotFound."""
        return self.get_object_or_404(webhooks_of(room))

    @staticmethod
    def _position(room: Workspace, text: str) -> FeedPosition:
        """The place in the feed, that of all or that of the workspace; raises InvalidInput, ResyncNeeded."""
        for parameters in ([], [("workspace", str(room.uid))]):
            with contextlib.suppress(InvalidCursor):
                after = FeedPosition(*decode_cursor(text, [int] * 4, bound=binding(parameters)).values)
                position_check(after)
                return after
        raise InvalidInput.field("/cursor", InvalidCursor.code, "This is no cursor of the change feed.")

    def _with_secret(self, room: Workspace, made: MadeWebhook) -> Any:
        row = self.get_object_or_404(webhooks_of(room), uid=made.webhook.uid)
        context = {**self.get_serializer_context(), "secret": made.secret}
        return MadeWebhookAnswer(row, context=context).data
