"""Deliveries of a webhook in handfuls: in order, by one connection, stopped by whatever changes meanwhile."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from prometheus_client import REGISTRY

from documents import webhook_lanes
from documents.models import Delivery, Webhook
from documents.services import delivering
from documents.services.delivering import deliveries_claim, deliveries_settle
from documents.webhook_sending import Outcome
from tests.documents.webhooks import (
    Receiver,
    due_in,
    follow,
    hook_make,
    hooks,
    in_turn,
    later,
    log_of,
    meanwhile,
    send,
    shown,
    status,
    verifies,
)
from tests.documents.webhooks import receive as receive  # noqa: PLC0414 (a fixture)
from tests.documents.world import World

pytestmark = pytest.mark.django_db(transaction=True)
Receive = Callable[..., Receiver]
CREATED = ["document.created"]
OK = status(204)


def told(receiver: Receiver) -> list[str]:
    """The documents that it was told of, in that order."""
    return [got.json["data"]["id"] for got in receiver.received]


def counted(world: World, hook: dict[str, Any]) -> list[tuple[str, int]]:
    """Where each of its deliveries stands, and how often it was tried."""
    return [(row["status"], row["attempts"]) for row in log_of(world, hook)]


def written(world: World, count: int) -> list[str]:
    """New documents, whose deliveries are due."""
    documents = [world.document() for _ in range(count)]
    follow()
    return documents


def test_handful_goes_in_order_over_one_connection(
    world: World, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is settled at once; each is signed for its own moment and logged as if it had gone alone."""
    settled: list[int] = []

    def settle(*, handful: Any, outcomes: list[Outcome]) -> None:
        settled.append(len(outcomes))
        deliveries_settle(handful=handful, outcomes=outcomes)

    monkeypatch.setattr(webhook_lanes, "deliveries_settle", settle)
    receiver = receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    documents = written(world, 5)
    send()
    assert told(receiver) == documents
    assert (receiver.connections, settled) == (1, [5])
    assert all(verifies(made["secret"], got) for got in receiver.received)
    assert counted(world, made) == [("delivered", 1)] * 5
    assert [got.id for got in receiver.received] == [row["id"] for row in log_of(world, made)]


def test_handful_has_a_size(world: World, receive: Receive) -> None:
    """What is beyond it comes with the next, behind it."""
    receiver = receive(keeps=True)
    hook_make(world, receiver.url, CREATED)
    written(world, 1)
    first = Delivery.objects.get()
    many = [
        Delivery(webhook=first.webhook, sequence=-number, action=first.action, body=first.body)
        for number in range(1, delivering.HANDFUL + 5)
    ]
    Delivery.objects.bulk_create(many)
    Delivery.objects.update(document_uid=first.document_uid)
    send()
    uids = [str(uid) for uid in Delivery.objects.order_by("next_at", "pk").values_list("uid", flat=True)]
    assert [got.id for got in receiver.received] == uids
    assert receiver.connections == 2


def test_handful_ends_with_its_time(world: World, receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that takes its time has no lane for itself: others have their turn after one attempt."""
    monkeypatch.setattr(webhook_lanes, "HANDFUL_SECONDS", 0.0)
    receiver = receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    documents = written(world, 3)
    send()
    assert (told(receiver), receiver.connections) == (documents, 3)
    assert counted(world, made) == [("delivered", 1)] * 3


@pytest.mark.parametrize("code", [500, 429, 302])
def test_failure_ends_the_handful(world: World, receive: Receive, code: int) -> None:
    """What was sent is settled; the rest has seen no attempt, and waits as long as the receiver asks."""
    receiver = receive(in_turn(OK, status(code, Retry_After="100")), keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    documents = written(world, 4)
    lanes = webhook_lanes.Lanes()
    while len(receiver.received) < 2:
        lanes.turn()
    lanes.finish()
    assert told(receiver) == documents[:2]
    assert counted(world, made) == [("delivered", 1), ("pending", 1), ("pending", 0), ("pending", 0)]
    receiver.answer = OK
    send()
    # By 429 the receiver wants to be left alone as a whole; by others no delivery but the one that failed.
    assert told(receiver)[2:] == ([] if code == 429 else documents[2:])
    later(101)
    send()
    assert sorted(told(receiver)[2:]) == sorted(documents[1:])
    assert {status for status, _ in counted(world, made)} == {"delivered"}
    assert shown(world, made)["failures"] == 0


def test_gone_in_the_middle_of_a_handful(world: World, receive: Receive) -> None:
    """Switched off at once; what was not sent waits untouched."""
    receiver = receive(in_turn(OK, status(410)), keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    written(world, 3)
    send()
    assert len(receiver.received) == 2
    assert (shown(world, made)["enabled"], shown(world, made)["disabled_reason"]) == (False, "gone")
    assert counted(world, made) == [("delivered", 1), ("failed", 1), ("pending", 0)]


def test_webhook_switched_off_in_the_middle(world: World, receive: Receive) -> None:
    """Nothing more is sent once its manager has been answered."""
    receiver = receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    path = f"{hooks(world)}{made['id']}/"
    documents = written(world, 3)
    receiver.answer = in_turn(meanwhile(lambda: world.owner.patch(path, {"enabled": False})), OK)
    send()
    assert told(receiver) == documents[:1]
    assert counted(world, made) == [("delivered", 1), ("pending", 0), ("pending", 0)]
    World.ok(world.owner.patch(path, {"enabled": True}))
    send()
    assert told(receiver) == documents


def test_webhook_deleted_in_the_middle(world: World, receive: Receive) -> None:
    """Nothing more is sent, and nothing is left to be written."""
    receiver = receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    written(world, 3)
    path = f"{hooks(world)}{made['id']}/"
    receiver.answer = in_turn(meanwhile(lambda: world.owner.delete(path)), OK)
    send()
    assert len(receiver.received) == 1
    assert not Delivery.objects.exists()


def test_webhook_led_elsewhere_in_the_middle(world: World, receive: Receive) -> None:
    """What follows goes to the new address."""
    receiver, other = receive(keeps=True), receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    documents = written(world, 3)
    path = f"{hooks(world)}{made['id']}/"
    receiver.answer = in_turn(meanwhile(lambda: world.owner.patch(path, {"url": other.url})), OK)
    send()
    assert (told(receiver), told(other)) == (documents[:1], documents[1:])


def test_secret_rotated_in_the_middle(world: World, receive: Receive) -> None:
    """What follows is signed by both."""
    receiver = receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    secrets: list[str] = [made["secret"]]

    def rotate() -> None:
        secrets.append(World.ok(world.owner.post(f"{hooks(world)}{made['id']}/rotate/"))["secret"])

    written(world, 3)
    receiver.answer = in_turn(meanwhile(rotate), OK)
    send()
    seen = [[verifies(secret, got) for secret in secrets] for got in receiver.received]
    assert seen == [[True, False], [True, True], [True, True]]


def test_document_hidden_in_the_middle(world: World, receive: Receive) -> None:
    """What whoever it speaks for may not see any more is withheld; the others are sent, in order."""
    receiver, manager = receive(keeps=True), world.member("manager")
    made = hook_make(world, receiver.url, CREATED, by=manager)
    documents = written(world, 4)
    path = f"documents/{documents[2]}/"
    hide = meanwhile(lambda: World.ok(world.owner.patch(path, {"inherits_access": False})))
    receiver.answer = in_turn(hide, OK)
    send()
    assert told(receiver) == [documents[0], documents[1], documents[3]]
    assert [row["status"] for row in log_of(world, made)].count("withheld") == 1


def test_rights_taken_in_the_middle(world: World, receive: Receive) -> None:
    """Whoever manages no more is told no more, from the moment on that their rights are gone."""
    receiver, manager = receive(keeps=True), world.member("manager")
    made = hook_make(world, receiver.url, CREATED, by=manager)
    members = World.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"]
    (member,) = [row["id"] for row in members if row["role"] == "manager"]
    path = f"workspaces/{world.workspace}/members/{member}/"
    written(world, 3)
    demote = meanwhile(lambda: World.ok(world.owner.patch(path, {"role": "viewer"})))
    receiver.answer = in_turn(demote, OK)
    send()
    assert len(receiver.received) == 1
    assert shown(world, made)["disabled_reason"] == "rights"


def test_sent_again_in_the_middle(world: World, receive: Receive) -> None:
    """What somebody asks for while it is on its way is sent once more, with its id; both are counted."""
    receiver = receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    documents = written(world, 2)
    first = log_of(world, made)[0]["id"]
    path = f"{hooks(world)}{made['id']}/deliveries/{first}/redeliver/"
    receiver.answer = in_turn(meanwhile(lambda: World.ok(world.owner.post(path), 202)), OK)
    send()
    assert told(receiver) == [*documents, documents[0]]
    assert receiver.received[0].id == receiver.received[2].id == first
    assert counted(world, made) == [("delivered", 2), ("delivered", 1)]


def test_what_was_asked_for_comes_first(world: World, receive: Receive) -> None:
    """Before what waits; in the order in which it was asked for."""
    receiver = receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    written(world, 2)
    for _ in range(2):
        World.ok(world.owner.post(f"{hooks(world)}{made['id']}/ping/"), 202)
    send()
    assert receiver.types == ["webhook.ping"] * 2 + CREATED * 2


def test_webhook_is_sent_by_one_at_a_time(world: World, receive: Receive) -> None:
    """Who takes a handful keeps others away, until it is settled or the lease is over."""
    receiver = receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    written(world, 2)
    (first,) = deliveries_claim(ailing=False, most=5)
    assert deliveries_claim(ailing=False, most=5) == []
    Webhook.objects.update(lease_until=Now())
    (second,) = deliveries_claim(ailing=False, most=5)
    delivered = [Outcome(first.at, 0.01, 204)] * 2
    # Who was away too long writes nothing, and gives nothing away that another has.
    deliveries_settle(handful=first, outcomes=delivered)
    assert counted(world, made) == [("pending", 0)] * 2
    assert deliveries_claim(ailing=False, most=5) == []
    deliveries_settle(handful=second, outcomes=delivered[:1])
    assert counted(world, made) == [("delivered", 1), ("pending", 0)]
    (third,) = deliveries_claim(ailing=False, most=5)
    assert [parcel.pk for parcel in third.parcels] == [second.parcels[1].pk]


def test_lease_that_ends_in_the_middle_ends_the_handful(world: World, receive: Receive) -> None:
    """Another has the webhook now: no more is sent, and nothing written of what was."""
    receiver = receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    documents = written(world, 3)

    def taken_over() -> None:
        Webhook.objects.update(lease_until=F("lease_until") + dt.timedelta(hours=1))

    receiver.answer = in_turn(meanwhile(taken_over), OK)
    send()
    assert told(receiver) == documents[:1]
    assert counted(world, made) == [("pending", 0)] * 3


def test_handful_is_settled_when_the_sender_is_told_to_end(world: World, receive: Receive) -> None:
    """What is on its way is waited for, and nothing else begun."""
    release, arrived = threading.Event(), threading.Event()

    def hold(handler: BaseHTTPRequestHandler) -> None:
        arrived.set()
        assert release.wait(30)
        OK(handler)

    receiver = receive(hold, keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    written(world, 3)
    lanes = webhook_lanes.Lanes()
    lanes.turn()
    assert arrived.wait(30)
    release.set()
    lanes.finish()
    assert counted(world, made) == [("delivered", 1), ("pending", 0), ("pending", 0)]
    send()
    assert len(receiver.received) == 3


@pytest.mark.parametrize("at", [0, 2])
def test_database_that_is_away_for_a_moment(world: World, receive: Receive, at: int) -> None:
    """In the middle of a handful or at its end: what was sent is written when it is back, not sent again."""
    receiver = receive(keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    documents = written(world, 3)
    backend = connection.connection.info.backend_pid

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
            assert cursor.fetchone() == (True,)

    answers = [OK] * 3
    answers[at] = meanwhile(end)
    receiver.answer = in_turn(*answers, OK)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.autocommit = True
        webhook_lanes.deliveries_send(
            lambda: other.execute("SELECT FROM documents_delivery WHERE status <> 'delivered'").rowcount > 0
        )
    send()
    assert told(receiver) == documents
    assert counted(world, made) == [("delivered", 1)] * 3


def test_attempts_of_a_handful_are_counted_one_by_one(world: World, receive: Receive) -> None:
    """By how they ended; and each delivery's way from its event."""

    def values() -> list[float]:
        names = ("cloudscribe_webhook_attempts_total", "cloudscribe_webhook_lag_seconds_count")
        labels = [{"outcome": "delivered"}, {"outcome": "failed"}]
        attempts = [REGISTRY.get_sample_value(names[0], label) or 0.0 for label in labels]
        return [*attempts, REGISTRY.get_sample_value(names[1]) or 0.0]

    receiver = receive(in_turn(OK, OK, status(500, Retry_After="9"), OK), keeps=True)
    made = hook_make(world, receiver.url, CREATED)
    written(world, 4)
    before = values()
    send()
    assert [now - then for now, then in zip(values(), before, strict=True)] == [3, 1, 3]
    assert due_in(made) > 0


def test_end_of_a_document_that_was_told_of_by_none(world: World, receive: Receive) -> None:
    """What waited to tell of it ends unsent in the same handful: who may not know of it learns no id."""
    receiver, manager = receive(keeps=True), world.member("manager")
    made = hook_make(world, receiver.url, ["document.created", "document.purged"], by=manager)
    (document,) = written(world, 1)
    World.ok(world.owner.patch(f"documents/{document}/", {"inherits_access": False}))
    World.ok(world.act(document, "trash"))
    World.ok(world.owner.delete(f"documents/{document}/"), 204)
    send()
    assert receiver.received == []
    assert [row["status"] for row in log_of(world, made)] == ["withheld"] * 2


@pytest.mark.parametrize("code", [410, 503])
def test_failure_of_an_address_that_was_left_in_the_middle(world: World, receive: Receive, code: int) -> None:
    """It says nothing of the new one, which is sent what the other refused; the attempt is counted."""
    new = receive(keeps=True)
    former = receive(keeps=True)
    made = hook_make(world, former.url, CREATED)
    documents = written(world, 2)
    path = f"{hooks(world)}{made['id']}/"
    refused = status(code, Retry_After="100")
    former.answer = meanwhile(lambda: World.ok(world.owner.patch(path, {"url": new.url})), refused)
    send()
    assert told(new) == documents
    assert counted(world, made) == [("delivered", 2), ("delivered", 1)]
    assert (shown(world, made)["enabled"], shown(world, made)["failures"]) == (True, 0)
