"""System checks: settings that would leave an installation open, said before it serves anybody."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

from security.addresses import parse_proxies

_EVERYBODY = {"0.0.0.0/0", "::/0"}


def register() -> None:
    """Register the checks with Django."""
    checks.register(check_proxies, checks.Tags.security)
    checks.register(check_deployment, checks.Tags.security, deploy=True)


def check_proxies(**kwargs: Any) -> list[checks.CheckMessage]:
    """CLOUDSCRIBE_TRUSTED_PROXIES are networks, and not the whole Internet."""
    try:
        parse_proxies(settings.TRUSTED_PROXIES)
    except ValueError as error:
        return [checks.Error(f"CLOUDSCRIBE_TRUSTED_PROXIES: {error}", id="security.E001")]
    if _EVERYBODY & set(settings.TRUSTED_PROXIES):
        hint = (
            "Name the proxy's own network: whoever is trusted chooses the address that limits and logs see."
        )
        return [checks.Error("CLOUDSCRIBE_TRUSTED_PROXIES trusts everybody.", hint=hint, id="security.E002")]
    return []


def check_deployment(**kwargs: Any) -> list[checks.CheckMessage]:
    """What `check --deploy` finds beside Django's own."""
    found: list[checks.CheckMessage] = []
    if not settings.SECURE:
        hint = "Set CLOUDSCRIBE_PUBLIC_URL to the https address that people use."
        found.append(checks.Warning("The public address is not https.", hint=hint, id="security.W101"))
    if not settings.RATELIMIT_ENABLE:
        hint = "RATELIMIT_ENABLE=false is for load tests."
        found.append(checks.Warning("General rate limits are off.", hint=hint, id="security.W102"))
    if settings.DATABASE_ROLES_ARE_ONE:
        hint = "Give DATABASE_OWNER_URL another role, so that the application can't change the audit trail."
        found.append(checks.Warning("Application and owner are one role.", hint=hint, id="security.W103"))
    return found
