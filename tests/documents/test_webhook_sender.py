"""The process that sends: started where something is due, and nothing is lost with it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db.models.functions import Now

from documents import webhook_lanes
from documents.models import Webhook
from documents.selectors.webhooks import deliveries_are_due
from tests.documents.webhooks import Receiver, follow, hanging, hook_make, in_turn, log_of, status
from tests.documents.webhooks import receive as receive  # noqa: PLC0414 (a fixture)
from tests.documents.world import World

pytestmark = pytest.mark.django_db(transaction=True)


class Tended(webhook_lanes.Sender):
    """A sender whose process the test sees."""

    @property
    def pid(self) -> int:
        """Of the process, 0 where there is none."""
        return self._pid

    def end(self, number: signal.Signals) -> None:
        """Send its process a signal and wait for its end."""
        os.kill(self._pid, number)
        os.waitpid(self._pid, 0)
        self._pid = 0


@pytest.fixture
def sender() -> Iterator[Tended]:
    """Ended with the test."""
    found = Tended()
    yield found
    if found.pid:
        found.end(signal.SIGKILL)


def until(true: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def test_process_is_started_for_what_is_due_alone(
    world: World, receive: Callable[..., Receiver], sender: Tended
) -> None:
    """One, which goes on sending what falls due meanwhile, and ends when it is told to."""
    receiver = receive()
    made = hook_make(world, receiver.url, ["document.created"])
    sender.tend(deliveries_are_due)
    assert sender.pid == 0
    world.document()
    follow()
    sender.tend(deliveries_are_due)
    first = sender.pid
    until(lambda: len(receiver.received) == 1)
    world.document()
    follow()
    sender.tend(deliveries_are_due)
    assert sender.pid == first
    until(lambda: [row["status"] for row in log_of(world, made)] == ["delivered"] * 2)
    sender.end(signal.SIGTERM)


def test_attempt_of_a_killed_process_is_made_again(
    world: World, receive: Callable[..., Receiver], sender: Tended
) -> None:
    """Under the same id, once its lease has ended; not before, lest two send at once."""
    release = threading.Event()
    receiver = receive(hanging(release))
    made = hook_make(world, receiver.url, ["document.created"])
    world.document()
    follow()
    sender.tend(deliveries_are_due)
    until(lambda: len(receiver.received) == 1)
    sender.end(signal.SIGKILL)
    release.set()
    sender.tend(deliveries_are_due)
    assert sender.pid == 0
    receiver.answer = status(204)
    Webhook.objects.update(lease_until=Now())
    sender.tend(deliveries_are_due)
    until(lambda: [row["status"] for row in log_of(world, made)] == ["delivered"])
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    sender.end(signal.SIGTERM)


def test_killed_process_sends_no_more_than_its_handful_again(
    world: World, receive: Callable[..., Receiver], sender: Tended
) -> None:
    """Those that were answered, too, where that was not yet written: under their ids, in their order."""
    release = threading.Event()
    receiver = receive(in_turn(status(204), status(204), hanging(release)), keeps=True)
    made = hook_make(world, receiver.url, ["document.created"])
    for _ in range(4):
        world.document()
    follow()
    sender.tend(deliveries_are_due)
    until(lambda: len(receiver.received) == 3)
    sender.end(signal.SIGKILL)
    release.set()
    receiver.answer = status(204)
    Webhook.objects.update(lease_until=Now())
    sender.tend(deliveries_are_due)
    until(lambda: [row["status"] for row in log_of(world, made)] == ["delivered"] * 4)
    ids = [row["id"] for row in log_of(world, made)]
    assert [got.id for got in receiver.received] == [*ids[:3], *ids]
    sender.end(signal.SIGTERM)
