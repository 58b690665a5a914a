"""The admin's requests: who is signed in there holds a session of ours beside Django's."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from accounts.caching import session_used
from accounts.models import Session
from accounts.selectors import session_signed_in
from cloudscribe.lib.actor import set_actor

SESSION_KEY = "cloudscribe_session"


class AdminSessionMiddleware:
    """End Django's session when ours has ended or its user may no longer sign in; else name the actor.

    Django's session lies in a cache and may outlive what it stands for; ours is asked at each request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Judge the session, then go on."""
        if request.user.is_authenticated:
            self._judge(request)
        return self.get_response(request)

    def _judge(self, request: HttpRequest) -> None:
        key = request.session.get(SESSION_KEY)
        signed_in = session_signed_in(uuid.UUID(key), Session.Kind.ADMIN) if key else None
        if signed_in is None or signed_in.actor.pk != request.user.pk or signed_in.enrollment_due:
            logout(request)
            return
        set_actor(signed_in.actor)
        request.auth = signed_in.actor  # type: ignore[attr-defined]  # as on the API's requests
        session_used(signed_in)
