"""Who sees which jobs."""

from __future__ import annotations

from django.db.models import QuerySet

from cloudscribe.jobs.models import Job
from cloudscribe.lib.actor import Actor


def visible_to(actor: Actor, *, everybodys: bool) -> QuerySet[Job]:
    """The jobs that the actor asked for or, with a platform permission (`everybodys`), all of them.

    A token that is cut to a workspace or subtree sees its own jobs alone: others tell of places beyond.
    """
    if actor.limit is not None:
        return Job.objects.filter(actor_uid=actor.uid, actor__credential_uid=str(actor.credential_uid))
    if everybodys:
        return Job.objects.all()
    return Job.objects.filter(actor_uid=actor.uid) if actor.uid else Job.objects.none()
