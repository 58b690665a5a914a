"""What waits for somebody to show a mailed token; the token itself is derived (accounts.mailed_tokens)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from accounts.models.people import User
from cloudscribe.lib.fields import UidField


class MailedToken(models.Model):
    """A row that a mailed token redeems before it expires (the database clock); redeeming deletes it."""

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        abstract = True


class Registration(MailedToken):
    """A wish to join; the user comes into being when the mailed token is shown.

    Every acceptable request makes one and nothing else, whether the address has an account or not, so
    that neither the answer nor its time tells. Nobody can occupy an address that isn't theirs.
    """

    email = models.EmailField(max_length=254)
    email_key = models.CharField(max_length=320, db_index=True)
    name = models.CharField(max_length=200)
    locale = models.CharField(max_length=35, default="en")
    password = models.CharField(max_length=256)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="accounts_registration_expiry")]

    def __str__(self) -> str:
        return f"registration {self.uid}"


class PasswordReset(MailedToken):
    """A forgotten password. `user` is filled when the mail is sent; it stays empty for an unknown address."""

    email_key = models.CharField(max_length=320)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="accounts_reset_expiry")]

    def __str__(self) -> str:
        return f"password reset {self.uid}"


class EmailChange(MailedToken):
    """A new address that its owner has not confirmed yet; the newest of a user alone counts.

    A confirmed one stays until it expires, so that the mail to `old_email` knows where to go.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField(max_length=254)
    email_key = models.CharField(max_length=320)
    old_email = models.EmailField(max_length=254, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="accounts_emailchange_expiry")]

    def __str__(self) -> str:
        return f"change of address {self.uid}"
