"""The shapes of what goes into and comes out of the routes of the trail."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from audit.models import Event
from cloudscribe.lib.serializers import QuerySerializer, StrictDateTimeField, StrictUUIDField


class EventQuery(QuerySerializer):
    """Which events are wanted."""

    actor = StrictUUIDField(required=False, help_text="Id of who acted.")
    action = serializers.CharField(max_length=64, required=False, help_text="Such as `document.updated`.")
    target = StrictUUIDField(required=False, help_text="Id of what was touched.")
    workspace = StrictUUIDField(required=False)
    address = serializers.IPAddressField(required=False, help_text="The client's address.")
    request_id = serializers.CharField(max_length=80, required=False)
    at__gte = StrictDateTimeField(required=False, help_text="Not before this time.")
    at__lte = StrictDateTimeField(required=False, help_text="Not after this time.")


class EventActorOutput(serializers.Serializer[Any]):
    """Who acted; the name is null where it was erased."""

    kind = serializers.CharField()
    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    on_behalf_of = serializers.UUIDField(allow_null=True)


class EventCredentialOutput(serializers.Serializer[Any]):
    """By what the actor had signed in."""

    kind = serializers.CharField()
    id = serializers.UUIDField(allow_null=True)


class EventTargetOutput(serializers.Serializer[Any]):
    """What was touched, by its name as of then; null where it was erased."""

    type = serializers.CharField()
    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(allow_null=True)


class ChangeOutput(serializers.Serializer[Any]):
    """One field before and after."""

    # Any JSON, null too; `allow_null` would have the schema say so twice, in a `oneOf` that null then fails.
    before = serializers.JSONField()
    after = serializers.JSONField()


class EventOutput(serializers.Serializer[Any]):
    """What happened. `erased` tells that the personal part was removed on a person's demand."""

    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    action = serializers.CharField()
    actor = EventActorOutput(allow_null=True)
    credential = EventCredentialOutput(allow_null=True)
    address = serializers.CharField(allow_null=True)
    request_id = serializers.CharField(allow_blank=True)
    target = EventTargetOutput()
    workspace = serializers.UUIDField(allow_null=True)
    changes = serializers.DictField(child=ChangeOutput())
    reason = serializers.CharField(allow_blank=True)
    facts = serializers.DictField()
    count = serializers.IntegerField()
    erased = serializers.BooleanField()

    def to_representation(self, event: Event) -> dict[str, Any]:
        """The event and its detail as one object."""
        detail = getattr(event, "detail", None)
        personal = detail.content if detail else {}
        return {
            "sequence": event.sequence,
            "at": event.at,
            "action": event.action,
            "actor": _actor(event, personal),
            "credential": _credential(event),
            "address": personal.get("address"),
            "request_id": event.request_id,
            "target": {"type": event.target_type, "id": event.target_uid, "name": personal.get("target")},
            "workspace": event.workspace_uid,
            "changes": personal.get("changes", {}),
            "reason": personal.get("reason", ""),
            "facts": event.facts,
            "count": event.count,
            "erased": detail is None,
        }


def _actor(event: Event, personal: dict[str, Any]) -> dict[str, Any] | None:
    if not event.actor_kind:
        return None
    return {
        "kind": event.actor_kind,
        "id": event.actor_uid,
        "name": personal.get("actor"),
        "on_behalf_of": event.on_behalf_of,
    }


def _credential(event: Event) -> dict[str, Any] | None:
    if not event.credential_kind:
        return None
    return {"kind": event.credential_kind, "id": event.credential_uid}
