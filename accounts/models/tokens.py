"""Personal access tokens, and the service accounts that sign in by tokens alone."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models.people import User
from cloudscribe.lib.fields import UidField


class Token(models.Model):
    """A secret that signs in as its user, cut to scopes, one workspace or subtree, and networks.

    Only the SHA-256 of the secret is here. `workspace_*` and `document_*` name rows of the floor above, so
    they are no foreign keys: what is gone is never reached.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=200)
    hint = models.CharField(max_length=12, help_text="The first characters, to tell tokens apart.")
    secret_hash = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    workspace_pk = models.BigIntegerField(null=True, blank=True)
    workspace_uid = models.UUIDField(null=True, blank=True)
    document_pk = models.BigIntegerField(null=True, blank=True)
    document_uid = models.UUIDField(null=True, blank=True)
    cidrs = ArrayField(models.CharField(max_length=49), blank=True, default=list)
    minted_by_uid = models.UUIDField(null=True, blank=True, help_text="The token that minted this one.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.GenericIPAddressField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="accounts_token_reason_when_revoked",
                condition=models.Q(revoked_at__isnull=True, revoked_reason="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(revoked_reason="")),
            ),
            models.CheckConstraint(name="accounts_token_has_scopes", condition=models.Q(scopes__len__gte=1)),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["user", "-created_at", "-id"],
                name="accounts_token_live",
                condition=models.Q(revoked_at__isnull=True),
            ),
            models.Index(fields=["expires_at"], name="accounts_token_expiry"),
            models.Index(fields=["minted_by_uid"], name="accounts_token_minted"),
        ]

    def __str__(self) -> str:
        return f"token {self.name} ({self.hint}…)"


class ServiceAccount(models.Model):
    """What makes a user of kind `service`: who answers for it, and what it is for.

    `workspace_*` is set where a workspace's owners made it, and empty for one of the platform's.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="service")
    description = models.CharField(max_length=2000, blank=True, default="")
    workspace_pk = models.BigIntegerField(null=True, blank=True, db_index=True)
    workspace_uid = models.UUIDField(null=True, blank=True)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="made_services"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"service account {self.user_id}"
