"""General rate limits: after authentication, before any row is fetched."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django_ratelimit.core import get_usage
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.breaker import redis_call
from security.addresses import address_block
from security.limits import Limit, ProcessBuckets, Usage, policies

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_buckets = ProcessBuckets()


class PolicyThrottle(BaseThrottle):
    """One policy per request: that of the view's `rate_scope` for the user, or for a stranger's address.

    The count lies in Redis by django-ratelimit (two round trips); without it each process counts for itself.
    A view without `rate_scope` counts as reads or writes, by its method.
    """

    def __init__(self) -> None:
        self.usage: Usage | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request and say whether it is within the limit; headers tell where one stands."""
        if not settings.RATELIMIT_ENABLE:
            return True
        scope = getattr(view, "rate_scope", None) or ("reads" if request.method in _READS else "writes")
        key, caller = _caller(request)
        limit = policies.get().get((scope, key))
        if limit is None:
            return True
        self.usage = usage = _count(request, scope, f"{key}:{caller}", limit)
        view.headers["RateLimit-Policy"] = f'"{scope}";q={limit.requests};w={limit.seconds}'
        view.headers["RateLimit"] = f'"{scope}";r={usage.remaining};t={usage.resets_in}'
        return not usage.exceeded

    def wait(self) -> float | None:
        """Seconds until the period ends."""
        return float(self.usage.resets_in) if self.usage else None


def _caller(request: Request) -> tuple[str, str]:
    if isinstance(request.auth, Actor) and request.auth.uid:
        return "user", str(request.auth.uid)
    return "address", address_block(request.META.get("REMOTE_ADDR", ""))


def _count(request: Request, scope: str, caller: str, limit: Limit) -> Usage:
    usage = redis_call(
        lambda: get_usage(
            request._request,  # noqa: SLF001 (django-ratelimit wants Django's request)
            group=scope,
            key=lambda *_: caller,
            rate=(limit.requests, limit.seconds),
            increment=True,
        ),
        None,
    )
    if not usage or usage["time_left"] < 0:
        return _buckets.count(f"{scope}:{caller}", limit)
    return Usage(limit, usage["count"], max(1, usage["time_left"]))
