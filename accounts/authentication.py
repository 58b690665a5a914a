"""Who is asking: the bearer credential of a request becomes its Actor, by one query."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from accounts.access_tokens import SessionAccessToken
from accounts.caching import session_used
from accounts.exceptions import AccessTokenExpired, EnrollmentRequired, InvalidAccessToken
from accounts.models import Session
from accounts.principals import Principal
from accounts.selectors import SignedIn, session_signed_in
from cloudscribe.lib.actor import Actor, set_actor
from cloudscribe.lib.errors import NotAuthenticated
from cloudscribe.lib.refusals import DomainException


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`: `request.user` is a Principal, `request.auth` the Actor."""

    def authenticate(self, request: Request) -> tuple[Principal, Actor] | None:
        """Who signed in; None without a bearer credential.

        Raises AccessTokenExpired or InvalidAccessToken, in the framework's clothes, and EnrollmentRequired
        while a role of the person asks for a second factor that they don't have.
        """
        scheme, _, credential = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            signed_in = _session_of(credential.strip())
        except NotAuthenticated as error:
            # The framework notes that nobody is signed in for exceptions of its own family alone.
            raise DomainException(error) from error
        set_actor(signed_in.actor)
        session_used(signed_in)
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
