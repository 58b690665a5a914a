"""News about jobs; received by the audit trail in the same transaction."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `job: Job`, `change: str` (cancelled, retried, failed) and `actor: Actor` who changed it; for a
# failure the one for whom the job ran.
job_changed = Signal()
