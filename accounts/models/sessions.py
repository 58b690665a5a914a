"""Sessions and the failed tries to get one."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models.people import User
from cloudscribe.lib.fields import UidField


class Session(models.Model):
    """One sign-in on one device. Of kind `user` it is a family of refresh tokens, of which one is live.

    `counter` is the live token's number, `secret_hash` the SHA-256 of its secret, `previous_secret_hash` that
    of the one before, `key_id` the key of the ring from which the live one was derived. Each end is judged by
    the database's clock: revoked, past `expires_at`, or unused for `idle_lifetime`.
    """

    class Kind(models.TextChoices):
        USER = "user"
        ADMIN = "admin"

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.USER)
    device = models.CharField(max_length=200, blank=True, default="")
    address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(db_default=Now())
    authenticated_at = models.DateTimeField(db_default=Now(), help_text="When a password was last shown.")
    # What was shown to get it (RFC 8176): `pwd`, `otp`, `recovery`, `passkey`.
    factors = ArrayField(models.CharField(max_length=10), blank=True, default=list, db_default=[])
    expires_at = models.DateTimeField()
    idle_lifetime = models.DurationField()
    counter = models.BigIntegerField(default=0)
    secret_hash = models.BinaryField(max_length=32, null=True)
    previous_secret_hash = models.BinaryField(max_length=32, null=True)
    key_id = models.CharField(max_length=64, blank=True, default="")
    rotated_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="accounts_session_user_kind_has_secret",
                condition=models.Q(kind="admin") | models.Q(secret_hash__isnull=False),
            ),
            models.CheckConstraint(
                name="accounts_session_reason_when_revoked",
                condition=models.Q(revoked_at__isnull=True, revoked_reason="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(revoked_reason="")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["user", "-created_at", "-id"],
                name="accounts_session_live",
                condition=models.Q(revoked_at__isnull=True),
            ),
            # Has this account signed in from there before? asks the sign-in limiter.
            models.Index(fields=["user", "address", "-created_at"], name="accounts_session_address"),
            models.Index(fields=["expires_at"], name="accounts_session_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} session {self.uid}"


class SignInFailure(models.Model):
    """One wrong password. A try is written before the password is hashed and taken away if it was right.

    `account` is a keyed hash of the canonical address, so that the table tells nobody's address;
    `source` is the client's address, of IPv6 the /64.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.BinaryField(max_length=32)
    source = models.GenericIPAddressField()
    at = models.DateTimeField(db_default=Now())
    # Under way: the password is being judged. It may turn out to be right.
    pending = models.BooleanField(db_default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["account", "at"], name="accounts_failure_account"),
            models.Index(fields=["source", "at"], name="accounts_failure_source"),
            models.Index(fields=["at"], name="accounts_failure_at"),
        ]

    def __str__(self) -> str:
        return f"failed sign-in from {self.source}"
