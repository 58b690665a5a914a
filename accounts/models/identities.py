"""Who people are at OpenID Connect providers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from accounts.models.people import User
from cloudscribe.lib.fields import UidField


class Identity(models.Model):
    """A person at an OpenID Connect provider, linked after they proved both sides."""

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    email = models.EmailField(max_length=254, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="accounts_identity_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "-id"], name="accounts_identity_user")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
