"""Links by which whoever holds the secret reads, comments on or edits a document."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField
from documents.models.fields import person_field
from documents.roles import Role


class LinkState(models.TextChoices):
    """Where a link is in its life."""

    EXPIRED = "expired"
    LIVE = "live"
    REVOKED = "revoked"
    SPENT = "spent"


class ShareLink(models.Model):
    """A secret that opens a document, and what stands below it where `include_children` says so.

    The secret is shown once and kept as its SHA-256, a password as Argon2id. It is alive until it is revoked,
    past `expires_at` by the database's clock, or used `max_uses` times.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    document = models.ForeignKey("documents.Document", on_delete=models.CASCADE, related_name="links")
    secret_hash = models.BinaryField(max_length=32, unique=True)
    role = models.CharField(max_length=12, default=str(Role.VIEWER))
    include_children = models.BooleanField(default=False)
    password = models.CharField(max_length=128, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    max_uses = models.PositiveIntegerField(null=True, blank=True)
    use_count = models.PositiveIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_by = person_field()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = person_field()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(role__in=[str(Role.VIEWER), str(Role.COMMENTER), str(Role.EDITOR)]),
                name="documents_link_role",
            ),
            models.CheckConstraint(
                condition=Q(max_uses__isnull=True) | Q(use_count__lte=F("max_uses")),
                name="documents_link_uses",
            ),
        ]

    def __str__(self) -> str:
        return f"link {self.uid}"

    def ends_at(self, lifetime_days: int | None) -> dt.datetime | None:
        """When it runs out, None for never: `lifetime_days` of its workspace count from its last change."""
        if lifetime_days is None:
            return self.expires_at
        latest = self.updated_at + dt.timedelta(days=lifetime_days)
        return latest if self.expires_at is None else min(latest, self.expires_at)

    def state_at(self, now: dt.datetime, lifetime_days: int | None) -> LinkState:
        """Where it stands at a moment of the database's clock."""
        if self.revoked_at is not None:
            return LinkState.REVOKED
        ends = self.ends_at(lifetime_days)
        if ends is not None and ends <= now:
            return LinkState.EXPIRED
        spent = self.max_uses is not None and self.use_count >= self.max_uses
        return LinkState.SPENT if spent else LinkState.LIVE


class LinkVisit(models.Model):
    """One opening of a link: when, from where and by what program."""

    id = models.BigAutoField(primary_key=True)
    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="visits", db_index=False)
    at = models.DateTimeField(db_default=Now())
    address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["link", "id"], name="documents_visit_link")]

    def __str__(self) -> str:
        return f"visit of link {self.link_id} at {self.at}"
