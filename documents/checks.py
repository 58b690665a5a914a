"""System checks of documents: settings that are none, or under which something is less than it promises."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

from documents.webhook_sending import openings

_LONGEST_VISIT = 86_400


def register() -> None:
    """Register the checks with Django."""
    checks.register(check_visits, checks.Tags.security, deploy=True)
    checks.register(check_webhooks, checks.Tags.security)


def check_visits(**kwargs: Any) -> list[checks.CheckMessage]:
    """A visit goes on after the last use of a link and without its password: it should be short."""
    if settings.LINK_VISIT_LIFETIME <= _LONGEST_VISIT:
        return []
    hint = "An hour is the default. Whoever opened a link stays in so long after it was used up."
    message = "CLOUDSCRIBE_LINK_VISIT_LIFETIME is longer than a day."
    return [checks.Warning(message, hint=hint, id="documents.W001")]


def check_webhooks(**kwargs: Any) -> list[checks.CheckMessage]:
    """What is opened to webhooks are networks and ports."""
    try:
        opened = openings()
    except ValueError as error:
        message = f"CLOUDSCRIBE_WEBHOOK_ALLOWED_CIDRS or _PORTS: {error}"
        return [checks.Error(message, id="documents.E001")]
    if all(0 < port < 65_536 for port in opened.ports):
        return []
    return [checks.Error("CLOUDSCRIBE_WEBHOOK_ALLOWED_PORTS holds what is no port.", id="documents.E001")]
