"""The background work of webhooks: following the trail, keeping the sender alive, forgetting."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings

from audit.selectors import Position, position_settled
from cloudscribe.jobs.registry import job_handler, schedule, scheduler_loop
from cloudscribe.jobs.run import JobRun
from documents.queues import DELIVERIES_PURGE, WEBHOOK_REPLAY
from documents.selectors.webhooks import deliveries_are_due
from documents.services.delivering import deliveries_purge
from documents.services.fanning import deliveries_replay, webhooks_fan_out
from documents.webhook_lanes import Sender

# A turn of the scheduler is short: a large import is followed over several.
_BATCHES = 4

_sender = Sender()


@scheduler_loop("documents.webhooks", every=settings.WEBHOOK_INTERVAL)
def webhooks_follow() -> None:
    """Make deliveries of what happened since, and see that what is due is sent."""
    for _ in range(_BATCHES):
        if not webhooks_fan_out():
            break
    _sender.tend(deliveries_are_due)


@job_handler(WEBHOOK_REPLAY, timeout=1_800)
def replay_webhook(run: JobRun) -> dict[str, int]:
    """Have a webhook told anew of what happened behind a position, up to now."""
    uid, until = uuid.UUID(run.payload["webhook"]), position_settled()
    position, batches = Position(*run.payload["after"]), 0
    while (
        behind := deliveries_replay(actor=run.actor, webhook=uid, after=position, until=until)
    ) is not None:
        position, batches = behind, batches + 1
        run.progress(batches)
    return {"batches": batches}


@job_handler(DELIVERIES_PURGE)
def purge_deliveries(run: JobRun) -> dict[str, int]:
    """Forget old deliveries."""
    purged = 0
    while gone := deliveries_purge():
        purged += gone
        run.progress(purged)
    return {"purged": purged}


schedule("documents.deliveries_purge", dt.timedelta(days=1), DELIVERIES_PURGE)
