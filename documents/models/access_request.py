"""Requests for access to a document by people who may not see it."""

from __future__ import annotations

import datetime as dt
import enum
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField
from documents import limits
from documents.models.fields import person_field


class Decision(models.TextChoices):
    """How a request ended: by somebody's word, or by a grant that made it pointless."""

    APPROVED = "approved"
    CLOSED = "closed"
    DECLINED = "declined"


class AskedState(enum.StrEnum):
    """How a request stands for its asker, to whom a declined one looks like one that nobody answered."""

    APPROVED = "approved"
    CLOSED = "closed"
    EXPIRED = "expired"
    OPEN = "open"


class AccessRequest(models.Model):
    """Somebody asks for a role. It is open until it is decided or past `expires_at` by the database's clock.

    There is one open request for each document and person. `document_uid` is what was asked for, whether
    there is such a document or not: to the asker both must look the same. `told_at` is when those who may
    answer were told, `changed_at` when the asker last wished something else.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    document_uid = models.UUIDField()
    document = models.ForeignKey(
        "documents.Document", on_delete=models.SET_NULL, null=True, blank=True, related_name="requests"
    )
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    role = models.CharField(max_length=12)
    message = models.CharField(max_length=limits.REASON_LENGTH, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=8, choices=Decision, blank=True, default="")
    decided_by = person_field()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["document_uid", "asker"],
                name="documents_request_once",
                condition=Q(decided_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True)
                | Q(decision__in=Decision.values, decided_at__isnull=False),
                name="documents_request_decided",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["asker", "id"], name="documents_request_asker"),
            models.Index(
                fields=["expires_at"], name="documents_request_expiry", condition=Q(decided_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"request {self.uid}"

    def state_shown(self, now: dt.datetime) -> AskedState:
        """What its asker is told of it at that moment."""
        if self.decision in {Decision.APPROVED, Decision.CLOSED}:
            return AskedState(self.decision)
        return AskedState.EXPIRED if self.expires_at <= now else AskedState.OPEN
