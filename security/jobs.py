"""The jobs of security."""

from __future__ import annotations

import datetime as dt
from typing import Any

from cloudscribe.jobs.registry import job_handler, schedule
from cloudscribe.jobs.run import JobRun
from security.queues import IDEMPOTENCY_PURGE, IP_RULES_PURGE
from security.services import idempotency_keys_purge, ip_rules_purge

schedule("security.idempotency_purge", dt.timedelta(hours=1), IDEMPOTENCY_PURGE)
schedule("security.ip_rules_purge", dt.timedelta(days=1), IP_RULES_PURGE)


@job_handler(IDEMPOTENCY_PURGE)
def purge_idempotency_keys(run: JobRun) -> dict[str, Any]:
    """Delete kept answers that are older than a day."""
    return {"deleted": idempotency_keys_purge()}


@job_handler(IP_RULES_PURGE)
def purge_ip_rules(run: JobRun) -> dict[str, Any]:
    """Delete IP rules that ran out a month ago."""
    return {"deleted": ip_rules_purge()}
