"""The staff's forms for sign-in and password: the same services, limiter and sessions as the API's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from accounts.devices import device_of
from accounts.models import Session
from accounts.services import Credentials, password_change, sign_in
from accounts.services.passkeys import passkey_sign_in
from cloudscribe.lib.admin import staff_actor
from cloudscribe.lib.context import current_context
from cloudscribe.lib.errors import DomainError, MalformedBody
from cloudscribe.lib.gate import parse_json

_LONGEST_PASSKEY = 20_000  # characters of JSON
_BACKEND = "accounts.backends.PasswordBackend"


class StaffSignInForm(AuthenticationForm):  # type: ignore[misc]
    """Address and password of an active member of staff, or the answer of a passkey of theirs."""

    # Why nobody was signed in, for the view around the form.
    refusal: DomainError | None = None

    username = forms.CharField(label="E-mail", max_length=254, widget=forms.EmailInput({"autofocus": True}))
    otp = forms.CharField(
        label="Code of the authenticator app, or a recovery code, where you have one",
        max_length=64,
        required=False,
        widget=forms.TextInput({"autocomplete": "one-time-code", "class": " ".join(BASE_INPUT_CLASSES)}),
    )

    # As JSON, from the script of the page.
    passkey = forms.CharField(max_length=_LONGEST_PASSKEY, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.data.get("passkey"):
            self.fields["username"].required = self.fields["password"].required = False

    def clean(self) -> dict[str, Any]:
        """Sign in; a refusal becomes the form's error in the refusal's own words."""
        cleaned: dict[str, Any] = self.cleaned_data
        if self.request is None or self.errors:
            return cleaned
        try:
            credentials = self._credentials(
                address=self.request.META.get("REMOTE_ADDR", ""), device=device_of(self.request)
            )
        except DomainError as error:
            self.refusal = error
            raise ValidationError(error.message, code=error.code) from error
        self.user_cache = credentials.user
        self.user_cache.backend = _BACKEND
        # What Django's login() hands on to the receiver that ties both sessions together.
        self.user_cache.admin_session = credentials.session.uid  # type: ignore[attr-defined]
        return cleaned

    def _credentials(self, *, address: str, device: str) -> Credentials:
        cleaned, kind = self.cleaned_data, Session.Kind.ADMIN
        if cleaned["passkey"]:
            credential = _parsed(cleaned["passkey"])
            return passkey_sign_in(credential=credential, address=address, device=device, kind=kind)
        return sign_in(
            email=cleaned["username"],
            password=cleaned["password"][:256],
            otp=cleaned["otp"],
            address=address,
            device=device,
            kind=kind,
        )


def _parsed(text: str) -> dict[str, Any]:
    # What is no credential is a wrong one, and counts as such.
    try:
        found = parse_json(text.encode())
    except MalformedBody:
        return {}
    return found if isinstance(found, dict) else {}


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
