"""Invitations in the admin: shown to staff, taken back through the service."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from audit.models import Event
from documents.models import Invitation
from tests.accounts.api.test_registration import mailed, token_in
from tests.accounts.factories import user_make
from tests.accounts.test_admin_people import clerk
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.documents.api.test_invitations import accept, invited
from tests.documents.world import World

pytestmark = pytest.mark.django_db
LIST = "/admin/documents/invitation/"


def take_back(browser: Client, *rows: Invitation) -> Any:
    """The page after the list's action."""
    form = {"action": "revoke", "_selected_action": [str(row.pk) for row in rows]}
    return browser.post(LIST, form, follow=True)


def test_invitation_is_shown_by_state_and_without_its_token(world: World) -> None:
    """List, filter and page tell who was invited where; nothing of it can be changed by hand."""
    browser = staff_client(staff_make())[0]
    invited(world, "open@example.org")
    tag = token_in(mailed()).rpartition(".")[2]
    invited(world, "late@example.org")
    Invitation.objects.filter(email="late@example.org").update(expires_at=F("created_at"))
    listed = browser.get(f"{LIST}?state=expired").content.decode()
    assert ("late@example.org" in listed, "open@example.org" in listed) == (True, False)
    path = f"{LIST}{Invitation.objects.get(email='open@example.org').pk}/change/"
    page = browser.get(path).content.decode()
    assert "open@example.org" in page
    assert tag not in page
    assert browser.post(path, {"role": "owner"}).status_code == 403


def test_invitation_taken_back_by_staff_opens_nothing(world: World) -> None:
    """From then on its token is refused; staff need be no member of the workspace."""
    staff = staff_make()
    browser = staff_client(staff)[0]
    invited(world)
    token = token_in(mailed())
    assert "Taken back: 1." in take_back(browser, Invitation.objects.get()).content.decode()
    assert accept(world.client_for(user_make("guest@example.org")), token).status_code == 400
    assert Event.objects.get(action="invitation.revoked").actor_uid == staff.uid
    again = take_back(browser, Invitation.objects.get()).content.decode()
    assert "It was accepted or revoked" in again


def test_invitation_stays_without_the_permission(world: World) -> None:
    """Who may only look is offered no action, and a forged one does nothing."""
    invited(world)
    browser = clerk("view_invitation")
    assert browser.get(LIST).status_code == 200
    take_back(browser, Invitation.objects.get())
    assert Invitation.objects.get().revoked_at is None
