"""What is left of a deleted person in the audit trail, and its end."""

from __future__ import annotations

import uuid

from accounts.exceptions import NotDeleted
from accounts.models import User
from accounts.ports import handover
from accounts.powers import powers_required
from accounts.queues import PERSON_ERASE
from audit.services import Target, event_record, person_details_erase
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional

ERASE_PERMISSION = "audit.erase_person"


@transactional
def erasure_request(*, actor: Actor, user: uuid.UUID, reason: str = "") -> Job:
    """Ask for the erasure of a deleted person (ERASE_PERMISSION); a job goes through the trail.

    Raises NotFound, NotDeleted, and the floor above's refusal where a legal hold stands on their work.
    """
    row = _deleted(actor, user)
    payload = {"user": str(row.uid), "reason": reason}
    job = job_enqueue(actor=actor, kind=PERSON_ERASE, payload=payload, queue="slow")
    event_record(
        actor=actor, action="erasure.requested", target=Target("user", row.uid, row.name), reason=reason
    )
    return job


@transactional
def person_erase(*, actor: Actor, user: uuid.UUID, reason: str = "") -> int:
    """Remove names, addresses and values from all events that concern a deleted person; of how many.

    Raises as `erasure_request` does: meanwhile a hold may have been placed.
    """
    row = _deleted(actor, user)
    return person_details_erase(actor=actor, person=row.uid, reason=reason)


def _deleted(actor: Actor, uid: uuid.UUID) -> User:
    powers_required(actor, ERASE_PERMISSION)
    row = User.objects.filter(uid=uid, kind=User.Kind.PERSON).first()
    if row is None:
        raise NotFound
    if row.deleted_at is None:
        raise NotDeleted
    handover.ask.hold_check(row)
    return row
