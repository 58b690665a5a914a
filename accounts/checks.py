"""System checks of accounts: a sign-in provider that is half configured, or that can't be trusted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks


def register() -> None:
    """Register the checks with Django."""
    checks.register(check_oidc, checks.Tags.security)


def check_oidc(**kwargs: Any) -> list[checks.CheckMessage]:
    """CLOUDSCRIBE_OIDC_* are all there or none, and make an OpenID Connect client."""
    issuer, client = settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID
    if not issuer and not client and not settings.OIDC_CLIENT_SECRET:
        return []
    if not issuer or not client:
        hint = "Set CLOUDSCRIBE_OIDC_ISSUER and CLOUDSCRIBE_OIDC_CLIENT_ID, or none of CLOUDSCRIBE_OIDC_*."
        return [checks.Error("The sign-in provider is half configured.", hint=hint, id="accounts.E001")]
    found: list[checks.CheckMessage] = []
    if not _is_issuer(issuer):
        hint = (
            "Copy `issuer` out of the provider's /.well-known/openid-configuration: https, no query, no user."
        )
        found.append(checks.Error("CLOUDSCRIBE_OIDC_ISSUER is no issuer.", hint=hint, id="accounts.E002"))
    elif urlsplit(issuer).scheme == "http":
        hint = (
            "It works in a network that CLOUDSCRIBE_OUTGOING_ALLOW opens; whoever is on the way can sign in."
        )
        found.append(checks.Warning("The provider is not asked by https.", hint=hint, id="accounts.W001"))
    if "openid" not in settings.OIDC_SCOPES:
        hint = "openid,email,profile is the usual list."
        found.append(checks.Error("CLOUDSCRIBE_OIDC_SCOPES lacks openid.", hint=hint, id="accounts.E003"))
    return found


def _is_issuer(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    extra = parts.query or parts.fragment or "@" in parts.netloc
    return parts.scheme in {"https", "http"} and bool(parts.hostname) and not extra
