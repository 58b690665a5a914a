"""Rows of security: limits that staff can change, answers kept for clients that ask twice, who is let in."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField


class RateLimitPolicy(models.Model):
    """How many requests of one scope one caller may make in a period. Without a row a scope has no limit."""

    class Scope(models.TextChoices):
        EXPORT = "export"
        MAIL = "mail"
        READS = "reads"
        REGISTRATION = "registration"
        RENDER = "render"
        SEARCH = "search"
        SIGN_IN = "sign_in"
        WRITES = "writes"

    class Key(models.TextChoices):
        ACCOUNT = "account"
        ADDRESS = "address"
        TOKEN = "token"  # noqa: S105 (a kind of caller)
        USER = "user"

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    scope = models.CharField(max_length=20, choices=Scope.choices)
    key = models.CharField(
        max_length=10,
        choices=Key.choices,
        help_text="Whom it counts: the user, the token, the address of strangers, or the account they name.",
    )
    requests = models.PositiveIntegerField(help_text="Requests a period.")
    seconds = models.PositiveIntegerField(help_text="Length of the period.")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "rate limit policies"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "key"], name="security_ratelimit_once"),
            models.CheckConstraint(
                name="security_ratelimit_positive",
                condition=models.Q(requests__gte=1, seconds__gte=1, seconds__lte=86_400),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} by {self.key}: {self.requests} in {self.seconds} s"


class IdempotencyKey(models.Model):
    """The first answer to a creating request, for whoever sends it again with the same key within a day.

    Of the client's key only a hash is here; `body` is encrypted under a key derived from it, so that the
    table alone shows no answer.
    """

    id = models.BigAutoField(primary_key=True)
    key_hash = models.BinaryField(max_length=32, unique=True)
    actor_uid = models.UUIDField()
    route = models.CharField(max_length=200)
    request_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="security_idempotency_expiry")]

    def __str__(self) -> str:
        return f"{self.status} on {self.route}"


class IPRule(models.Model):
    """A network that is let in whatever else says no, or kept out whatever credential it shows.

    The narrowest rule that holds an address decides; of two alike, `allow`.
    """

    class Effect(models.TextChoices):
        ALLOW = "allow"
        BLOCK = "block"

    class Origin(models.TextChoices):
        AUTOMATIC = "automatic"
        COMMAND = "command"
        STAFF = "staff"

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    network = models.CharField(max_length=49, help_text="Address or CIDR; of IPv6 usually a /64.")
    effect = models.CharField(max_length=5, choices=Effect.choices, default=Effect.BLOCK)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.STAFF)
    reason = models.CharField(max_length=500, blank=True, default="")
    created_by_uid = models.UUIDField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "IP rule"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "effect"], name="security_iprule_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="security_iprule_expiry")]

    def __str__(self) -> str:
        return f"{self.effect} {self.network}"


class Offender(models.Model):
    """How often an address (of IPv6 the /64) was refused for abuse lately: what automatic blocks go by.

    `score` halves with each hour since `updated_at`; `blocks` makes the next block longer and decays by days.
    """

    id = models.BigAutoField(primary_key=True)
    network = models.CharField(max_length=49, unique=True)
    score = models.FloatField(default=0)
    blocks = models.PositiveSmallIntegerField(default=0)
    updated_at = models.DateTimeField(db_default=Now())
    blocked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["updated_at"], name="security_offender_age")]

    def __str__(self) -> str:
        return f"{self.network}: {self.score:.1f}"


class ReadOnly(models.Model):
    """One row while the installation is frozen: since when and why. Without it writing goes on."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    reason = models.CharField(max_length=500, blank=True, default="")
    since = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        # For the operator at the shell alone: no role has a say in it.
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="security_readonly_single")
        ]

    def __str__(self) -> str:
        return f"read-only since {self.since}"
