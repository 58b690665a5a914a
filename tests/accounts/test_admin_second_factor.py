"""The second factor at the admin's door."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import RolePolicy, Session, SignInFailure
from tests.accounts.factor_tools import code_at, recovery_codes_make, totp_make
from tests.accounts.factories import PASSWORD
from tests.accounts.test_admin_sign_in import staff_make


def sign_in(user: Any, otp: str = "") -> tuple[Client, Any]:
    """A browser that tried to sign in, and the answer."""
    client = Client()
    form = {"username": user.email, "password": PASSWORD, "otp": otp}
    return client, client.post("/admin/login/?next=/admin/", form)


@pytest.mark.django_db
def test_admin_asks_for_the_code() -> None:
    """The password alone opens nothing to who has a factor; with the code the session says by what."""
    user = staff_make()
    secret = totp_make(user)
    client, answer = sign_in(user)
    assert "Send the code of the authenticator app" in answer.content.decode()
    assert client.get("/admin/").status_code == 302
    client, answer = sign_in(user, code_at(secret))
    assert answer.status_code == 302, answer.content
    assert client.get("/admin/").status_code == 200
    assert Session.objects.get().factors == ["pwd", "otp"]


@pytest.mark.django_db
def test_admin_code_is_used_up_and_counted() -> None:
    """A code that was shown to the API is worth nothing here, and a wrong one counts."""
    user = staff_make()
    code = code_at(totp_make(user))
    sign_in(user, code)
    client, answer = sign_in(user, code)
    assert "The code is wrong or was used before." in answer.content.decode()
    assert client.get("/admin/").status_code == 302
    assert SignInFailure.objects.filter(pending=False).count() == 1


@pytest.mark.django_db
def test_admin_by_recovery_code() -> None:
    """A recovery code stands in for the app here, too."""
    user = staff_make()
    totp_make(user)
    client, _ = sign_in(user, recovery_codes_make(user)[0])
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
def test_admin_is_shut_while_the_role_demands_a_factor() -> None:
    """Who still has to set one up gets no session of the admin, and one of before ends."""
    user = staff_make()
    client, _ = sign_in(user)
    RolePolicy.objects.update_or_create(group=user.groups.get(), defaults={"second_factor": True})
    assert client.get("/admin/").status_code == 302
    client, answer = sign_in(user)
    assert "Set one up at auth/mfa/totp/" in answer.content.decode()
    code = code_at(totp_make(user))
    client, _ = sign_in(user, code)
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
def test_admin_page_names_all_three_fields() -> None:
    """The page has a field for the address, the password and the code, each with its label."""
    page = Client().get("/admin/login/").content.decode()
    for name in ("username", "password", "otp"):
        assert f'name="{name}"' in page
        assert f'for="id_{name}"' in page
