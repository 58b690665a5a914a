"""The inbox: what people are told, and how they want to be told."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from accounts.models.people import User
from cloudscribe.lib.fields import UidField


class Channel(models.TextChoices):
    """How a kind of news reaches a person, beside the inbox or in its place."""

    DIGEST = "digest"
    EMAIL = "email"
    IN_APP = "in_app"
    NONE = "none"


class Notification(models.Model):
    """One piece of news for one person. It holds ids; titles are shown after a fresh right check."""

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=60)
    actor_uid = models.UUIDField(null=True, blank=True)
    actor_name = models.CharField(max_length=200, blank=True, default="")
    target_type = models.CharField(max_length=40, blank=True, default="")
    target_uid = models.UUIDField(null=True, blank=True)
    workspace_uid = models.UUIDField(null=True, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.IN_APP)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="accounts_notification_inbox"),
            models.Index(
                fields=["user"],
                name="accounts_notification_unread",
                condition=models.Q(read_at__isnull=True, channel__in=["in_app", "email", "digest"]),
            ),
            models.Index(
                fields=["user", "id"],
                name="accounts_notification_digest",
                condition=models.Q(channel="digest", mailed_at__isnull=True),
            ),
            models.Index(fields=["created_at"], name="accounts_notification_age"),
            # Whoever is deleted is named no longer.
            models.Index(fields=["actor_uid"], name="accounts_notification_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class NotificationPreference(models.Model):
    """The channel that a person chose for one kind; without a row the kind's own default holds."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notification_preferences")
    kind = models.CharField(max_length=60)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind"], name="accounts_preference_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}"
