"""General rate limits: after authentication, before any row is fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django_ratelimit.core import get_usage
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from audit.denials import denial_record
from audit.services import Target
from cloudscribe.lib.actor import Actor, CredentialKind
from cloudscribe.lib.breaker import redis_call
from cloudscribe.lib.context import current_context
from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.errors import TooManyRequests
from cloudscribe.lib.observability.metrics import LIMIT_REFUSALS
from security.addresses import address_block
from security.limits import Limit, ProcessBuckets, Usage, policies

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_buckets = ProcessBuckets()


class PolicyThrottle(BaseThrottle):
    """The policies of the view's `rate_scope` that concern the caller, the most specific first.

    A signed-in caller counts by access token, if it is one, and by user, whichever runs out first; a stranger
    by the account they name together with their address, and by address. A view without `rate_scope` counts
    as reads or writes, by its method. Counts lie in Redis by django-ratelimit, a round trip each; without it
    each process counts for itself.
    """

    def __init__(self) -> None:
        self.usage: Usage | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request and say whether it is within the limits; headers tell where one stands."""
        if not settings.RATELIMIT_ENABLE:
            return True
        scope = getattr(view, "rate_scope", None) or ("reads" if request.method in _READS else "writes")
        known = policies.get()
        shown = []
        for key, caller in _callers(request, scope, known):
            usage = _count(request._request, scope, key, caller, known[scope, key])  # noqa: SLF001 (Django's own)
            shown.append(f'"{_name(scope, key)}";q={usage.limit.requests};w={usage.limit.seconds}')
            if self.usage is None or usage.remaining < self.usage.remaining or usage.exceeded:
                self.usage = usage
                view.headers["RateLimit"] = f'"{_name(scope, key)}";r={usage.remaining};t={usage.resets_in}'
            if usage.exceeded:
                LIMIT_REFUSALS.labels(scope=scope, key=key).inc()
                # What comes after is not counted: a runaway token leaves its owner's other ones alone.
                if usage.starts:
                    limit_note(request.auth, scope, key)
                break
        if shown:
            view.headers["RateLimit-Policy"] = ", ".join(shown)
        return self.usage is None or not self.usage.exceeded

    def wait(self) -> float | None:
        """Seconds until the period ends."""
        return float(self.usage.resets_in) if self.usage else None


def _name(scope: str, key: str) -> str:
    return f"{scope}_{key}" if key in {"account", "token"} else scope


def _callers(
    request: Request, scope: str, known: Mapping[tuple[str, str], Limit]
) -> Iterator[tuple[str, str]]:
    """Key and caller of each policy there is for this request."""
    actor = request.auth
    if isinstance(actor, Actor) and actor.uid:
        if actor.credential_kind == CredentialKind.TOKEN and (scope, "token") in known:
            yield "token", str(actor.credential_uid)
        if (scope, "user") in known:
            yield "user", str(actor.uid)
        return
    block = address_block(request.META.get("REMOTE_ADDR", ""))
    if (scope, "account") in known and (account := _account(request)):
        # With the address: else a stranger could use up somebody's account for them.
        yield "account", f"{account}:{block}"
    if (scope, "address") in known:
        yield "address", block


def _account(request: Request) -> str:
    """The account that a stranger names, however they spell it; what was typed isn't kept."""
    data = request.data
    email = data.get("email") if isinstance(data, Mapping) else None
    if not isinstance(email, str):
        return ""
    return hashlib.sha256(canonical_email(email).encode("utf-8", "replace")).hexdigest()


def _count(request: HttpRequest, scope: str, key: str, caller: str, limit: Limit) -> Usage:
    """Count one request of `caller`, in Redis where it answers."""
    usage = redis_call(
        lambda: get_usage(
            request,
            group=scope,
            key=lambda *_: f"{key}:{caller}",
            rate=(limit.requests, limit.seconds),
            increment=True,
        ),
        None,
    )
    if not usage or usage["time_left"] < 0:
        return _buckets.count(f"{scope}:{key}:{caller}", limit)
    return Usage(limit, usage["count"], max(1, usage["time_left"]))


def usage_of(request: HttpRequest, scope: str, actor: Actor | None) -> Usage | None:
    """Count a request that is no API view's: for the actor, or for a stranger's address; None without limit.

    Raises ServiceUnavailable where this process has never been able to read the limits.
    """
    if not settings.RATELIMIT_ENABLE:
        return None
    key, caller = "address", address_block(request.META.get("REMOTE_ADDR", ""))
    if actor is not None and actor.uid:
        key, caller = "user", str(actor.uid)
    limit = policies.get().get((scope, key))
    if limit is None:
        return None
    usage = _count(request, scope, key, caller, limit)
    if usage.exceeded:
        LIMIT_REFUSALS.labels(scope=scope, key=key).inc()
    if usage.starts:
        limit_note(actor, scope, key)
    return usage


def limit_note(actor: Any, scope: str, key: str) -> None:
    """Put the start of a limit on the record; what is refused after it is a metric alone."""
    denial_record(
        actor=actor if isinstance(actor, Actor) else None,
        action="rate_limit.exceeded",
        target=Target("rate_limit", None, f"{scope} by {key}"),
        route=current_context().route,
        code=TooManyRequests.code,
    )
