"""News about jobs; received by the audit trail in the same transaction."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `job: Job`, `change: str` (cancelled, retried, failed, file_read) and `actor: Actor` who did it;
# for a failure the one for whom the job ran.
job_changed = Signal()

# Sent with `queue: str`, `change: str` (emptied, failed_deleted, failed_requeued, bells_deleted,
# bells_requeued, bells_stopped), `bells: list[str]`, RQ's ids of those that were chosen, and `actor: Actor`
# who is about to do it.
queue_changed = Signal()
