"""Share links in the admin: shown to staff, closed through the service."""

from __future__ import annotations

import pytest

from audit.models import Event
from documents.models import ShareLink
from tests.accounts.test_admin_people import clerk
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.documents.sharing import PASSWORD, link_make, shared
from tests.documents.world import World

pytestmark = pytest.mark.django_db
LIST = "/admin/documents/sharelink/"


def test_links_are_shown_without_their_secrets(world: World) -> None:
    """List, filter and page tell what is open and how far; neither secret nor hash, and nothing to change."""
    browser = staff_client(staff_make())[0]
    made = link_make(world, world.document("Open plan"), password=PASSWORD)
    row = ShareLink.objects.get()
    listed = browser.get(f"{LIST}?revoked=no").content.decode()
    assert "Open plan" in listed
    assert "Open plan" not in browser.get(f"{LIST}?revoked=yes").content.decode()
    page = browser.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "Open plan" in page
    assert 'name="_save"' not in page
    for told in (listed, page):
        assert made["secret"] not in told
        assert row.password not in told
        assert bytes(row.secret_hash).hex() not in told


def test_link_is_revoked_by_staff(world: World) -> None:
    """It opens nothing from the next request on, and the record names the member of staff."""
    staff = staff_make()
    browser = staff_client(staff)[0]
    made = link_make(world, world.document())
    row = ShareLink.objects.get()
    form = {"action": "revoke", "_selected_action": [str(row.pk)]}
    assert "Revoked: 1." in browser.post(LIST, form, follow=True).content.decode()
    assert shared(made["secret"]).status_code == 404
    assert Event.objects.get(action="link.revoked").actor_uid == staff.uid
    again = browser.post(LIST, form, follow=True).content.decode()
    assert "Make a new link." in again


def test_link_is_not_revoked_by_who_may_only_look(world: World) -> None:
    """Without the permission to delete links the action isn't offered and does nothing."""
    link_make(world, world.document())
    browser = clerk("view_sharelink")
    assert browser.get(LIST).status_code == 200
    form = {"action": "revoke", "_selected_action": [str(ShareLink.objects.get().pk)]}
    browser.post(LIST, form, follow=True)
    assert ShareLink.objects.get().revoked_at is None
