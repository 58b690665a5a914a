"""Webhooks of a workspace, what is to be sent to them, and up to where the trail was read for that."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField
from documents import limits
from documents.models.fields import person_field


class Webhook(models.Model):
    """An address that is told of events of a workspace, as far as `speaks_for` may see what they are about.

    `failures` counts those since the last success, the first of which was at `failing_since`; until
    `resting_until` nothing is tried but what somebody asked for. `lease_until` is ahead while a handful of
    its deliveries is under way, one by one, and tells by its value whose that is.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    workspace = models.ForeignKey("documents.Workspace", on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=limits.WEBHOOK_URL_LENGTH)
    events = ArrayField(models.CharField(max_length=64))
    speaks_for = person_field()
    secret = models.BinaryField()
    previous_secret = models.BinaryField(null=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=16, blank=True, default="")
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    resting_until = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"webhook {self.uid}"


class DeliveryStatus(models.TextChoices):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    WITHHELD = "withheld"


class Delivery(models.Model):
    """One event, or a ping, for one webhook; `uid` is its `webhook-id`, the same at each attempt.

    There is one a webhook and event, whose number is `sequence`; a ping has none. Of the answers nothing is
    kept but the last one's status: what a receiver says may be a secret. `asked_at` is when it was first
    due, or asked for again; `tries` counts the attempts since, `attempts` all. One that is `by_hand` isn't
    kept by a rest of the webhook: somebody asked for it, or it waits for its first retry.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    sequence = models.BigIntegerField(null=True, blank=True)
    action = models.CharField(max_length=64)
    document_uid = models.UUIDField(null=True, blank=True)
    body = models.TextField()
    status = models.CharField(
        max_length=12, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING.value
    )
    by_hand = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    asked_at = models.DateTimeField(db_default=Now())
    attempted_at = models.DateTimeField(null=True, blank=True)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=32, blank=True, default="")
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["webhook", "sequence"], name="documents_delivery_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["webhook", "next_at"], name="documents_delivery_due", condition=Q(status="pending")
            ),
            models.Index(
                fields=["webhook", "next_at"],
                name="documents_delivery_by_hand",
                condition=Q(status="pending", by_hand=True),
            ),
            models.Index(fields=["webhook", "created_at"], name="documents_delivery_log"),
            models.Index(fields=["document_uid", "webhook"], name="documents_delivery_about"),
            models.Index(
                fields=["finished_at"], name="documents_delivery_ended", condition=~Q(status="pending")
            ),
        ]

    def __str__(self) -> str:
        return f"delivery {self.uid}"


class WebhookProgress(models.Model):
    """One row: up to which event, in the order of the trail, deliveries were made."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    epoch = models.IntegerField(default=0)
    xid = models.BigIntegerField(default=0)
    sequence = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "webhook progress"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="documents_webhook_progress_single")
        ]

    def __str__(self) -> str:
        return f"webhooks told up to event {self.sequence}"
