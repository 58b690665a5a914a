"""What goes on while the installation is frozen: reading, and what a reader needs to stay one and to be safe.

A route that isn't here waits, one that comes later too. `*` stands for one part of the path.
"""

from __future__ import annotations

import re

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_GO_ON = {
    "POST": (
        # Signing in, by each of the ways there are; a second factor is given with the same calls. A stranger
        # whom the provider sends gets no account meanwhile (accounts.services.oidc).
        "/api/v1/auth/login/",
        "/api/v1/auth/passkeys/options/",
        "/api/v1/auth/passkeys/login/",
        "/api/v1/auth/oidc/start/",
        "/api/v1/auth/oidc/callback/",
        # An access token lives for minutes: without the next one reading would end with it.
        "/api/v1/auth/refresh/",
        # A fresh proof of who one is, which belongs to signing in and gives nothing by itself.
        "/api/v1/auth/step-up/",
        "/api/v1/auth/step-up/options/",
        # The end of the session at hand.
        "/api/v1/auth/logout/",
        # Renders a text that nobody keeps.
        "/api/v1/render/",
        # Staff come in, look, and go.
        "/admin/login/",
        "/admin/logout/",
        # The form for a shared page's password.
        "/s/*/",
        "/s/*/d/*/",
    ),
    "DELETE": (
        # A stolen credential is ended at once, by its owner or by who answers for the service account.
        "/api/v1/me/sessions/",
        "/api/v1/me/sessions/*/",
        "/api/v1/me/tokens/*/",
        "/api/v1/service-accounts/*/tokens/*/",
    ),
}


def _pattern(routes: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(route).replace(r"\*", "[^/]+") for route in routes))


_PATTERNS = {method: _pattern(routes) for method, routes in _GO_ON.items()}


def goes_on(method: str, path: str) -> bool:
    """Whether the request may be answered while nothing may be changed."""
    if method in _READS:
        return True
    pattern = _PATTERNS.get(method)
    return pattern is not None and pattern.fullmatch(path) is not None
