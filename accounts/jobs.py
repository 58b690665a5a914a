"""The jobs of accounts."""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from typing import Any

from accounts.exporting import EXPORT_NAME, export_write
from accounts.mails import mail_of
from accounts.queues import ACCOUNT_EXPORT, MAIL_SEND, PURGE_EXPIRED
from accounts.services.expiry import expired_purge
from cloudscribe.jobs.files import job_file_store
from cloudscribe.jobs.registry import job_handler, schedule
from cloudscribe.jobs.run import JobRun

schedule("accounts.purge_expired", dt.timedelta(hours=1), PURGE_EXPIRED)


@job_handler(MAIL_SEND, max_attempts=8)
def send_mail(run: JobRun) -> dict[str, Any]:
    """Render and send one mail; a second run sends the same Message-ID again."""
    mail = mail_of(run.payload["message"], uuid.UUID(run.payload["subject"]), str(run.job.uid))
    if mail is None:
        return {"sent": False}
    mail.send()
    return {"sent": True}


@job_handler(ACCOUNT_EXPORT, timeout=3600)
def export_account(run: JobRun) -> dict[str, Any]:
    """Put together all that is a person's; a second run's file takes the place of the first's."""
    with tempfile.TemporaryFile() as archive:
        export_write(actor=run.actor, archive=archive, progress=run.progress)
        job_file_store(run=run, name=EXPORT_NAME, media_type="application/zip", content=archive)
    return {"url": f"/api/v1/jobs/{run.job.uid}/file/"}


@job_handler(PURGE_EXPIRED)
def purge_expired(run: JobRun) -> dict[str, Any]:
    """Delete what has ended."""
    return expired_purge()
