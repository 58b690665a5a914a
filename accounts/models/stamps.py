"""Stamps: they change in the transaction that changes what is kept under them, so nothing kept outlives it.

Those of rights come with their user or group, and rise; all change by triggers (migrations 0002 and 0011):
signals miss bulk writes.
"""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models

from accounts.models.people import User


class UserStamp(models.Model):
    """Rises with each change of the grants or the memberships of one user."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="stamp")
    stamp = models.BigIntegerField(db_default=1)

    def __str__(self) -> str:
        return f"user {self.user_id}: {self.stamp}"


class GroupStamp(models.Model):
    """Rises with each change of the grants of one group."""

    group = models.OneToOneField(Group, on_delete=models.CASCADE, primary_key=True, related_name="stamp")
    stamp = models.BigIntegerField(db_default=1)

    def __str__(self) -> str:
        return f"group {self.group_id}: {self.stamp}"


class PeopleStamp(models.Model):
    """A number by chance, another with each new name of any user; together (`bit_xor`) they are the stamp.

    Mostly there is one. Who gets a name at the same time as others adds one, and the next takes all away.
    """

    stamp = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.stamp)
