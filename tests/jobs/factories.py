"""Jobs and actors for tests."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from cloudscribe.jobs.claims import job_claim
from cloudscribe.jobs.files import job_file_store
from cloudscribe.jobs.models import Job, JobFile
from cloudscribe.jobs.run import JobRun
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor, ActorKind, CredentialKind, command_actor
from tests.jobs.kinds import KIND


def operator() -> Actor:
    """The operator at the shell, whose jobs need no person."""
    return command_actor("test", timezone.now())


def person(uid: uuid.UUID | None = None, **fields: Any) -> Actor:
    """Somebody signed in by a session."""
    values: dict[str, Any] = {
        "kind": ActorKind.USER,
        "uid": uid or uuid.uuid4(),
        "pk": None,
        "name": "Ann",
        "credential_kind": CredentialKind.SESSION,
        "credential_uid": uuid.uuid4(),
        "now": timezone.now(),
    }
    return Actor(**{**values, **fields})


def job_make(actor: Actor | None = None, **options: Any) -> Job:
    """A queued job in a transaction of its own."""
    options.setdefault("kind", KIND)
    options.setdefault("payload", {})
    with transaction.atomic():
        return job_enqueue(actor=actor or operator(), **options)


def claimed(worker: str = "worker-1", **options: Any) -> Job:
    """A job that `worker` has just claimed."""
    job = job_claim(worker=worker, uid=job_make(**options).uid)
    assert job is not None
    return job


def file_make(name: str = "trail.csv", *, personal: bool = False) -> JobFile:
    """What a running job left: 2.5 KB."""
    job = claimed()
    content = io.BytesIO(b"kanarienvogel" * 200)
    return job_file_store(
        run=JobRun(job, operator()), name=name, media_type="text/csv", content=content, personal=personal
    )


def back_date(job: Job, seconds: float, *columns: str) -> None:
    """Move the named times of a job into the past, in place of waiting."""
    moved = ", ".join(f"{column} = {column} - %s * interval '1 second'" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE jobs_job SET {moved} WHERE id = %s", [*([seconds] * len(columns)), job.pk])


def soon() -> dt.datetime:
    """A time that is not yet."""
    return timezone.now() + dt.timedelta(hours=1)
