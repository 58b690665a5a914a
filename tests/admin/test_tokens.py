"""Tokens and service accounts in a real browser."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By

from accounts.models import Token, User
from accounts.services.service_accounts import service_account_create
from audit.models import Event
from tests.accounts.factories import token_make, user_make
from tests.actors import command
from tests.admin.browser import Staff
from tests.admin.test_pages import _choose
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)


def test_token_page_shows_its_reach_and_no_secret(staff: Staff) -> None:
    """The list and the page tell whose it is and how far it goes, and offer no change."""
    secret = token_make(user_make(name="Ann Owner"), "documents:read", name="Nightly", cidrs=["192.0.2.0/24"])
    row = Token.objects.get()
    staff.come_in()
    assert "Nightly" in staff.open("/admin/accounts/token/?live=yes")
    text = staff.open(f"/admin/accounts/token/{row.pk}/change/")
    assert "documents:read" in text
    assert "192.0.2.0/24" in text
    assert secret[8:] not in staff.driver.page_source
    assert bytes(row.secret_hash).hex() not in staff.driver.page_source
    assert staff.driver.find_elements(By.NAME, "_save") == []


def test_session_list_is_narrowed_to_live_ones(staff: Staff) -> None:
    """A filter that is a class of ours is offered and works."""
    staff.come_in()
    assert "Ada Staff" in staff.open("/admin/accounts/session/?live=yes")


def test_token_revoked_by_staff_is_out_at_once(staff: Staff) -> None:
    """The list's action ends it, with an event of the member of staff."""
    secret = token_make(user_make())
    staff.come_in()
    staff.open("/admin/accounts/token/")
    _choose(staff, str(Token.objects.get().pk), "revoke")
    assert ApiClient(secret).get("me/").status_code == 401
    assert Event.objects.get(action="token.revoked").actor_uid == staff.user.uid


def test_service_account_deleted_by_staff_is_gone(staff: Staff) -> None:
    """The list's action takes it away through the service."""
    account = service_account_create(actor=command(), name="Robot")
    secret = token_make(account)
    staff.come_in()
    assert "Robot" in staff.open("/admin/accounts/serviceaccount/")
    _choose(staff, str(account.pk), "remove")
    assert ApiClient(secret).get("me/").status_code == 401
    assert not User.objects.get(pk=account.pk).is_active
