"""What tests of webhooks share: receivers of their own on this machine, and the two halves of the sending."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from documents.models import Delivery, Webhook
from documents.services.fanning import webhooks_fan_out
from documents.webhook_lanes import deliveries_send_due
from tests.documents.world import World

HOOK = "https://hooks.example.org/in"
Answering = Callable[[BaseHTTPRequestHandler], None]


class Received:
    """One request as a receiver got it."""

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers, self.body = headers, body
        self.json: dict[str, Any] = json.loads(body)
        self.id = headers["webhook-id"]


def status(code: int, **headers: str) -> Answering:
    """A receiver that answers so."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


class Receiver:
    """A server of webhooks that answers by `answer` and remembers what it was sent.

    One that `keeps` connections takes several requests by each.
    """

    def __init__(self, answer: Answering, *, keeps: bool = False) -> None:
        self.answer, self.received, self.connections = answer, list[Received](), 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1" if keeps else "HTTP/1.0"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                receiver.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(headers, body))
                receiver.answer(self)

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/in"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    @property
    def types(self) -> list[str]:
        """What kinds of news it got."""
        return [each.json["type"] for each in self.received]

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receive(settings: Any) -> Iterator[Callable[..., Receiver]]:
    """Starts receivers that operators have opened to webhooks."""
    settings.WEBHOOK_ALLOWED_CIDRS, settings.WEBHOOK_ALLOWED_PORTS = ["127.0.0.0/8"], []
    receivers: list[Receiver] = []

    def start(answer: Answering | int = 204, *, keeps: bool = False) -> Receiver:
        receiver = Receiver(status(answer) if isinstance(answer, int) else answer, keeps=keeps)
        receivers.append(receiver)
        settings.WEBHOOK_ALLOWED_PORTS = [*settings.WEBHOOK_ALLOWED_PORTS, str(receiver.port)]
        return receiver

    yield start
    for receiver in receivers:
        receiver.close()


def in_turn(*answers: Answering) -> Answering:
    """A receiver that answers so, one after the other, and from then on as at last."""
    left = list(answers)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return answer


def hanging(released: threading.Event) -> Answering:
    """A receiver that says nothing until it is released, or half a minute is over."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        released.wait(30)

    return answer


def meanwhile(act: Callable[[], object], then: Answering | None = None) -> Answering:
    """A receiver that takes what it is sent, or answers as `then` says, once `act` was done."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        try:
            act()
        finally:
            connection.close()
        (then or status(204))(handler)

    return answer


def hooks(world: World) -> str:
    """The path of the workspace's webhooks."""
    return f"workspaces/{world.workspace}/webhooks/"


def hook_make(world: World, url: str = HOOK, events: Sequence[str] = ("*",), by: Any = None) -> Any:
    """A new webhook as its maker is answered, the secret in it."""
    body = {"url": url, "events": list(events)}
    return World.ok((by or world.owner).post(hooks(world), body), 201)


def log_of(world: World, hook: dict[str, Any]) -> list[dict[str, Any]]:
    """The deliveries as managers see them, the oldest first."""
    path = f"{hooks(world)}{hook['id']}/deliveries/?ordering=created_at"
    rows: list[dict[str, Any]] = World.ok(world.owner.get(path))["results"]
    return rows


def shown(world: World, hook: dict[str, Any]) -> dict[str, Any]:
    """The webhook as managers see it."""
    found: dict[str, Any] = World.ok(world.owner.get(f"{hooks(world)}{hook['id']}/"))
    return found


def follow() -> None:
    """What the scheduler does: make the deliveries that are due."""
    while webhooks_fan_out():
        pass


def send() -> None:
    """Follow, and send what is due."""
    follow()
    deliveries_send_due()


def later(seconds: float) -> None:
    """Let so much time pass for what waits to be sent."""
    passed = dt.timedelta(seconds=seconds)
    Delivery.objects.update(next_at=F("next_at") - passed, asked_at=F("asked_at") - passed)
    Webhook.objects.update(
        resting_until=F("resting_until") - passed, failing_since=F("failing_since") - passed
    )


def due_in(hook: dict[str, Any]) -> float:
    """In how many seconds its only waiting delivery is tried again."""
    row = Delivery.objects.annotate(now=Now()).get(webhook__uid=hook["id"], status="pending")
    return float((row.next_at - row.now).total_seconds())


def verifies(secret: str, received: Received) -> bool:
    """Whether the public library takes the delivery for genuine."""
    try:
        Verifier(secret).verify(received.body, received.headers)
    except WebhookVerificationError:
        return False
    return True
