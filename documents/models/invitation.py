"""Invitations to a workspace, for addresses that may have no account yet."""

from __future__ import annotations

import datetime as dt
import enum
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField
from documents.models.fields import person_field


class InvitationState(enum.StrEnum):
    """Where an invitation stands."""

    ACCEPTED = "accepted"
    EXPIRED = "expired"
    OPEN = "open"
    REVOKED = "revoked"


class Invitation(models.Model):
    """A membership that waits for the owner of an address; the mailed token is derived from `uid`.

    It is open until it is accepted, revoked or past `expires_at` by the database's clock. There is one open
    invitation for each workspace and address.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    workspace = models.ForeignKey("documents.Workspace", on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    email_key = models.CharField(max_length=320)
    role = models.CharField(max_length=12)
    grant_expires_at = models.DateTimeField(null=True, blank=True)
    invited_by = person_field()
    sent_count = models.PositiveSmallIntegerField(default=1)
    last_sent_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = person_field()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "email_key"],
                name="documents_invitation_once",
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["email_key"],
                name="documents_invitation_open",
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
            ),
            models.Index(fields=["expires_at"], name="documents_invitation_expiry"),
        ]

    def __str__(self) -> str:
        return f"invitation {self.uid}"

    def state_at(self, now: dt.datetime) -> InvitationState:
        """Where it stands at a moment of the database's clock; what ran out can't be revoked any more."""
        if self.accepted_at is not None:
            return InvitationState.ACCEPTED
        if self.expires_at <= (self.revoked_at or now):
            return InvitationState.EXPIRED
        return InvitationState.OPEN if self.revoked_at is None else InvitationState.REVOKED
