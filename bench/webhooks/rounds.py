"""What is measured of a receiver: a heap of deliveries that waits, and is sent."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable

from django.utils import timezone

from accounts.actors import service_actor
from bench.jobs.sides import held
from bench.processes import Foreign, cpu_seconds
from bench.webhooks.receiver import Receiver
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.embedded.processes import wait_until
from documents.models import (
    Delivery,
    DeliveryStatus,
    Document,
    Webhook,
    Workspace,
    WorkspaceUserPermission,
)
from documents.roles import WORKSPACE_CODENAMES, Role
from documents.services.webhooks import body_of, webhook_create, webhook_delete

_ACTION = "document.updated"
_PATIENCE = 180.0


class Unsent(RuntimeError):
    """Something was not delivered in time."""


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """Deliveries a second; CPU seconds of each, of the sender and of PostgreSQL.

    `requests` and `connections` are those of one delivery, `foreign` is others' share of the machine.
    """

    rate: float
    sender_cpu: float
    database_cpu: float
    requests: float
    connections: float
    foreign: float


def heap(receiver: Receiver, sender: int, count: int, database: Callable[[], float]) -> Seen:
    """Have `count` deliveries wait while the sender is held, then let it work.

    `database` tells CPU seconds. Raises Unsent.
    """
    with held(sender):
        row = _written(receiver.url, count)
        foreign, clock = Foreign(), time.monotonic()
        before, told = (cpu_seconds(sender), database()), (receiver.requests, receiver.connections)
    waiting = Delivery.objects.filter(webhook=row, status=DeliveryStatus.PENDING)
    if not wait_until(lambda: not waiting.exists(), _PATIENCE, step=0.05):
        raise Unsent(f"{waiting.count()} deliveries wait after {_PATIENCE:.0f} s")
    seconds = time.monotonic() - clock
    seen = Seen(
        rate=count / seconds,
        sender_cpu=(cpu_seconds(sender) - before[0]) / count,
        database_cpu=(database() - before[1]) / count,
        requests=(receiver.requests - told[0]) / count,
        connections=(receiver.connections - told[1]) / count,
        foreign=foreign.share(),
    )
    webhook_delete(actor=_owner(row.workspace), webhook=row)
    return seen


def _owner(workspace: Workspace) -> Actor:
    granted = WorkspaceUserPermission.objects.select_related("user").filter(content_object=workspace)
    codename = WORKSPACE_CODENAMES[Role.OWNER]
    return service_actor(granted.filter(permission__codename=codename)[0].user)


def _written(url: str, count: int) -> Webhook:
    """A webhook and what waits for it, as if `count` changes had been made of its workspace's documents."""
    document = Document.objects.select_related("workspace").order_by("pk")[0]
    workspace = document.workspace
    made = webhook_create(actor=_owner(workspace), workspace=workspace, url=url, events=["*"])
    documents = Document.objects.filter(workspace=workspace).values_list("uid", flat=True)
    now = timezone.now()
    rows = [
        Delivery(
            webhook=made.webhook,
            sequence=number,
            action=_ACTION,
            document_uid=uid,
            body=body_of(_ACTION, now, {"id": uid, "sequence": number, "workspace": workspace.uid}),
            next_at=now,
            asked_at=now,
        )
        for number, uid in zip(range(1, count + 1), itertools.cycle(documents), strict=False)
    ]
    Delivery.objects.bulk_create(rows)
    return made.webhook
