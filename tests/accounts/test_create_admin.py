"""manage.py create_admin."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from tests.accounts.factor_tools import login, totp_make
from tests.accounts.factories import PASSWORD, user_make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSCRIBE_ADMIN_PASSWORD", PASSWORD)


def create(email: str = "root@example.org", **options: Any) -> str:
    """What the command says."""
    out = io.StringIO()
    call_command("create_admin", email=email, stdout=out, **options)
    return out.getvalue()


def test_create_admin_makes_a_verified_administrator(anonymous: Any) -> None:
    """They can sign in at once."""
    assert "new administrator" in create()
    user = User.objects.get()
    assert user.is_superuser
    assert user.is_staff
    assert user.email_verified_at
    answer = anonymous.post("auth/login/", {"email": user.email, "password": PASSWORD})
    assert answer.json()["user"]["roles"] == ["administrator"]
    event = Event.objects.get(action="user.created")
    assert (event.actor_kind, event.credential_kind) == ("command", "command")


def test_create_admin_lets_a_suspended_user_in_again() -> None:
    """The operator is the last way in: nothing of the suspension is left."""
    user = user_make(
        "root@example.org",
        is_active=False,
        suspended_at=timezone.now(),
        suspended_reason="Oops",
        deactivated_at=timezone.now(),
    )
    create(keep_password=True)
    user.refresh_from_db()
    assert (user.is_active, user.suspended_at, user.suspended_reason) == (True, None, "")
    assert user.deactivated_at is None


def test_create_admin_resets_a_lost_second_factor(anonymous: Any) -> None:
    """The last administrator who lost the device gets in again by the shell; it is on the record."""
    user = user_make("root@example.org", role="administrator", is_superuser=True)
    totp_make(user)
    create(keep_password=True)
    assert login(anonymous, user).json()["code"] == "mfa_required"
    create(keep_password=True, reset_second_factor=True)
    assert login(anonymous, user).status_code == 200
    assert Event.objects.get(action="mfa.reset").credential_kind == "command"
    assert "There is no such second factor" in create(keep_password=True, reset_second_factor=True)


def test_create_admin_raises_an_existing_user() -> None:
    """Whoever has an account keeps it, with their password where it isn't to be touched."""
    user = user_make("root@example.org", name="Root")
    before = user.password
    create(keep_password=True)
    user.refresh_from_db()
    assert (user.is_superuser, user.name, user.password) == (True, "Root", before)


def test_create_admin_tells_of_a_role_alone() -> None:
    """Who has all but the role is given it on the record; who has that, too, leaves no event."""
    user_make("root@example.org", role=None, is_staff=True, is_superuser=True)
    for _ in range(2):
        create(keep_password=True)
    event = Event.objects.get()
    assert event.detail.content["changes"] == {"role": {"before": None, "after": "administrator"}}


def test_create_admin_refuses_a_bad_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Used wrongly: exit code 2, the rule named, nobody made."""
    monkeypatch.setenv("CLOUDSCRIBE_ADMIN_PASSWORD", "short")
    with pytest.raises(CommandError) as refused:
        create()
    assert refused.value.returncode == 2
    assert not User.objects.exists()


def test_create_admin_refuses_what_is_no_address() -> None:
    """Used wrongly: exit code 2, and nobody is made."""
    with pytest.raises(CommandError, match="notanemail is no e-mail address") as error:
        create("notanemail")
    assert error.value.returncode == 2
    assert not User.objects.exists()
