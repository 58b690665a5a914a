"""The second factor at the admin's door."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import RolePolicy, Session, SignInFailure, TotpDevice
from accounts.services.factor_policy import factors_reset, role_policy_set
from audit.models import Event
from cloudscribe.jobs.models import Job
from cloudscribe.lib.errors import Forbidden
from tests.accounts.factor_tools import code_at, login, recovery_codes_make, totp_make
from tests.accounts.factories import PASSWORD, user_make
from tests.accounts.test_admin_sign_in import staff_make
from tests.actors import person
from tests.fixtures import ApiClient


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
    RolePolicy.objects.filter(group=user.groups.get()).update(second_factor=True)
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


def policy_row(role: str) -> RolePolicy:
    """The row of a role, which the migration makes."""
    return RolePolicy.objects.get(group__name=f"role:{role}")


def act(client: Client, model: str, action: str, key: Any) -> str:
    """Choose one row of a list and do something with it; the page that follows."""
    form = {"action": action, "_selected_action": [str(key)]}
    return client.post(f"/admin/accounts/{model}/", form, follow=True).content.decode()


@pytest.mark.django_db
def test_admin_resets_the_factors_of_a_person(client_for: Any) -> None:
    """Who lost the device signs in by the password again; all sessions end, it is on the record and told."""
    member = client_for()
    totp_make(member.user)
    recovery_codes_make(member.user)
    client, _ = sign_in(staff_make())
    page = client.get(f"/admin/accounts/user/{member.user.pk}/change/").content.decode()
    assert "an authenticator app, 0 passkeys, 10 unused recovery codes" in page
    assert "Reset: 1." in act(client, "user", "reset_factors", member.user.pk)
    assert member.get("me/").status_code == 401
    assert login(ApiClient(), member.user).status_code == 200
    assert Event.objects.filter(action="mfa.reset", target_uid=member.user.uid).count() == 1
    assert [job.payload["message"] for job in Job.objects.filter(kind="mail.send")] == [
        "second_factor_removed"
    ]
    assert "There is no such second factor" in act(client, "user", "reset_factors", member.user.pk)


@pytest.mark.django_db
def test_admin_resets_nobodys_own_nor_a_greater_ones() -> None:
    """One's own factors are turned off by proving them, and those of an administrator by another one."""
    boss, helper = staff_make(), user_make(role="guest", is_staff=True)
    for name in ("view_user", "delete_totpdevice"):
        helper.user_permissions.add(Permission.objects.get(codename=name))
    secret = totp_make(boss)
    client, _ = sign_in(boss, code_at(secret))
    assert "This is your own account" in act(client, "user", "reset_factors", boss.pk)
    client, _ = sign_in(helper)
    act(client, "user", "reset_factors", boss.pk)
    assert TotpDevice.objects.filter(user=boss).exists()
    with pytest.raises(Forbidden):
        factors_reset(actor=person(user_make()), user=boss.uid)


@pytest.mark.django_db
def test_admin_sets_what_a_role_demands(client_for: Any) -> None:
    """It holds on the next request and is on the record; waived, everything is open again."""
    member = client_for()
    client, _ = sign_in(staff_make())
    row = policy_row("member")
    assert "Changed: 1." in act(client, "rolepolicy", "demand", row.pk)
    assert member.get("documents/").json()["code"] == "mfa_enrollment_required"
    assert Event.objects.filter(action="role_policy.updated").count() == 1
    act(client, "rolepolicy", "waive", row.pk)
    assert member.get("documents/").status_code == 200


@pytest.mark.django_db
def test_admin_does_not_shut_themselves_out() -> None:
    """Who has no factor can't have their own role demand one."""
    client, _ = sign_in(staff_make())
    row = policy_row("administrator")
    assert "Set up your own first." in act(client, "rolepolicy", "demand", row.pk)
    assert client.get("/admin/").status_code == 200
    with pytest.raises(Forbidden):
        role_policy_set(actor=person(user_make()), role="guest", second_factor=True)
