"""Receivers of webhooks that fail, hang, flood or turn: nothing is lost by them, and nobody else waits."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import time_machine
from django.utils.http import http_date

from accounts.models import Notification
from audit.models import Event
from documents import webhook_lanes
from documents.models import Webhook
from documents.services.delivering import deliveries_purge, retry_delay
from tests.documents.webhooks import (
    Receiver,
    due_in,
    follow,
    hanging,
    hook_make,
    hooks,
    later,
    log_of,
    send,
    shown,
    status,
)
from tests.documents.webhooks import receive as receive  # noqa: PLC0414 (a fixture)
from tests.documents.world import World

pytestmark = pytest.mark.django_db(transaction=True)
Receive = Callable[..., Receiver]
CREATED = ["document.created"]
DAY = 86_400


def test_failure_is_tried_again_soon_then_later(world: World, receive: Receive) -> None:
    """After 5 to 10 s, then four times as long each time; the id and the body stay."""
    receiver = receive(500)
    made = hook_make(world, receiver.url, CREATED)
    world.document()
    waits = []
    for _ in range(4):
        send()
        waits.append(due_in(made))
        later(waits[-1] + 0.1)
    assert 5 < waits[0] < 10
    assert all(2.5 < wait / before < 6.5 for before, wait in itertools.pairwise(waits))
    (row,) = log_of(world, made)
    assert (row["status"], row["attempts"], row["response_status"], row["reason"]) == (
        "pending",
        4,
        500,
        "status",
    )
    receiver.answer = status(200)
    send()
    assert len({(got.id, got.body) for got in receiver.received}) == 1
    assert [(each["status"], each["attempts"]) for each in log_of(world, made)] == [("delivered", 5)]
    assert (shown(world, made)["failures"], shown(world, made)["failing_since"]) == (0, None)


def test_delays_grow_over_days_within_their_jitter(settings: Any) -> None:
    """From 7 s to half a day, each ±20 %."""
    for tries, due in [(1, 7), (2, 28), (3, 112), (6, 7168), (8, 43_200), (1000, 43_200)]:
        delays = [retry_delay(tries) for _ in range(200)]
        assert due * 0.8 <= min(delays) < due * 0.9
        assert due * 1.1 < max(delays) <= due * 1.2


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured(world: World, receive: Receive, code: int, as_date: bool) -> None:
    """For the webhook as a whole: its other deliveries wait as well."""
    wanted = http_date(time.time() + 100) if as_date else "100"
    receiver = receive(status(code, Retry_After=wanted))
    made = hook_make(world, receiver.url, CREATED)
    world.document()
    send()
    assert 98 <= due_in(made) <= 101
    world.document()
    send()
    assert len(receiver.received) == 1
    receiver.answer = status(204)
    later(101)
    send()
    assert [row["status"] for row in log_of(world, made)] == ["delivered", "delivered"]


def test_clock_of_the_sender_is_of_no_account(world: World, receive: Receive) -> None:
    """Receivers refuse what was signed minutes ago, and a date to come back at is one by the right clock."""
    receiver = receive(status(503, Retry_After=http_date(time.time() + 100)))
    made = hook_make(world, receiver.url, CREATED)
    world.document()
    right = time.time()
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=1), tick=True):
        send()
    assert abs(int(receiver.received[0].headers["webhook-timestamp"]) - right) < 30
    assert 70 <= due_in(made) <= 101


@pytest.mark.parametrize("wanted", ["soon", "", "-5", "²", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_nonsense_in_retry_after_is_none(world: World, receive: Receive, wanted: str) -> None:
    """The usual delay holds."""
    made = hook_make(world, receive(status(503, Retry_After=wanted)).url, CREATED)
    world.document()
    send()
    assert 5 < due_in(made) < 10


def test_retry_after_of_years_is_a_day(world: World, receive: Receive) -> None:
    """Nobody parks our deliveries for good."""
    made = hook_make(world, receive(status(429, Retry_After="9" * 30)).url, CREATED)
    world.document()
    send()
    assert due_in(made) <= DAY


def test_gone_switches_the_webhook_off(world: World, receive: Receive) -> None:
    """At once; whoever it spoke for is told, and the trail knows."""
    receiver = receive(410)
    made = hook_make(world, receiver.url, CREATED)
    world.document()
    world.document()
    send()
    assert len(receiver.received) == 1
    assert (shown(world, made)["enabled"], shown(world, made)["disabled_reason"]) == (False, "gone")
    assert sorted(row["status"] for row in log_of(world, made)) == ["failed", "pending"]
    assert Notification.objects.filter(kind="webhook.disabled", user=world.owner.user).count() == 1
    assert Event.objects.filter(action="webhook.disabled", target_uid=made["id"]).count() == 1
    receiver.answer = status(204)
    World.ok(world.owner.patch(f"{hooks(world)}{made['id']}/", {"enabled": True}))
    send()
    assert sorted(row["status"] for row in log_of(world, made)) == ["delivered", "failed"]


def test_redirect_is_a_failure(world: World, receive: Receive) -> None:
    """Whoever answers may not lead us elsewhere."""
    elsewhere = receive()
    made = hook_make(world, receive(status(307, Location=elsewhere.url)).url, CREATED)
    world.document()
    send()
    assert elsewhere.received == []
    (row,) = log_of(world, made)
    assert (row["status"], row["reason"]) == ("pending", "redirect")


def test_answer_without_end_is_cut_off(world: World, receive: Receive) -> None:
    """After some kilobytes, whatever its status said."""

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"x" * 65_536)

    made = hook_make(world, receive(flood).url, CREATED)
    world.document()
    send()
    (row,) = log_of(world, made)
    assert (row["status"], row["reason"]) == ("pending", "too_large")


def test_answer_drop_by_drop_ends_with_the_time(world: World, receive: Receive, settings: Any) -> None:
    """A byte now and then keeps nobody."""
    settings.WEBHOOK_TIMEOUT = 0.5

    def drip(handler: BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(100):
                handler.wfile.write(b".")
                handler.wfile.flush()
                time.sleep(0.05)

    made = hook_make(world, receive(drip).url, CREATED)
    world.document()
    send()
    (row,) = log_of(world, made)
    assert (row["status"], row["reason"]) == ("pending", "too_slow")


def test_receiver_that_is_not_there_is_tried_again(world: World, receive: Receive) -> None:
    """Nobody listens."""
    receiver = receive()
    made = hook_make(world, receiver.url, CREATED)
    receiver.close()
    world.document()
    send()
    (row,) = log_of(world, made)
    assert (row["status"], row["reason"], row["response_status"]) == ("pending", "unreachable", None)


def test_name_that_turns_to_another_address_is_refused(
    world: World, receive: Receive, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a name leads to is judged at each attempt, and what was judged is what is connected."""
    receiver = receive()
    settings.WEBHOOK_ALLOWED_CIDRS = ["127.0.0.1/32"]
    leads_to, system = {"address": "127.0.0.1"}, socket.getaddrinfo

    def resolved(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host != "hooks.example.org":
            return list(system(host, port, *rest, **more))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (leads_to["address"], port))]

    monkeypatch.setattr("security.outgoing.socket.getaddrinfo", resolved)
    made = hook_make(world, f"http://hooks.example.org:{receiver.port}/in", CREATED)
    world.document()
    send()
    leads_to["address"] = "169.254.169.254"
    world.document()
    send()
    assert [(row["status"], row["reason"]) for row in log_of(world, made)] == [
        ("delivered", ""),
        ("pending", "address"),
    ]


def test_network_closed_again_is_refused(world: World, receive: Receive, settings: Any) -> None:
    """Operators change their mind, and no webhook made before goes there."""
    receiver = receive()
    made = hook_make(world, receiver.url, CREATED)
    settings.WEBHOOK_ALLOWED_CIDRS = []
    world.document()
    send()
    assert (receiver.received, log_of(world, made)[0]["reason"]) == ([], "address")


def test_hanging_receivers_delay_nobody_else(world: World, receive: Receive, settings: Any) -> None:
    """More of them than there are threads for ailing ones: the others are served meanwhile."""
    settings.WEBHOOK_TIMEOUT = 3.0
    arrived: list[float] = []

    def note(handler: BaseHTTPRequestHandler) -> None:
        arrived.append(time.monotonic())
        status(204)(handler)

    over = threading.Event()
    stuck = receive(hanging(over))
    for _ in range(webhook_lanes.AILING_LANES * 2):
        hook_make(world, stuck.url, CREATED)
    Webhook.objects.update(failures=1)
    hook_make(world, receive(note).url, CREATED)
    for _ in range(10):
        world.document()
    begun = time.monotonic()
    lanes = webhook_lanes.Lanes()

    follow()
    while len(arrived) < 10:
        assert lanes.turn()
    assert arrived[-1] - begun < 3.0
    # One attempt a webhook at a time, and of ailing ones no more than their budget.
    assert len(stuck.received) <= webhook_lanes.AILING_LANES
    over.set()
    lanes.finish()


def test_webhook_that_fails_on_is_left_alone(world: World, receive: Receive) -> None:
    """After five failures in a row it rests as a whole; what somebody asks for is sent all the same."""
    receiver = receive(500)
    made = hook_make(world, receiver.url, CREATED)
    for _ in range(20):
        world.document()
    send()
    assert len(receiver.received) == 5
    receiver.answer = status(204)
    send()
    assert len(receiver.received) == 5
    World.ok(world.owner.post(f"{hooks(world)}{made['id']}/ping/"), 202)
    send()
    # It was answered: all is well, and what waited for its first attempt is sent.
    assert receiver.types.count("webhook.ping") == 1
    assert len(receiver.received) == 5 + 1 + 15


def test_first_retry_comes_in_time_while_the_webhook_rests(world: World, receive: Receive) -> None:
    """What is in the same state as many others isn't tried later for it, but where the receiver says so."""
    receiver = receive(500)
    made = hook_make(world, receiver.url, CREATED)
    for _ in range(8):
        world.document()
    send()
    Webhook.objects.update(resting_until="2100-01-01T00:00:00Z")
    later(10)
    Webhook.objects.update(resting_until="2100-01-01T00:00:00Z")
    send()
    assert sorted(row["attempts"] for row in log_of(world, made)) == [0, 0, 0, 2, 2, 2, 2, 2]
    receiver.answer = status(429, Retry_After="500")
    Webhook.objects.update(resting_until=None)
    send()
    later(100)
    send()
    assert len(receiver.received) == 11


def test_patience_ends(world: World, receive: Receive) -> None:
    """After days a delivery is given up, and a webhook that failed all that time is switched off."""
    receiver = receive(500)
    made = hook_make(world, receiver.url, CREATED)
    world.document()
    for _ in range(40):
        send()
        later(DAY / 2)
    assert {row["status"] for row in log_of(world, made)} == {"failed"}
    world.document()
    send()
    found = shown(world, made)
    assert (found["enabled"], found["disabled_reason"]) == (False, "failing")
    assert Notification.objects.filter(kind="webhook.disabled").count() == 1


def test_old_deliveries_are_forgotten(world: World, receive: Receive, settings: Any) -> None:
    """Once they have ended; what is still to be sent stays."""
    made = hook_make(world, receive().url, CREATED)
    world.document()
    send()
    Webhook.objects.update(lease_until=None)
    World.ok(world.owner.post(f"{hooks(world)}{made['id']}/ping/"), 202)
    assert deliveries_purge() == 0
    settings.WEBHOOK_RETENTION = 0.000001
    assert deliveries_purge() == 1
    assert [row["type"] for row in log_of(world, made)] == ["webhook.ping"]
