"""Deliveries that wait while the installation is frozen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.selectors import database_now
from cloudscribe.management.underway import underway
from documents.models import Webhook
from documents.webhook_lanes import deliveries_send_due
from security.services import read_only_end, read_only_start
from tests.actors import command
from tests.documents.webhooks import Receiver, follow, hook_make
from tests.documents.webhooks import receive as receive  # noqa: PLC0414 (a fixture)
from tests.documents.world import World
from tests.jobs.factories import soon

pytestmark = pytest.mark.django_db(transaction=True)


def test_delivery_waits_and_is_sent_when_it_is_over(world: World, receive: Callable[..., Receiver]) -> None:
    """Once, and none is lost."""
    receiver = receive()
    hook_make(world, receiver.url, ["document.created"])
    world.document()
    follow()
    read_only_start(actor=command())
    deliveries_send_due()
    assert receiver.received == []
    read_only_end(actor=command())
    deliveries_send_due()
    assert receiver.types == ["document.created"]


def test_delivery_under_way_is_waited_for(world: World) -> None:
    """What came of it is still to be written."""
    hook_make(world)
    assert list(underway(database_now())) == []
    Webhook.objects.update(lease_until=soon())
    assert list(underway(database_now())) == [f"deliveries to webhook {Webhook.objects.get().uid}"]
