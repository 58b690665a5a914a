"""System checks of documents: a setting under which share links are less than they promise."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

_LONGEST_VISIT = 86_400


def register() -> None:
    """Register the checks with Django."""
    checks.register(check_visits, checks.Tags.security, deploy=True)


def check_visits(**kwargs: Any) -> list[checks.CheckMessage]:
    """A visit goes on after the last use of a link and without its password: it should be short."""
    if settings.LINK_VISIT_LIFETIME <= _LONGEST_VISIT:
        return []
    hint = "An hour is the default. Whoever opened a link stays in so long after it was used up."
    message = "CLOUDSCRIBE_LINK_VISIT_LIFETIME is longer than a day."
    return [checks.Warning(message, hint=hint, id="documents.W001")]
