"""Changes of large subtrees as jobs: the workspace is reserved for one until that has ended.

The services themselves decide, under their locks and after all their checks: above a number of nodes they
reserve the workspaces and ask for a job of theirs, which calls the same service again and finds itself at
work. Whatever adds, moves, cuts or trashes there meanwhile is refused before it waits for a lock.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor, CredentialKind
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.exceptions import WorkspaceBusy
from documents.models import Document, Workspace
from documents.services.placing import subtree

# Raises where the job that works is to stop; asked between the steps of long work and at its end.
Check = Callable[[], None]
_OPEN = (JobState.QUEUED, JobState.RUNNING)


@dataclasses.dataclass(frozen=True, slots=True)
class TreeChange:
    """A document after its subtree was changed; of that, how many documents are hidden from the actor."""

    document: Document
    hidden: int = 0


def unchecked() -> None:
    """The check of work that nobody can ask to stop: that of a request."""


def is_job(actor: Actor) -> bool:
    """Whether a job acts: it does what it is at, however large."""
    return actor.credential_kind is CredentialKind.JOB


def job_needed(actor: Actor, root: Document) -> bool:
    """Whether changing this subtree is a job's work: it is large, and no job is what does it now."""
    most = limits.SUBTREE_IN_REQUEST
    return not is_job(actor) and subtree(root).values("pk")[: most + 1].count() > most


def is_large(actor: Actor, documents: int) -> bool:
    """`job_needed` where the number of documents is at hand."""
    return documents > limits.SUBTREE_IN_REQUEST and not is_job(actor)


def tree_job_begin(actor: Actor, kind: str, payload: Mapping[str, Any], workspaces: Iterable[int]) -> Job:
    """Ask for a job that changes a tree, and reserve the workspaces for it.

    For services that hold these workspaces' rows for a rewrite and have checked everything.
    """
    rooms = sorted(set(workspaces))
    job = job_enqueue(actor=actor, kind=kind, payload={**payload, "workspaces": rooms}, queue="slow")
    reserve(job.uid, rooms)
    return job


def reserve(job: uuid.UUID, workspaces: Iterable[int]) -> None:
    """Have workspaces, whose rows the caller holds, for a job alone until `reservation_end`."""
    Workspace.objects.filter(pk__in=list(workspaces)).update(busy_job=job)


def reservation_held(job: uuid.UUID | None, workspaces: Iterable[int]) -> bool:
    """Lock what a job reserved; False where it doesn't stand, so that an earlier try has done the work."""
    rooms = Workspace.objects.select_for_update(no_key=True).filter(pk__in=list(workspaces)).order_by("pk")
    return job is not None and any(room.busy_job == job for room in rooms)


def reservation_end(job: uuid.UUID | None) -> int:
    """Free what a job reserved, in the transaction of its work or of its end; how many workspaces."""
    return Workspace.objects.filter(busy_job=job).update(busy_job=None) if job is not None else 0


def reservation_renew(job: Job) -> None:
    """Reserve again for a job that is tried again; raises WorkspaceBusy where another has the workspace."""
    wanted = job.payload.get("workspaces", [])
    rooms = list(
        Workspace.objects.select_for_update(no_key=True)
        .filter(pk__in=wanted)
        .order_by("pk")
        .values("busy_job")
    )
    if any(room["busy_job"] not in {None, job.uid} for room in rooms):
        raise WorkspaceBusy
    reserve(job.uid, wanted)


@transactional
def reservations_sweep() -> int:
    """Free what is reserved for jobs that wait and run no longer, however they ended; how many."""
    busy = Workspace.objects.filter(busy_job__isnull=False)
    at_work = Job.objects.filter(state__in=_OPEN).values("uid")
    return busy.exclude(busy_job__in=at_work).update(busy_job=None)
