"""Webhooks in the admin: shown without their secrets, switched off and sent again through services."""

from __future__ import annotations

import pytest
from django.test import Client

from audit.models import Event
from documents.models import Delivery, Webhook
from tests.accounts.test_admin_people import clerk
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.documents.webhooks import hook_make, hooks
from tests.documents.world import World

pytestmark = pytest.mark.django_db
WEBHOOKS, DELIVERIES = "/admin/documents/webhook/", "/admin/documents/delivery/"


def chosen(browser: Client, page: str, action: str, pk: int) -> str:
    """The page after the list's action."""
    form = {"action": action, "_selected_action": [str(pk)]}
    return browser.post(page, form, follow=True).content.decode()


@pytest.fixture
def hook(world: World) -> Webhook:
    """One with a delivery that failed."""
    made = hook_make(world, "https://hooks.example.org/services/hush")
    World.ok(world.owner.post(f"{hooks(world)}{made['id']}/ping/"), 202)
    Delivery.objects.update(status="failed", attempts=9)
    return Webhook.objects.get()


def test_pages_show_host_and_state_and_no_secret(hook: Webhook) -> None:
    """Neither ours nor what the address may hold of the receiver's."""
    browser, delivery = staff_client(staff_make())[0], Delivery.objects.get()
    for page in (WEBHOOKS, DELIVERIES, f"{WEBHOOKS}{hook.pk}/change/", f"{DELIVERIES}{delivery.pk}/change/"):
        text = browser.get(page).content.decode()
        assert ("hush" in text, "whsec_" in text) == (False, False)
    assert "hooks.example.org" in browser.get(WEBHOOKS).content.decode()


def test_staff_switch_off_with_an_event(hook: Webhook) -> None:
    """A second time is told."""
    staff = staff_make()
    browser = staff_client(staff)[0]
    assert "Switched off: 1." in chosen(browser, WEBHOOKS, "switch_off", hook.pk)
    hook.refresh_from_db()
    assert (hook.enabled, hook.disabled_reason) == (False, "staff")
    assert Event.objects.get(action="webhook.disabled").actor_uid == staff.uid
    assert "Nothing is sent to it until" in chosen(browser, WEBHOOKS, "switch_off", hook.pk)


def test_staff_send_again_with_an_event(hook: Webhook) -> None:
    """Under the same id."""
    browser, before = staff_client(staff_make())[0], Delivery.objects.get()
    assert "To be sent: 1." in chosen(browser, DELIVERIES, "redeliver", before.pk)
    after = Delivery.objects.get()
    assert (after.uid, after.status, after.tries) == (before.uid, "pending", 0)
    assert Event.objects.filter(action="webhook.redelivered").count() == 1


def test_who_may_only_look_changes_nothing(hook: Webhook) -> None:
    """By forged forms neither."""
    browser = clerk("view_webhook", "view_delivery")
    chosen(browser, WEBHOOKS, "switch_off", hook.pk)
    chosen(browser, DELIVERIES, "redeliver", Delivery.objects.get().pk)
    hook.refresh_from_db()
    assert (hook.enabled, Delivery.objects.get().status) == (True, "failed")
