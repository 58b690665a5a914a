"""Webhooks of a workspace: who manages them, where they may lead, what is shown of their secrets."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import Event
from documents import limits
from documents.models import Webhook
from tests.documents.webhooks import HOOK, hook_make, hooks
from tests.documents.world import ABSENT, World, statements

pytestmark = pytest.mark.django_db


def events_of(hook: dict[str, Any]) -> list[str]:
    """What the trail holds of a webhook."""
    rows = Event.objects.filter(target_type="webhook", target_uid=hook["id"]).order_by("sequence")
    return list(rows.values_list("action", flat=True))


def test_create_shows_the_secret_once(world: World) -> None:
    """In the answer that no cache keeps; afterwards it is read nowhere."""
    answer = world.owner.post(hooks(world), {"url": HOOK, "events": ["document.*", "comment.created"]})
    made = World.ok(answer, 201)
    assert answer.headers["Location"].endswith(f"/api/v1/{hooks(world)}{made['id']}/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert (made["enabled"], made["events"]) == (True, ["comment.created", "document.*"])
    assert made["secret"].startswith("whsec_")
    shown = World.ok(world.owner.get(f"{hooks(world)}{made['id']}/"))
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert World.ok(world.owner.get(hooks(world)))["results"] == [shown]
    row = Webhook.objects.get()
    assert made["secret"].removeprefix("whsec_").encode() not in bytes(row.secret)
    assert events_of(made) == ["webhook.created"]


def test_trail_holds_no_secret_of_an_address(world: World) -> None:
    """Path and query of a receiver's address are often one."""
    made = hook_make(world, "https://hooks.example.org/services/T0/B0/hush?token=hush")
    world.owner.patch(f"{hooks(world)}{made['id']}/", {"url": "https://example.org/hush"})
    world.owner.delete(f"{hooks(world)}{made['id']}/")
    bodies = [event.detail.body for event in Event.objects.filter(target_type="webhook")]
    assert (len(bodies), [body for body in bodies if "hush" in body]) == (3, [])


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ws://example.org/", "forbidden_scheme"),
        ("file:///etc/passwd", "forbidden_scheme"),
        ("gopher://example.org/", "forbidden_scheme"),
        ("ftp://example.org/", "forbidden_scheme"),
        ("http://10.0.0.1/", "forbidden_address"),
        ("https://user:pass@example.org/", "forbidden_userinfo"),
        ("https://example.org:22/", "forbidden_port"),
        ("https://example.org:8443/", "forbidden_port"),
        ("https://127.0.0.1/", "forbidden_address"),
        ("https://10.1.2.3/", "forbidden_address"),
        ("https://169.254.169.254/latest/meta-data/", "forbidden_address"),
        ("https://[::1]/", "forbidden_address"),
        ("https://[::ffff:127.0.0.1]/", "forbidden_address"),
        ("https://[fd00::1]/", "forbidden_address"),
        ("https://2130706433/", "forbidden_host"),
        ("https://0x7f000001/", "forbidden_host"),
        ("https://0177.0.0.1/", "forbidden_host"),
        ("https://127.1/", "forbidden_host"),
        ("https://localhost/", "forbidden_address"),
        ("http://LocalHost/", "forbidden_address"),
        ("http://hooks.localhost/", "forbidden_address"),
        ("https://postgres/", "forbidden_address"),
        ("http://metadata.google.internal/", "forbidden_address"),
        ("https://ex ample.org/", "forbidden_malformed"),
        ("https://example.org\\@127.0.0.1/", "forbidden_malformed"),
        ("nonsense", "forbidden_scheme"),
    ],
)
def test_create_refuses_addresses_that_requests_may_not_go_to(world: World, url: str, code: str) -> None:
    """At once, by the text alone, in every spelling; likewise where a webhook is changed."""
    answer = world.owner.post(hooks(world), {"url": url, "events": ["*"]})
    (error,) = World.ok(answer, 400)["errors"]
    assert (error["pointer"], error["code"]) == ("/url", code)
    made = hook_make(world)
    (error,) = World.ok(world.owner.patch(f"{hooks(world)}{made['id']}/", {"url": url}), 400)["errors"]
    assert error["code"] == code


def test_operators_open_networks_and_ports(world: World, settings: Any) -> None:
    """To webhooks alone: what is open to other requests of ours isn't to them."""
    settings.OUTGOING_ALLOW = ["127.0.0.0/8:8443"]
    url = "http://127.0.0.1:8443/"
    assert world.owner.post(hooks(world), {"url": url, "events": ["*"]}).status_code == 400
    settings.WEBHOOK_ALLOWED_CIDRS = ["127.0.0.0/8"]
    assert world.owner.post(hooks(world), {"url": url, "events": ["*"]}).status_code == 400
    settings.WEBHOOK_ALLOWED_PORTS = ["8443"]
    hook_make(world, url)
    hook_make(world, "https://example.org:8443/")
    hook_make(world, "http://localhost:8443/")
    hook_make(world, "http://receiver:8443/")
    elsewhere = {"url": "http://10.0.0.1:8443/", "events": ["*"]}
    assert world.owner.post(hooks(world), elsewhere).status_code == 400


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"events": ["*"]}, "/url", "required"),
        ({"url": HOOK}, "/events", "required"),
        ({"url": HOOK, "events": []}, "/events", "min_length"),
        ({"url": HOOK, "events": ["document.exploded"]}, "/events/0", "unknown_event"),
        ({"url": HOOK, "events": ["*", "dragon.*"]}, "/events/1", "unknown_event"),
        ({"url": HOOK, "events": ["document"]}, "/events/0", "unknown_event"),
        ({"url": HOOK, "events": ["*.created"]}, "/events/0", "unknown_event"),
        ({"url": HOOK, "events": ["hold.placed"]}, "/events/0", "unknown_event"),
        ({"url": HOOK, "events": ["*"], "secret": "own"}, "/secret", "unknown_property"),
        ({"url": "https://example.org/" + "a" * 2000, "events": ["*"]}, "/url", "max_length"),
    ],
)
def test_create_names_the_fault(world: World, body: dict[str, Any], pointer: str, code: str) -> None:
    """Each by field and reason."""
    (error,) = World.ok(world.owner.post(hooks(world), body), 400)["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


def test_workspace_takes_so_many_and_no_more(world: World) -> None:
    """Each event is a request to each of them."""
    for _ in range(limits.WEBHOOKS):
        hook_make(world)
    answer = world.owner.post(hooks(world), {"url": HOOK, "events": ["*"]})
    assert World.ok(answer, 409)["code"] == "too_many_webhooks"


def test_update_by_another_manager_makes_it_speak_for_them(world: World) -> None:
    """Else who sees less could lead to an own address what somebody else may know of."""
    made, manager = hook_make(world), world.member("manager")
    path = f"{hooks(world)}{made['id']}/"
    changed = World.ok(manager.patch(path, {"events": ["document.created"], "enabled": False}))
    assert (changed["events"], changed["enabled"]) == (["document.created"], False)
    assert manager.user is not None
    assert changed["speaks_for"]["id"] == str(manager.user.uid)
    World.ok(world.owner.patch(path, {"enabled": False}))
    assert World.ok(world.owner.get(path))["speaks_for"]["id"] == str(manager.user.uid)
    assert events_of(made) == ["webhook.created", "webhook.updated"]


def test_rotate_shows_another_secret(world: World) -> None:
    """And until when the one before signs, too."""
    made = hook_make(world)
    answer = world.owner.post(f"{hooks(world)}{made['id']}/rotate/")
    rotated = World.ok(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
    shown = World.ok(world.owner.get(f"{hooks(world)}{made['id']}/"))
    assert shown["previous_secret_until"] == rotated["previous_secret_until"]
    assert events_of(made) == ["webhook.created", "webhook.rotated"]


def test_ping_waits_in_the_log(world: World) -> None:
    """As a delivery without a number; nothing is sent to a webhook that is off."""
    made = hook_make(world)
    path = f"{hooks(world)}{made['id']}/"
    answer = world.owner.post(f"{path}ping/")
    ping = World.ok(answer, 202)
    assert "Location" not in answer.headers
    assert (ping["type"], ping["sequence"], ping["status"]) == ("webhook.ping", None, "pending")
    assert World.ok(world.owner.get(f"{path}deliveries/"))["results"] == [ping]
    assert World.ok(world.owner.get(f"{path}deliveries/{ping['id']}/")) == ping
    assert World.ok(world.owner.get(f"{path}deliveries/?status=failed"))["results"] == []
    World.ok(world.owner.patch(path, {"enabled": False}))
    assert World.ok(world.owner.post(f"{path}ping/"), 409)["code"] == "webhook_disabled"
    again = world.owner.post(f"{path}deliveries/{ping['id']}/redeliver/")
    assert World.ok(again, 409)["code"] == "webhook_disabled"


def test_delete_takes_the_log_along(world: World) -> None:
    """And is on the record."""
    made = hook_make(world)
    path = f"{hooks(world)}{made['id']}/"
    World.ok(world.owner.post(f"{path}ping/"), 202)
    World.ok(world.owner.delete(path), 204)
    assert world.owner.get(path).status_code == 404
    assert events_of(made) == ["webhook.created", "webhook.pinged", "webhook.deleted"]


def test_webhooks_are_for_managers(world: World) -> None:
    """Weaker roles are refused, strangers find nothing; one of another workspace is absent here."""
    made, editor, outsider = hook_make(world), world.member("editor"), world.client_for()
    paths = [hooks(world), f"{hooks(world)}{made['id']}/", f"{hooks(world)}{made['id']}/deliveries/"]
    assert {editor.get(path).status_code for path in paths} == {403}
    assert {outsider.get(path).status_code for path in paths} == {404}
    other = World(world.client_for)
    assert other.owner.get(f"{hooks(other)}{made['id']}/").status_code == 404
    again = f"{hooks(world)}{made['id']}/deliveries/{ABSENT}/redeliver/"
    assert world.owner.post(again).status_code == 404


def test_reads_cost_three_statements(world: World) -> None:
    """1 sign-in, 2 the workspace, 3 the page or the one, and 4 of deliveries after their webhook."""
    made = hook_make(world)
    for _ in range(3):
        hook_make(world)
        World.ok(world.owner.post(f"{hooks(world)}{made['id']}/ping/"), 202)
    world.owner.get(hooks(world))
    with statements(3):
        World.ok(world.owner.get(hooks(world)))
    with statements(3):
        World.ok(world.owner.get(f"{hooks(world)}{made['id']}/"))
    with statements(4):
        World.ok(world.owner.get(f"{hooks(world)}{made['id']}/deliveries/"))
