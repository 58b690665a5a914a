"""What the provider of another make serves, and whom it takes for signed in. Runs in its own process."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.middleware import RemoteUserMiddleware
from django.http import HttpRequest
from django.urls import include, path
from oauth2_provider.oauth2_validators import OAuth2Validator

urlpatterns = [path("", include("oauth2_provider.urls"))]


class RemotePerson(RemoteUserMiddleware):
    """Who the proxy says that it is."""

    header = "HTTP_REMOTE_USER"
    force_logout_if_no_header = False


class RemoteBackend(RemoteUserBackend):
    """Knows everybody; `first_name` says whether the address was verified."""

    def configure_user(self, request: HttpRequest, user: Any, created: bool = True) -> Any:
        """Their address and its state, as of the first time."""
        if created:
            user.email = request.META.get("HTTP_REMOTE_EMAIL", "")
            user.first_name = request.META.get("HTTP_REMOTE_VERIFIED", "")
            user.save()
        return user


class Validator(OAuth2Validator):
    """Tells what we ask for."""

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        """The claims of the scopes email and profile."""
        user = request.user
        return {
            "email": user.email,
            "email_verified": user.first_name == "yes",
            "name": user.username.title(),
        }
