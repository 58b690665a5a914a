"""The staff's sign-in form: the same service, limiter and session as the API's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from accounts.devices import device_of
from accounts.models import Session
from accounts.services import sign_in
from cloudscribe.lib.errors import DomainError

_BACKEND = "accounts.backends.PasswordBackend"


class StaffSignInForm(AuthenticationForm):  # type: ignore[misc]
    """Address and password of an active member of staff."""

    username = forms.CharField(label="E-mail", max_length=254, widget=forms.EmailInput({"autofocus": True}))

    def clean(self) -> dict[str, Any]:
        """Sign in; a refusal becomes the form's error in the refusal's own words."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password and self.request:
            try:
                credentials = sign_in(
                    email=email,
                    password=password[:256],
                    address=self.request.META.get("REMOTE_ADDR", ""),
                    device=device_of(self.request),
                    kind=Session.Kind.ADMIN,
                )
            except DomainError as error:
                raise ValidationError(error.message, code=error.code) from error
            self.user_cache = credentials.user
            self.user_cache.backend = _BACKEND
            # What Django's login() hands on to the receiver that ties both sessions together.
            self.user_cache.admin_session = credentials.session.uid  # type: ignore[attr-defined]
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned
