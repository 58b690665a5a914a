"""Fields that several of the tables use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models


def person_field() -> models.ForeignKey[Any, Any]:
    """Who did something: remembered while that person has an account, and in no index."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
