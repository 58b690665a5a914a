"""News that documents listens to."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from accounts.signals import user_joined
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.signals import job_changed
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.sealed import sealed_field
from documents.models import Webhook
from documents.services.invitations import invitations_convert
from documents.services.tree_jobs import reservation_end, reservation_renew
from documents.webhook_signing import SEALED_FOR


def connect() -> None:
    """Listen; called in `ready()`."""
    user_joined.connect(_joined, dispatch_uid="documents.user_joined")
    job_changed.connect(_job_changed, dispatch_uid="documents.job_changed")
    for field in ("secret", "previous_secret"):
        sealed_field(model=Webhook, field=field, purpose=SEALED_FOR, context=lambda row: row.uid.bytes)


def _joined(sender: type, user: User, actor: Actor, **kwargs: Any) -> None:
    invitations_convert(actor=actor, user=user)


def _job_changed(sender: type, job: Job, change: str, **kwargs: Any) -> None:
    """A workspace is reserved as long as its job may still do something, in the transaction that decides."""
    if "workspaces" not in job.payload:
        return
    if change == "retried":
        reservation_renew(job)
    elif change == "failed" or job.state == JobState.CANCELLED:
        reservation_end(job.uid)
