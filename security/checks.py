"""System checks: settings that would leave an installation open, said before it serves anybody."""

from __future__ import annotations

import ipaddress
import stat
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.hashers import get_hasher
from django.core import checks

from cloudscribe.lib import env
from security.addresses import parse_proxies
from security.destinations import parse_allowed

# A wider network than these is nobody's own.
_WIDEST = {4: 8, 6: 16}
# Memory in KiB by passes: OWASP's password storage cheat sheet, Argon2id, equal in strength.
_ARGON2_LEAST = {1: 47_104, 2: 19_456, 3: 12_288, 4: 9_216, 5: 7_168}
_DISTINCT_BYTES = 12

Found = Iterator[checks.CheckMessage]


def register() -> None:
    """Register the checks with Django."""
    checks.register(check_proxies, checks.Tags.security)
    checks.register(check_debug, checks.Tags.security)
    checks.register(check_outgoing, checks.Tags.security)
    checks.register(check_deployment, checks.Tags.security, deploy=True)


def check_proxies(**kwargs: Any) -> list[checks.CheckMessage]:
    """CLOUDSCRIBE_TRUSTED_PROXIES are networks, and not the whole Internet."""
    try:
        networks, _ = parse_proxies(settings.TRUSTED_PROXIES)
    except ValueError as error:
        return [checks.Error(f"CLOUDSCRIBE_TRUSTED_PROXIES: {error}", id="security.E001")]
    if any(network.prefixlen < _WIDEST[network.version] for network in networks):
        hint = (
            "Name the proxy's own network: whoever is trusted chooses the address that limits and logs see."
        )
        return [checks.Error("CLOUDSCRIBE_TRUSTED_PROXIES trusts everybody.", hint=hint, id="security.E002")]
    return []


def check_debug(**kwargs: Any) -> list[checks.CheckMessage]:
    """Debug mode shows settings, statements and code to whoever causes an error."""
    if settings.DEBUG and _is_public():
        hint = "Unset CLOUDSCRIBE_DEBUG; it is for an address of this machine alone."
        return [checks.Error("Debug mode is on at a public address.", hint=hint, id="security.E003")]
    return []


def check_outgoing(**kwargs: Any) -> list[checks.CheckMessage]:
    """CLOUDSCRIBE_OUTGOING_ALLOW are networks; whole families of addresses would let everything in."""
    try:
        allowed = parse_allowed(tuple(settings.OUTGOING_ALLOW))
    except ValueError as error:
        return [checks.Error(f"CLOUDSCRIBE_OUTGOING_ALLOW: {error}", id="security.E004")]
    if any(each.network.prefixlen < _WIDEST[each.network.version] for each in allowed):
        hint = (
            "Name the networks of what you want to reach: this lets requests of ours go to this machine, too."
        )
        return [checks.Error("CLOUDSCRIBE_OUTGOING_ALLOW opens everything.", hint=hint, id="security.E005")]
    return []


def check_deployment(**kwargs: Any) -> list[checks.CheckMessage]:
    """What `check --deploy` finds beside Django's own."""
    return [*_door(), *_secrets(), *_dependencies()]


def _door() -> Found:
    """Address, hosts, proxies, limits, metrics."""
    if not settings.SECURE:
        hint = "Set CLOUDSCRIBE_PUBLIC_URL to the https address that people use."
        yield checks.Warning("The public address is not https.", hint=hint, id="security.W101")
    if not settings.RATELIMIT_ENABLE:
        hint = "RATELIMIT_ENABLE=false is for load tests."
        yield checks.Warning("General rate limits are off.", hint=hint, id="security.W102")
    if settings.SECURE and "*" in settings.ALLOWED_HOSTS:
        hint = "Set CLOUDSCRIBE_ALLOWED_HOSTS to the name in CLOUDSCRIBE_PUBLIC_URL."
        yield checks.Warning("Every host name is answered.", hint=hint, id="security.W104")
    if settings.SECURE and not settings.TRUSTED_PROXIES:
        hint = (
            "Name the addresses of the proxy that speaks TLS in CLOUDSCRIBE_TRUSTED_PROXIES: without, limits "
            "and IP rules take all its clients for one, and those of a proxy on this machine for the machine."
        )
        yield checks.Warning("No proxy is trusted to name its clients.", hint=hint, id="security.W105")
    if not settings.METRICS_TOKEN and (_is_public() or _listens_beyond()):
        hint = "Set CLOUDSCRIBE_METRICS_TOKEN, and give it to what collects the metrics."
        yield checks.Warning("/metrics has no token.", hint=hint, id="security.W106")


def _secrets() -> Found:
    """Keys, password hashes, the file of kept keys."""
    ring = settings.KEY_RING
    weak = [kid for kid, key in ring.keys.items() if len(set(key)) < _DISTINCT_BYTES]
    if weak:
        hint = "Make a new one by `manage.py rotate_keys`, and take the old one out with --retire --at-once."
        yield checks.Warning(f"Not random: key {', '.join(weak)}.", hint=hint, id="security.W107")
    hasher = get_hasher()
    least = _ARGON2_LEAST.get(min(getattr(hasher, "time_cost", 0), 5))
    if hasher.algorithm != "argon2" or least is None or getattr(hasher, "memory_cost", 0) < least:
        hint = f"Argon2id with {_ARGON2_LEAST[2]} KiB and two passes is the least (accounts.hashers)."
        yield checks.Warning("Passwords are hashed too cheaply.", hint=hint, id="security.W108")
    kept = settings.DATA_DIR / "secrets.json"
    if kept.exists() and stat.S_IMODE(kept.stat().st_mode) & 0o077:
        hint = f"chmod 600 {kept}"
        yield checks.Warning("Others on this machine can read the keys.", hint=hint, id="security.W109")


def _dependencies() -> Found:
    """Database roles, mail, error tracker."""
    if settings.DATABASE_ROLES_ARE_ONE:
        hint = "Give DATABASE_OWNER_URL another role, so that the application can't change the audit trail."
        yield checks.Warning("Application and owner are one role.", hint=hint, id="security.W103")
    encrypted = getattr(settings, "EMAIL_USE_TLS", False) or getattr(settings, "EMAIL_USE_SSL", False)
    if settings.EMAIL_HOST_PASSWORD and not encrypted and not _is_here(settings.EMAIL_HOST):
        hint = "Write EMAIL_URL with smtp+tls:// or smtp+ssl://."
        yield checks.Warning("The mail server's password goes in the clear.", hint=hint, id="security.W110")
    if settings.REGISTRATION == "open" and _is_public() and not settings.EMAIL_URL:
        hint = "Set EMAIL_URL, or CLOUDSCRIBE_REGISTRATION=closed: who registers proves the address by mail."
        yield checks.Warning("Registration is open, and no mail is sent.", hint=hint, id="security.W111")
    tracker = urlsplit(str(settings.SENTRY_DSN or ""))
    if tracker.scheme == "http" and not _is_here(tracker.hostname):
        hint = "Use the https address of the error tracker in SENTRY_DSN."
        yield checks.Warning("Errors are reported in the clear.", hint=hint, id="security.W112")


def _is_public() -> bool:
    return not _is_here(urlsplit(settings.PUBLIC_URL).hostname)


def _listens_beyond() -> bool:
    return not _is_here(env.raw("CLOUDSCRIBE_BIND") or "127.0.0.1")


def _is_here(host: str | None) -> bool:
    """Whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
