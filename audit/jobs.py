"""What the scheduler does for the trail."""

from __future__ import annotations

from django.conf import settings

from audit.services import events_seal, partitions_ensure
from audit.services.sealing import BATCH
from audit.witness import seal_witnessed
from cloudscribe.jobs.registry import scheduler_loop

# Of a long backlog the loops beside this one get a turn in between.
_MOST_BATCHES = 20

scheduler_loop("audit.partitions", every=60.0)(partitions_ensure)


@scheduler_loop("audit.seal", every=settings.SEAL_INTERVAL)
def seal() -> None:
    """Seal what has settled and keep the newest checkpoint outside the database, too."""
    newest = None
    for _ in range(_MOST_BATCHES):
        sealed = events_seal()
        newest = sealed or newest
        if sealed is None or sealed.last_leaf - sealed.first_leaf + 1 < BATCH:
            break
    if newest is not None:
        seal_witnessed(newest)
