"""What webhooks are sent: signed, once an event, and nothing that whoever they speak for may not know of."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.actors import stranger
from accounts.models import Notification
from audit.models import Event
from audit.services import Target, event_record
from cloudscribe.lib.cursors import binding, encode_cursor
from documents.models import Delivery, Webhook, Workspace
from tests.documents.jobs import job_done
from tests.documents.webhooks import (
    Receiver,
    follow,
    hook_make,
    hooks,
    log_of,
    send,
    shown,
    verifies,
)
from tests.documents.webhooks import receive as receive  # noqa: PLC0414 (a fixture)
from tests.documents.world import World, uid_of

# What settles is what is committed.
pytestmark = pytest.mark.django_db(transaction=True)
Receive = Callable[..., Receiver]


def test_event_is_delivered_signed(world: World, receive: Receive) -> None:
    """With ids and numbers, no title and no body; the public library takes it, and nothing changed in it."""
    receiver = receive()
    made = hook_make(world, receiver.url)
    document = world.document("Hush title", content="Hush body")
    send()
    (got,) = receiver.received
    event = Event.objects.get(action="document.created")
    assert got.json["type"] == "document.created"
    assert got.json["data"] == {
        "id": document,
        "sequence": event.sequence,
        "action": "document.created",
        "type": "document",
        "workspace": world.workspace,
        "document": document,
        "at": got.json["timestamp"],
        "actor": {"kind": "user", "id": uid_of(world.owner)},
    }
    assert b"Hush" not in got.body
    assert verifies(made["secret"], got)
    assert not verifies("whsec_" + "A" * 44, got)
    got.body += b" "
    assert not verifies(made["secret"], got)
    (row,) = log_of(world, made)
    assert (row["id"], row["status"], row["attempts"], row["response_status"]) == (
        got.id,
        "delivered",
        1,
        204,
    )


def test_rotated_secrets_sign_both(world: World, receive: Receive) -> None:
    """Until the time of the earlier one is over; of the one before that no more."""
    receiver = receive()
    made = hook_make(world, receiver.url, ["document.created"])
    path = f"{hooks(world)}{made['id']}/"
    first = made["secret"]
    second, third = (World.ok(world.owner.post(f"{path}rotate/"))["secret"] for _ in range(2))
    world.document()
    send()
    assert [verifies(secret, receiver.received[0]) for secret in (first, second, third)] == [
        False,
        True,
        True,
    ]
    Webhook.objects.update(previous_until="2020-01-01T00:00:00Z")
    world.document()
    send()
    assert [verifies(secret, receiver.received[1]) for secret in (second, third)] == [False, True]


def test_each_event_is_delivered_once(world: World, receive: Receive) -> None:
    """However often and by however many the trail is followed."""
    receiver = receive()
    made = hook_make(world, receiver.url, ["document.created"])
    for _ in range(5):
        world.document()
    threads = [threading.Thread(target=_closing(follow)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send()
    send()
    sequences = [got.json["data"]["sequence"] for got in receiver.received]
    assert sequences == sorted(set(sequences))
    assert len(sequences) == len(log_of(world, made)) == 5


def test_late_commit_is_not_passed_over(world: World, receive: Receive) -> None:
    """An event with a lower number that is committed after a higher one was followed is delivered, too."""
    receiver = receive()
    hook_make(world, receiver.url, ["workspace.updated", "document.created"])
    room = Workspace.objects.get()
    written, release = threading.Event(), threading.Event()

    def write_late() -> None:
        with transaction.atomic():
            actor = stranger("late", room.created_at)
            target = Target("workspace", room.uid, room.name)
            event_record(actor=actor, action="workspace.updated", target=target, workspace_uid=room.uid)
            written.set()
            assert release.wait(30)

    late = threading.Thread(target=_closing(write_late))
    late.start()
    assert written.wait(30)
    world.document()
    send()
    assert receiver.types == []
    release.set()
    late.join()
    send()
    assert receiver.types == ["workspace.updated", "document.created"]


def test_only_chosen_events_of_its_workspace_are_delivered(world: World, receive: Receive) -> None:
    """By name and by noun; what was before the webhook is not sent, nor what happens while it is off."""
    receiver = receive()
    world.document("Before")
    made = hook_make(world, receiver.url, ["document.*", "workspace.updated"])
    other = World(world.client_for)
    other.document()
    document = world.document()
    World.ok(world.act(document, "trash"))
    World.ok(world.owner.post(f"{hooks(world)}{made['id']}/rotate/"))
    World.ok(world.owner.patch(f"workspaces/{world.workspace}/", {"name": "Else"}))
    send()
    assert receiver.types == ["document.created", "document.trashed", "workspace.updated"]
    World.ok(world.owner.patch(f"{hooks(world)}{made['id']}/", {"enabled": False}))
    world.document("Off")
    send()
    assert len(receiver.received) == 3


def test_webhook_is_told_nothing_of_itself(world: World, receive: Receive) -> None:
    """A receiver of everything is not told that it was made, but that others are."""
    receiver = receive()
    made = hook_make(world, receiver.url)
    World.ok(world.owner.patch(f"{hooks(world)}{made['id']}/", {"events": ["webhook.*"]}))
    other = hook_make(world)
    send()
    assert [got.json["data"]["id"] for got in receiver.received] == [other["id"]]


def test_hidden_documents_are_not_told_of(world: World, receive: Receive) -> None:
    """A webhook speaks for whoever made it, manager or not: what is cut off from them is never sent."""
    receiver, manager = receive(), world.member("manager")
    hook_make(world, receiver.url, by=manager)
    secret = world.document("Secret")
    World.ok(world.owner.patch(f"documents/{secret}/", {"inherits_access": False}))
    follow_up = world.document("Below", parent=secret)
    World.ok(world.owner.post(f"documents/{secret}/threads/", {"body": "Why?"}), 201)
    send()
    # It was seen when it was made, and hidden before anything was sent.
    assert secret not in str([got.json for got in receiver.received])
    assert follow_up not in str([got.json for got in receiver.received])
    assert not Delivery.objects.filter(document_uid=follow_up).exists()


def test_right_is_judged_at_each_attempt(world: World, receive: Receive) -> None:
    """What was due and is hidden by the time that it is sent is withheld."""
    receiver, manager = receive(), world.member("manager")
    made = hook_make(world, receiver.url, ["document.created"], by=manager)
    secret = world.document("Secret")
    follow()
    World.ok(world.owner.patch(f"documents/{secret}/", {"inherits_access": False}))
    send()
    assert receiver.received == []
    (row,) = log_of(world, made)
    assert (row["status"], row["reason"], row["attempts"]) == ("withheld", "rights", 0)


def test_grants_are_told_to_those_who_may_give_them(world: World, receive: Receive) -> None:
    """Whoever merely reads a cut document is not told who else may."""
    receiver, manager = receive(), world.member("manager")
    cut = world.document("Cut")
    World.ok(world.owner.patch(f"documents/{cut}/", {"inherits_access": False}))
    world.grant(cut, manager, "viewer")
    hook_make(world, receiver.url, ["grant.*", "document.updated"], by=manager)
    world.grant(cut, world.client_for(), "editor")
    revision = world.owner.get(f"documents/{cut}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{cut}/", {"title": "New"}, If_Match=revision))
    send()
    assert receiver.types == ["document.updated"]


def test_end_of_a_document_is_told_to_who_was_told_of_it(world: World, receive: Receive) -> None:
    """On what is purged nobody has rights any more; a hidden document's end is told to nobody."""
    receiver, manager = receive(), world.member("manager")
    hook_make(world, receiver.url, ["document.trashed", "document.purged"], by=manager)
    seen, hidden = world.document("Seen"), world.document("Hidden")
    World.ok(world.owner.patch(f"documents/{hidden}/", {"inherits_access": False}))
    for document in (seen, hidden):
        World.ok(world.act(document, "trash"))
    follow()
    for document in (seen, hidden):
        World.ok(world.owner.delete(f"documents/{document}/"), 204)
    follow()
    rows = Delivery.objects.order_by("sequence").values_list("action", "document_uid")
    assert list(rows) == [("document.trashed", uuid.UUID(seen)), ("document.purged", uuid.UUID(seen))]


def test_webhook_of_who_manages_no_more_is_switched_off(world: World, receive: Receive) -> None:
    """And they are told; another manager who switches it on is the one for whom it speaks from then on."""
    receiver, manager = receive(), world.member("manager")
    made = hook_make(world, receiver.url, ["document.created"], by=manager)
    members = World.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"]
    (member,) = [row["id"] for row in members if row["role"] == "manager"]
    World.ok(world.owner.patch(f"workspaces/{world.workspace}/members/{member}/", {"role": "viewer"}))
    world.document()
    send()
    assert receiver.received == []
    found = shown(world, made)
    assert (found["enabled"], found["disabled_reason"]) == (False, "rights")
    assert Notification.objects.filter(kind="webhook.disabled", user=manager.user).count() == 1
    again = World.ok(world.owner.patch(f"{hooks(world)}{made['id']}/", {"enabled": True}))
    assert (again["disabled_reason"], again["speaks_for"]["id"]) == ("", uid_of(world.owner))
    world.document()
    send()
    assert receiver.types == ["document.created"]


def test_ping_and_redelivery_keep_their_id(world: World, receive: Receive) -> None:
    """With the same body, and a signature of their own moment."""
    receiver = receive()
    made = hook_make(world, receiver.url, ["document.created"])
    path = f"{hooks(world)}{made['id']}/"
    ping = World.ok(world.owner.post(f"{path}ping/"), 202)
    send()
    World.ok(world.owner.post(f"{path}deliveries/{ping['id']}/redeliver/"), 202)
    send()
    first, second = receiver.received
    assert (first.json["type"], first.id, second.id) == ("webhook.ping", ping["id"], ping["id"])
    assert first.body == second.body
    assert verifies(made["secret"], second)
    (row,) = log_of(world, made)
    assert (row["status"], row["attempts"]) == ("delivered", 2)


def test_replay_sends_anew_what_came_behind_a_cursor(world: World, receive: Receive) -> None:
    """By a job: what was sent keeps its id, and what happened before the webhook was made is there, too."""
    world.document("Long ago")
    cursor = World.ok(world.owner.get("changes/?cursor=now"))["cursor"]
    before = world.document("Before")
    receiver = receive()
    made = hook_make(world, receiver.url, ["document.created"])
    after = world.document("After")
    send()
    path = f"{hooks(world)}{made['id']}/replay/"
    assert job_done(world.owner, world.owner.post(path, {"cursor": cursor}))["state"] == "succeeded"
    send()
    assert [got.json["data"]["id"] for got in receiver.received] == [after, before, after]
    assert receiver.received[0].id == receiver.received[2].id
    assert receiver.received[0].body == receiver.received[2].body
    assert Event.objects.filter(action="webhook.replayed", target_uid=made["id"]).count() == 1
    mine = World.ok(world.owner.get(f"changes/?cursor=now&workspace={world.workspace}"))["cursor"]
    assert job_done(world.owner, world.owner.post(path, {"cursor": mine}))["state"] == "succeeded"
    send()
    assert len(receiver.received) == 3


def test_replay_refuses_what_is_no_cursor_of_the_feed(world: World) -> None:
    """Or one from before a restore; and nothing is sent to a webhook that is off."""
    made = hook_make(world)
    path = f"{hooks(world)}{made['id']}/replay/"
    elsewhere = World(world.client_for).workspace
    for text in ("none", World.ok(world.owner.get(f"changes/?cursor=now&workspace={elsewhere}"))["cursor"]):
        (error,) = World.ok(world.owner.post(path, {"cursor": text}), 400)["errors"]
        assert (error["pointer"], error["code"]) == ("/cursor", "invalid_cursor")
    old = encode_cursor([0, 1, 1, 1], bound=binding([]))
    assert World.ok(world.owner.post(path, {"cursor": old}), 410)["code"] == "resync"
    World.ok(world.owner.patch(f"{hooks(world)}{made['id']}/", {"enabled": False}))
    cursor = World.ok(world.owner.get("changes/?cursor=now"))["cursor"]
    assert World.ok(world.owner.post(path, {"cursor": cursor}), 409)["code"] == "webhook_disabled"


def _closing(act: Callable[[], Any]) -> Callable[[], None]:
    """A thread's connection ends with it."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    return run
