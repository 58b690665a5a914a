"""What the scheduler does for the trail."""

from __future__ import annotations

from audit.services import partitions_ensure
from cloudscribe.jobs.registry import scheduler_loop

scheduler_loop("audit.partitions", every=60.0)(partitions_ensure)
