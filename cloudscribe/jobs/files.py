"""Files that jobs make: in the storage for whoever asked, until they expire.

Each try of a job writes to a path of its own, its number, in the job's folder, whose name is random; the row
says which one counts. The row is there before the file, so that whatever a crash leaves behind is found and
removed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import posixpath
import secrets
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from cloudscribe.jobs.exceptions import JobCancelled, JobTakenOver
from cloudscribe.jobs.models import Job, JobFile, JobState
from cloudscribe.jobs.run import JobRun
from cloudscribe.lib.transactions import transactional

_FOLDER = "jobs"
_CHUNK = 1024 * 1024


def job_file_store(
    *, run: JobRun, name: str, media_type: str, content: BinaryIO, personal: bool = False
) -> JobFile:
    """Keep what a running job made, in place of what an earlier try left; streamed, never held as a whole.

    Raises JobTakenOver where the lease was lost, JobCancelled where somebody asked to stop.
    """
    size, digest = content.seek(0, 2), hashlib.sha256()
    content.seek(0)
    while piece := content.read(_CHUNK):
        digest.update(piece)
    about = {"name": name, "media_type": media_type, "personal": personal}
    row = _row_write(run, {**about, "size": size, "sha256": digest.digest()})
    content.seek(0)
    default_storage.save(row.path, File(content))
    # Of earlier tries alone: one that was taken over and still writes must not remove its successor's.
    _folder_empty(row.path, before=run.fence)
    return row


@transactional
def _row_write(run: JobRun, about: Mapping[str, Any]) -> JobFile:
    # The lock decides between this try and one that takes the job over, or somebody who stops it.
    held = Job.objects.select_for_update(no_key=True)
    row = held.filter(pk=run.job.pk, attempts=run.fence, state=JobState.RUNNING).first()
    if row is None:
        raise JobTakenOver
    if row.cancel_requested_at is not None:
        raise JobCancelled
    before = JobFile.objects.filter(job_id=run.job.pk).first()
    folder = posixpath.dirname(before.path) if before else f"{_FOLDER}/{secrets.token_hex(16)}"
    values = {
        **about,
        "path": f"{folder}/{run.fence}",
        "expires_at": Now() + dt.timedelta(seconds=settings.JOB_FILE_LIFETIME),
    }
    return JobFile.objects.update_or_create(job_id=run.job.pk, defaults=values)[0]


@transactional
def jobs_forsake(*, actor_uid: uuid.UUID) -> int:
    """Stop the running jobs of somebody who is deleted; nobody gets the files of the others any more.

    What waits fails by itself, and the next purge removes the files. Gives their number.
    """
    Job.objects.filter(actor_uid=actor_uid, state=JobState.RUNNING).update(cancel_requested_at=Now())
    return JobFile.objects.filter(job__actor_uid=actor_uid, expires_at__gt=Now()).update(expires_at=Now())


def job_files_remove(*, files: Iterable[JobFile]) -> int:
    """Remove files with their rows, the row last: what fails in between is found again. How many."""
    removed = 0
    for row in files:
        _folder_empty(row.path)
        removed += JobFile.objects.filter(pk=row.pk).delete()[0]
    return removed


def _folder_empty(path: str, *, before: int | None = None) -> None:
    folder = posixpath.dirname(path)
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        if before is None or int(name) < before:
            default_storage.delete(posixpath.join(folder, name))
    if before is None:
        # Object storages have no folders and do nothing here.
        default_storage.delete(folder)
