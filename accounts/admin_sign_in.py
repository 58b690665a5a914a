"""The staff's forms for sign-in and password: the same services, limiter and sessions as the API's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from accounts.devices import device_of
from accounts.models import Session
from accounts.services import password_change, sign_in
from cloudscribe.lib.admin import staff_actor
from cloudscribe.lib.context import current_context
from cloudscribe.lib.errors import DomainError

_BACKEND = "accounts.backends.PasswordBackend"


class StaffSignInForm(AuthenticationForm):  # type: ignore[misc]
    """Address and password of an active member of staff."""

    # Why nobody was signed in, for the view around the form.
    refusal: DomainError | None = None

    username = forms.CharField(label="E-mail", max_length=254, widget=forms.EmailInput({"autofocus": True}))
    otp = forms.CharField(
        label="Code of the authenticator app, or a recovery code, where you have one",
        max_length=64,
        required=False,
        widget=forms.TextInput({"autocomplete": "one-time-code", "class": " ".join(BASE_INPUT_CLASSES)}),
    )

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
                    otp=self.cleaned_data.get("otp") or "",
                )
            except DomainError as error:
                self.refusal = error
                raise ValidationError(error.message, code=error.code) from error
            self.user_cache = credentials.user
            self.user_cache.backend = _BACKEND
            # What Django's login() hands on to the receiver that ties both sessions together.
            self.user_cache.admin_session = credentials.session.uid  # type: ignore[attr-defined]
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned


class StaffPasswordForm(AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """The own password, changed by the service, which ends the other sessions and tells the owner."""

    def clean_old_password(self) -> str:
        """As it was typed: the service judges it, behind its limiter."""
        return str(self.cleaned_data["old_password"])

    def clean(self) -> dict[str, Any]:
        """Change it; a refusal becomes the form's error in the refusal's own words."""
        cleaned: dict[str, Any] = super().clean()
        if not self.errors:
            try:
                password_change(
                    actor=staff_actor(),
                    current=cleaned["old_password"][:256],
                    password=cleaned["new_password1"],
                    address=current_context().address,
                )
            except DomainError as error:
                new = any(fault.pointer == "/password" for fault in error.errors)
                self.add_error("new_password1" if new else "old_password", error.message)
        return cleaned

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 (Django's)
        """The user as the service left them, whose new hash Django's session is tied to."""
        self.user.refresh_from_db(fields=["password"])
        return self.user
