"""The client's address before anything else sees the request, and the headers on every answer."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase, ResponseHeaders

from cloudscribe.lib.actor import current_actor
from cloudscribe.lib.context import current_context
from cloudscribe.lib.errors import ServiceUnavailable, TooManyRequests
from cloudscribe.lib.observability.metrics import ADDRESS_REFUSALS, LIMIT_REFUSALS
from cloudscribe.lib.refusals import refuse
from security.abuse import offence_note
from security.addresses import address_block, client_address, is_trusted, parse_address, parse_proxies
from security.exceptions import AddressBlocked
from security.ip_rules import rules
from security.limits import Limit, ProcessBuckets
from security.read_only import writing_check
from security.read_only_routes import goes_on
from security.throttling import limit_note, usage_of

Handler = Callable[[HttpRequest], HttpResponseBase]

_FORWARDING = (
    "HTTP_CF_CONNECTING_IP",
    "HTTP_CLIENT_IP",
    "HTTP_FORWARDED",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_X_CLIENT_IP",
    "HTTP_X_CLUSTER_CLIENT_IP",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_REAL_IP",
)
# They say nothing of a length (RFC 9110, section 8.6); all others would go out in chunks without it.
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_PROTO = "HTTP_X_FORWARDED_PROTO"
# Whether the peer looks like a proxy that the settings don't name: all its clients have its address.
_UNNAMED_PROXY = "cloudscribe.unnamed_proxy"
# What every answer carries unless the view says something else, and the settings' policy of referrers.
_STANDING = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# No answer of the API is a page: nothing may be loaded, nobody may frame it.
_BARE_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class ClientAddressMiddleware:
    """Make REMOTE_ADDR the client's vetted address and drop every header that claims another one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.proxies, self.unix = parse_proxies(settings.TRUSTED_PROXIES)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Derive the address, then go on."""
        meta = request.META
        peer = parse_address(meta.get("REMOTE_ADDR", ""))
        address = client_address(peer, meta.get("HTTP_X_FORWARDED_FOR", ""), self.proxies, unix=self.unix)
        trusted = is_trusted(peer, self.proxies, unix=self.unix)
        if not trusted:
            meta.pop(_PROTO, None)
        forwarded = [meta.pop(name) for name in _FORWARDING if name in meta]
        meta[_UNNAMED_PROXY] = bool(forwarded and not trusted and peer and peer.is_private)
        meta["REMOTE_ADDR"] = current_context().address = str(address) if address else ""
        return self.get_response(request)


class IPRulesMiddleware:
    """Refuse whom an IP rule keeps out, before anything is done for them and whatever credential they show.

    Health stays open: it tells nothing of anybody, and a probe that is blocked by mistake takes the whole
    installation away.
    """

    OPEN = "/health/"
    GUESSABLE = ("/api/v1/auth/", "/admin/login/")

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Ask the rules as this process knows them, then go on or refuse."""
        if request.path_info.startswith(self.OPEN):
            return self.get_response(request)
        try:
            index = rules.get()
        except ServiceUnavailable as error:
            # A process that has never been able to read them lets nobody in.
            return refuse(error, request)
        if not index.empty and index.blocks(request.META["REMOTE_ADDR"]):
            ADDRESS_REFUSALS.inc()
            return refuse(AddressBlocked(), request)
        response = self.get_response(request)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._note(request)
        return response

    def _note(self, request: HttpRequest) -> None:
        # Who is signed in is known by more than an address, which they may share with others, as all do
        # who come by a proxy that the settings don't name.
        if current_actor() is None and not request.META[_UNNAMED_PROXY]:
            guess = request.path_info.startswith(self.GUESSABLE)
            offence_note(request.META["REMOTE_ADDR"], guess=guess)


class CoarseLimitMiddleware:
    """Refuse a flood from one address before anything is done for it; counted by each process for itself."""

    PERIOD = 10

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.buckets = ProcessBuckets()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Count the request, then go on or refuse it."""
        if not settings.RATELIMIT_ENABLE:
            return self.get_response(request)
        limit = Limit(settings.COARSE_LIMIT, self.PERIOD)
        usage = self.buckets.count(address_block(request.META.get("REMOTE_ADDR", "")), limit)
        if usage.exceeded:
            LIMIT_REFUSALS.labels(scope="all", key="address").inc()
            if usage.starts:
                limit_note(None, "all", "address")
            wait = {"Retry-After": str(usage.resets_in)}
            return refuse(TooManyRequests("Too many requests from this address.", headers=wait), request)
        return self.get_response(request)


class ReadOnlyMiddleware:
    """Refuse what would change something while the installation is frozen, whoever asks.

    And once more before each transaction of a service: whoever was let in before the freeze, and took long
    to send a body, begins nothing after it.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Ask the state as this process knows it, then go on or refuse."""
        if goes_on(str(request.method), request.path_info):
            return self.get_response(request)
        try:
            writing_check()
        except ServiceUnavailable as error:
            # A process that has never been able to read the state lets nobody write.
            return refuse(error, request)
        current_context().writing_check = writing_check
        return self.get_response(request)


class AdminLimitMiddleware:
    """The admin's pages under the limits of the API's routes; it stands where the staff member is known.

    A sign-in counts by address, whoever sends it; pages count as reads, what is sent to them as writes.
    """

    SIGN_IN = "/admin/login/"

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Count the request, then go on or refuse it."""
        scope = "reads" if request.method in {"GET", "HEAD"} else "writes"
        actor = current_actor()
        if scope == "writes" and request.path_info == self.SIGN_IN:
            scope, actor = "sign_in", None
        try:
            usage = usage_of(request, scope, actor)
        except ServiceUnavailable as error:
            return refuse(error, request)
        if usage is None or not usage.exceeded:
            return self.get_response(request)
        wait = str(usage.resets_in)
        return refuse(TooManyRequests(f"Come back in {wait} s.", headers={"Retry-After": wait}), request)


class HeadersMiddleware(CSPMiddleware):
    """The protecting headers of every answer, errors and assets included.

    Pages get django-csp's policy from the settings, everything else one that allows nothing.
    """

    def __init__(self, get_response: Handler) -> None:
        super().__init__(get_response)
        seconds = settings.SECURE_HSTS_SECONDS
        self.hsts = f"max-age={seconds}; includeSubDomains; preload" if seconds else ""
        standing = {**_STANDING, "Referrer-Policy": settings.SECURE_REFERRER_POLICY}
        # Checked by Django once, which would check them again for each answer.
        self.standing = list(ResponseHeaders(standing)._store.items())  # noqa: SLF001 (as below)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add what the view hasn't set itself."""
        headers = response.headers
        if not response.streaming and response.status_code not in _BODILESS:
            headers.setdefault("Content-Length", str(len(response.content)))  # type: ignore[attr-defined]
        kept = headers._store  # noqa: SLF001 (where headers stand by their names in small letters)
        for name, field in self.standing:
            kept.setdefault(name, field)
        if self.hsts and request.is_secure():
            headers.setdefault("Strict-Transport-Security", self.hsts)
        if headers.get("Content-Type", "").startswith("text/html"):
            headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
            return super().process_response(request, response)
        headers.setdefault("Content-Security-Policy", _BARE_POLICY)
        # Needed by pages alone; it knows the request that knows it, and would keep both until Python looks.
        vars(request).pop("csp_nonce", None)
        return response

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002 (django-csp's interface)
    ) -> PolicyParts:
        """The settings' policy, widened where foreign pages need it."""
        parts = super().get_policy_parts(request, response, report_only)
        for prefix, wider in settings.CSP_WIDER.items():
            if request.path_info.startswith(prefix):
                parts.update = {**wider, **(parts.update or {})}
        return parts
