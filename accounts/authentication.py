"""Who is asking: the bearer credential of a request becomes its Actor, by one query."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from accounts.access_tokens import SessionAccessToken
from accounts.caching import session_used
from accounts.exceptions import AccessTokenExpired, InvalidAccessToken
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

        Raises AccessTokenExpired or InvalidAccessToken, in the framework's clothes.
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
        return signed_in.principal, signed_in.actor

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401 (RFC 6750, section 3)."""
        return 'Bearer realm="api"'


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
