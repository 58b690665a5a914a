"""The page that an invitation's mail leads to."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.pages import token_of, token_page
from documents.selectors.invitations import invitation_of_token
from documents.services.invitations import invitation_accept_by_mail


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponseBase:
    """Accept an invitation by a click."""
    token = token_of(request)
    return token_page(
        request,
        "account/invitation.html",
        lambda: invitation_accept_by_mail(token=token),
        invitation=invitation_of_token(token),
    )


urlpatterns = [path("invitation/", invitation)]
