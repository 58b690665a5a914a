"""The record of what happened. Rows are written by `audit.services` and never changed."""

from __future__ import annotations

import functools
from typing import Any

import orjson
from django.db import models


class Epoch(models.Model):
    """One row that a restore of the database raises: what was issued under an earlier number is void."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    number = models.IntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_epoch_single")]

    def __str__(self) -> str:
        return str(self.number)


class Event(models.Model):
    """What happened, without anything personal: that lies in EventDetail, whose hash stands here.

    The database draws `sequence` and sets `epoch`, `xid` and `at`, whatever was sent. `facts` hold ids and
    numbers alone (which root, which subjects), so that they survive the erasure of a person.
    """

    sequence = models.BigAutoField(primary_key=True)
    epoch = models.IntegerField()
    xid = models.BigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16, blank=True)
    actor_uid = models.UUIDField(null=True)
    on_behalf_of = models.UUIDField(null=True)
    credential_kind = models.CharField(max_length=16, blank=True)
    credential_uid = models.UUIDField(null=True)
    request_id = models.CharField(max_length=80, blank=True)
    action = models.CharField(max_length=64)
    target_type = models.CharField(max_length=32)
    target_uid = models.UUIDField(null=True)
    workspace_uid = models.UUIDField(null=True)
    facts = models.JSONField(default=dict)
    count = models.IntegerField(default=1)
    log_entry = models.BigIntegerField(null=True)
    detail_hash = models.BinaryField(max_length=32)

    class Meta:
        permissions = [
            ("erase_person", "Can erase what the trail holds of a deleted person"),
            ("export_event", "Can export the audit trail"),
        ]
        indexes = [
            models.Index(fields=["at", "sequence"], name="audit_event_at"),
            models.Index(fields=["epoch", "xid", "sequence"], name="audit_event_order"),
            models.Index(fields=["actor_uid", "sequence"], name="audit_event_actor"),
            models.Index(fields=["action", "sequence"], name="audit_event_action"),
            models.Index(fields=["target_uid", "sequence"], name="audit_event_target"),
            models.Index(fields=["workspace_uid", "sequence"], name="audit_event_workspace"),
            models.Index(fields=["request_id", "sequence"], name="audit_event_request"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"


class EventDetail(models.Model):
    """The personal part of an event: its text and the salt of the hash, SHA-256(salt || text), in the event.

    `address` repeats the text's member for the index. Erasing a person removes this row, not the event.
    """

    event = models.OneToOneField(
        Event,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        db_column="sequence",
        db_constraint=False,  # partitions of both tables are dropped on their own
        related_name="detail",
    )
    salt = models.BinaryField(max_length=16)
    address = models.GenericIPAddressField(null=True)
    body = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["address", "event"], name="audit_eventdetail_address")]

    def __str__(self) -> str:
        return str(self.event_id)

    @functools.cached_property
    def content(self) -> dict[str, Any]:
        """The text as an object: `address`, `actor`, `target` (names), `changes` and `reason`."""
        content: dict[str, Any] = orjson.loads(self.body)
        return content


class EventLeaf(models.Model):
    """A leaf of the log's Merkle tree: the hash of an event. Stays when the event's partition is archived."""

    leaf = models.BigIntegerField(primary_key=True)
    sequence = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sequence"], name="audit_eventleaf_sequence")]

    def __str__(self) -> str:
        return f"{self.leaf}: event {self.sequence}"


class TreeNode(models.Model):
    """The root of the `position`-th complete subtree of 256^level leaves, so that proofs read few rows."""

    pk = models.CompositePrimaryKey("level", "position")
    level = models.SmallIntegerField()
    position = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"{self.level}/{self.position}"


class Seal(models.Model):
    """One batch of leaves and the signed checkpoint of the log behind it.

    `epoch`, `xid` and `sequence` are the place in the order of events up to which all are sealed.
    """

    tree_size = models.BigIntegerField(primary_key=True)
    first_leaf = models.BigIntegerField()
    last_leaf = models.BigIntegerField()
    first_sequence = models.BigIntegerField()
    last_sequence = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    epoch = models.IntegerField()
    xid = models.BigIntegerField()
    sequence = models.BigIntegerField()
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.tree_size} events"


class Archive(models.Model):
    """A range of events that left the database for a file in the storage; of several of a range the newest.

    `events` are all that the range held, `erased` how many of them have no detail any more. The file is an
    NDJSON export in the order of the leaves, packed by gzip; `sha256` is of the packed file.
    """

    first_sequence = models.BigIntegerField(db_index=True)
    last_sequence = models.BigIntegerField()
    events = models.BigIntegerField()
    erased = models.BigIntegerField()
    tree_size = models.BigIntegerField()
    path = models.CharField(max_length=200)
    size = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    archived_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.first_sequence}-{self.last_sequence}"
