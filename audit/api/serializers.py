"""The shapes of what goes into and comes out of the routes of the trail."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from audit.exporting import ExportFormat
from audit.models import Event, Seal
from audit.showing import event_shown, hash_shown
from cloudscribe.lib.serializers import (
    QueryIntegerField,
    QuerySerializer,
    StrictCharField,
    StrictDateTimeField,
    StrictSerializer,
    StrictUUIDField,
)


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
    """What was touched, by its name as of then; null where it was erased or is hidden from the reader."""

    type = serializers.CharField()
    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(allow_null=True)


class FieldChangeOutput(serializers.Serializer[Any]):
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
    changes = serializers.DictField(child=FieldChangeOutput())
    reason = serializers.CharField(allow_blank=True)
    facts = serializers.DictField()
    count = serializers.IntegerField()
    erased = serializers.BooleanField()

    def to_representation(self, event: Event) -> dict[str, Any]:
        """The event and its detail as one object."""
        return event_shown(event)


class EventExportInput(StrictSerializer):
    """Which events, and how they are written."""

    format = serializers.ChoiceField(choices=[form.value for form in ExportFormat], default="ndjson")
    actor = StrictUUIDField(required=False)
    action = StrictCharField(max_length=64, required=False)
    target = StrictUUIDField(required=False)
    workspace = StrictUUIDField(required=False)
    address = serializers.IPAddressField(required=False)
    request_id = StrictCharField(max_length=80, required=False)
    at__gte = StrictDateTimeField(required=False)
    at__lte = StrictDateTimeField(required=False)


class SealOutput(serializers.Serializer[Seal]):
    """One batch of events and the tree behind it. The root is in Base64, as checkpoints have it."""

    tree_size = serializers.IntegerField()
    first_leaf = serializers.IntegerField()
    last_leaf = serializers.IntegerField()
    first_sequence = serializers.IntegerField(help_text="Lowest number of an event in the batch.")
    last_sequence = serializers.IntegerField(help_text="Highest number of an event in the batch.")
    root = serializers.SerializerMethodField()  # type: ignore[assignment]
    sealed_at = serializers.DateTimeField()

    def get_root(self, seal: Seal) -> str:
        """The root of the tree."""
        return hash_shown(seal.root)


class ProofQuery(QuerySerializer):
    """For which tree the proof is wanted."""

    tree_size = QueryIntegerField(min_value=1, max_value=2**53, required=False)


class InclusionOutput(serializers.Serializer[Any]):
    """An inclusion proof (RFC 9162, section 2.1.3); hashes are in Base64."""

    sequence = serializers.IntegerField()
    leaf_index = serializers.IntegerField()
    tree_size = serializers.IntegerField()
    leaf = serializers.CharField(
        allow_null=True,
        help_text="The event as it is sealed: JSON as RFC 8785 has it, in UTF-8; null of an archived one, "
        "whose archive has it.",
    )
    leaf_hash = serializers.CharField(help_text="SHA-256 of a zero byte and the leaf.")
    hashes = serializers.ListField(child=serializers.CharField())
    root = serializers.CharField()  # type: ignore[assignment]
    checkpoint = serializers.CharField(
        allow_null=True, help_text="The signed note of that tree size; null where none was made."
    )


class ConsistencyQuery(QuerySerializer):
    """Two tree sizes; `to` is the newest by default."""

    # A word of the language, so that no plain assignment makes it.
    vars()["from"] = QueryIntegerField(min_value=1, max_value=2**53)
    to = QueryIntegerField(min_value=1, max_value=2**53, required=False)


class ConsistencyOutput(serializers.Serializer[Any]):
    """A consistency proof (RFC 9162, section 2.1.4); hashes are in Base64."""

    vars()["from"] = serializers.IntegerField()
    to = serializers.IntegerField()
    from_root = serializers.CharField()
    to_root = serializers.CharField()
    hashes = serializers.ListField(child=serializers.CharField())


class VerifierKeysOutput(serializers.Serializer[Any]):
    """The log's name and its public keys as C2SP verifier keys."""

    origin = serializers.CharField()
    keys = serializers.ListField(child=serializers.CharField())
