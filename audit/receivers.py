"""News from the floors below, written into the trail."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from audit import auditlog, roles
from audit.denials import denial_record
from audit.services import Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.signals import job_changed, queue_changed
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.signals import access_denied


def connect(config: AppConfig) -> None:
    """Listen; called once, when all models are there."""
    auditlog.connect()
    job_changed.connect(_job_changed, dispatch_uid="audit.job_changed")
    queue_changed.connect(_queue_changed, dispatch_uid="audit.queue_changed")
    access_denied.connect(_access_denied, dispatch_uid="audit.access_denied")
    post_migrate.connect(roles.grant_application_rights, sender=config, dispatch_uid="audit.roles")


def _job_changed(job: Job, change: str, actor: Actor, **_: Any) -> None:
    facts = {"kind": job.kind, "attempts": job.attempts}
    event_record(
        actor=actor,
        action=f"job.{change}",
        target=Target("job", job.uid, job.kind),
        reason=job.error_code if change == "failed" else "",
        facts=facts,
    )


def _queue_changed(queue: str, change: str, bells: list[str], actor: Actor, **_: Any) -> None:
    target = Target("queue", None, queue)
    event_record(actor=actor, action=f"queue.{change}", target=target, facts={"queue": queue, "bells": bells})


def _access_denied(actor: Actor, route: str, code: str, **_: Any) -> None:
    target = Target("route", None, route)
    denial_record(actor=actor, action="access.denied", target=target, route=route, code=code)
