"""Who is asking: the bearer credential of a request becomes its Actor, by one query."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from accounts.access_tokens import SessionAccessToken
from accounts.caching import session_used, token_used
from accounts.exceptions import AccessTokenExpired, EnrollmentRequired, InvalidAccessToken
from accounts.models import Session
from accounts.principals import Principal
from accounts.secret_tokens import PREFIX, address_allowed, secret_hash
from accounts.selectors import SignedIn, SignedInByToken, session_signed_in, token_signed_in
from audit.denials import denial_record
from audit.services import Target
from cloudscribe.lib.actor import Actor, set_actor
from cloudscribe.lib.context import current_context
from cloudscribe.lib.errors import NotAuthenticated
from cloudscribe.lib.refusals import DomainException


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer` with an access token of a session or a personal one.

    `request.user` is a Principal, `request.auth` the Actor.
    """

    def authenticate(self, request: Request) -> tuple[Principal, Actor] | None:
        """Who signed in; None without a bearer credential.

        Raises AccessTokenExpired or InvalidAccessToken, in the framework's clothes, and EnrollmentRequired
        while a role of the person asks for a second factor that they don't have.
        """
        scheme, _, credential = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        credential = credential.strip()
        signed_in: SignedIn | SignedInByToken
        try:
            if credential.startswith(PREFIX):
                signed_in = _token_of(credential, request.META.get("REMOTE_ADDR", ""))
            else:
                signed_in = _session_of(credential)
                session_used(signed_in)
        except NotAuthenticated as error:
            # The framework notes that nobody is signed in for exceptions of its own family alone.
            raise DomainException(error) from error
        set_actor(signed_in.actor)
        if signed_in.enrollment_due and not _before_enrollment(request):
            raise DomainException(EnrollmentRequired())
        return signed_in.principal, signed_in.actor

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401 (RFC 6750, section 3)."""
        return 'Bearer realm="api"'


def _before_enrollment(request: Request) -> bool:
    """Whether the route is open to who has yet to set up a second factor: what it takes to do so is."""
    view = request.parser_context["view"]
    routes = getattr(view, "before_enrollment", False)
    return routes if isinstance(routes, bool) else view.action in routes


def _session_of(credential: str) -> SignedIn:
    try:
        token = SessionAccessToken(credential)  # type: ignore[arg-type]  # simplejwt names its own type for text
        session, user = token.session_uid, token.user_uid
    except ExpiredTokenError as error:
        raise AccessTokenExpired from error
    except (TokenError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InvalidAccessToken from error
    signed_in = session_signed_in(session, Session.Kind.USER)
    if signed_in is None or signed_in.actor.uid != user:
        raise InvalidAccessToken
    return signed_in


def _token_of(secret: str, address: str) -> SignedInByToken:
    """The token at home at this address; all that don't hold get one answer, the reason isn't told."""
    digest = secret_hash(secret)
    signed_in = token_signed_in(digest) if digest else None
    if signed_in is None:
        raise InvalidAccessToken
    if not address_allowed(address, signed_in.cidrs):
        # Its owner should learn that somebody has it elsewhere.
        actor, route = signed_in.actor, current_context().route
        target = Target("token", actor.credential_uid, "")
        denial_record(actor=actor, action="access.denied", target=target, route=route, code="token_address")
        raise InvalidAccessToken
    token_used(signed_in, address)
    return signed_in
