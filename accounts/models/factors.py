"""Second factors, passkeys, and what is remembered between a challenge and its answer."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models.people import User
from cloudscribe.lib.fields import UidField


class TotpDevice(models.Model):
    """An authenticator app (RFC 6238). It counts once a code of it was shown: `confirmed_at`.

    `secret` is sealed by the key ring; `last_step` is the time step of the last accepted code, so that none
    is accepted twice.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="totp")
    secret = models.BinaryField(max_length=256)
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"authenticator of {self.user_id}"


class RecoveryCode(models.Model):
    """One of the codes that stand in for a lost device, each good once; only a hash is here."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "code_hash"], name="accounts_recovery_once"),
        ]

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class Passkey(models.Model):
    """A WebAuthn credential: its public key and the counter of its last use."""

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=200)
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField(max_length=2048)
    sign_count = models.BigIntegerField(default=0)
    transports = ArrayField(models.CharField(max_length=20), blank=True, default=list)
    backed_up = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "-id"], name="accounts_passkey_user")]

    def __str__(self) -> str:
        return f"passkey {self.name}"


class Ceremony(models.Model):
    """What is remembered between a challenge and its answer; redeemed once, within minutes, then deleted.

    The answer must bring the challenge (of OpenID Connect: the state); `secret_hash` is its SHA-256, so that
    the row alone answers nothing.
    """

    class Kind(models.TextChoices):
        OIDC_LINK = "oidc_link"
        OIDC_SIGN_IN = "oidc_sign_in"
        PASSKEY_REGISTRATION = "passkey_registration"
        PASSKEY_SIGN_IN = "passkey_sign_in"
        PASSKEY_STEP_UP = "passkey_step_up"

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    kind = models.CharField(max_length=24, choices=Kind.choices)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    session_uid = models.UUIDField(null=True, blank=True)
    secret_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="accounts_ceremony_expiry")]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"


class RolePolicy(models.Model):
    """What a platform role asks of those who hold it."""

    group = models.OneToOneField(Group, on_delete=models.CASCADE, primary_key=True, related_name="policy")
    second_factor = models.BooleanField(default=False, help_text="Whether it needs a second factor.")
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "role policies"

    def __str__(self) -> str:
        return f"policy of {self.group}"
