"""Asking for all that is one's own."""

from __future__ import annotations

from accounts.actors import person_held
from accounts.queues import ACCOUNT_EXPORT
from audit.services import Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.selectors import job_open
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional


@transactional
def export_request(*, actor: Actor) -> Job:
    """Ask for the archive of what is the actor's; while one is being made that job is the answer again."""
    # Two who ask at once ask one after the other.
    user = person_held(actor)
    found = job_open(ACCOUNT_EXPORT, user.uid)
    if found is not None:
        return found
    job = job_enqueue(actor=actor, kind=ACCOUNT_EXPORT, payload={}, queue="slow")
    event_record(actor=actor, action="export.requested", target=Target("user", user.uid, user.name))
    return job
