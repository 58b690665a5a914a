"""The pages that mails lead to. A token in the address does nothing by itself: mail scanners follow links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.services import email_change_confirm, password_reset, registration_confirm
from cloudscribe.lib.errors import DomainError

_TOKEN_LENGTH = 300


def token_of(request: HttpRequest) -> str:
    """The token of the link or of the form."""
    return (request.POST or request.GET).get("token", "")[:_TOKEN_LENGTH]


def token_page(
    request: HttpRequest, template: str, act: Callable[[], object], **shown: Any
) -> HttpResponseBase:
    """The form, and what came of it. No cookie speaks for anybody here, so there is nothing to forge."""
    values = {**shown, "token": token_of(request), "done": False, "error": None}
    status = 200
    if request.method == "POST":
        try:
            act()
            values["done"] = True
        except DomainError as error:
            values["error"], status = error, error.status
    response: HttpResponse = render(request, template, values, status=status)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponseBase:
    """Confirm a registration by a click."""
    return token_page(request, "account/verify.html", lambda: registration_confirm(token=token_of(request)))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest) -> HttpResponseBase:
    """Choose a new password."""
    password = request.POST.get("password", "")
    return token_page(
        request,
        "account/reset.html",
        lambda: password_reset(token=token_of(request), password=password[:1024]),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def email(request: HttpRequest) -> HttpResponseBase:
    """Confirm a new address by a click."""
    return token_page(request, "account/email.html", lambda: email_change_confirm(token=token_of(request)))


@never_cache
@require_http_methods(["GET", "HEAD"])
def oidc(request: HttpRequest) -> HttpResponseBase:
    """Where the sign-in provider sends people back to: what it says, for the program that began.

    Both texts are worth nothing without the binding, which that program has kept to itself.
    """
    names = {"code": 2048, "state": 200, "error": 100}
    values = {name: request.GET.get(name, "")[:length] for name, length in names.items()}
    response: HttpResponse = render(request, "account/oidc.html", {**values, "failed": values.pop("error")})
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


urlpatterns = [path("verify/", verify), path("reset/", reset), path("oidc/", oidc), path("email/", email)]
