"""Stamps: they rise in the transaction that changes somebody's rights; no cached right outlives it.

The rows come with their user or group, and rise, by triggers (migration 0002): signals miss bulk writes.
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
