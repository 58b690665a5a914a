"""The jobs of accounts."""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from typing import Any

from accounts.exporting import EXPORT_NAME, export_write
from accounts.mails import mail_of, mail_rendered
from accounts.notice_mails import digest_message, notice_message
from accounts.queues import (
    ACCOUNT_EXPORT,
    DIGEST_MAIL,
    DIGESTS_COLLECT,
    MAIL_SEND,
    NOTICES_MAIL,
    PERSON_ERASE,
    PURGE_EXPIRED,
)
from accounts.selectors import database_now
from accounts.services.digests import digest_collect, digests_due
from accounts.services.erasure import person_erase
from accounts.services.expiry import expired_purge
from accounts.services.notifications import notification_mailed
from audit.services.archive_erasure import archives_erase
from cloudscribe.jobs.files import job_file_store
from cloudscribe.jobs.registry import job_handler, schedule
from cloudscribe.jobs.run import JobRun

schedule("accounts.purge_expired", dt.timedelta(hours=1), PURGE_EXPIRED)
schedule("notifications.collect_digests", dt.timedelta(hours=1), DIGESTS_COLLECT)


@job_handler(MAIL_SEND, max_attempts=8)
def send_mail(run: JobRun) -> dict[str, Any]:
    """Render and send one mail; a second run sends the same Message-ID again."""
    mail = mail_of(run.payload["message"], uuid.UUID(run.payload["subject"]), str(run.job.uid))
    if mail is None:
        return {"sent": False}
    mail.send()
    return {"sent": True}


@job_handler(NOTICES_MAIL, max_attempts=8, timeout=1800)
def mail_notices(run: JobRun) -> dict[str, Any]:
    """Mail each notification that is still news; a second run goes on with those that were not sent.

    One that can't be sent holds up no other; it has the job tried again.
    """
    sent, failure = 0, None
    uids = run.payload["notifications"]
    for done, uid in enumerate(uids):
        run.progress(done, len(uids))
        message = notice_message(uuid.UUID(uid))
        if message is None:
            continue
        try:
            mail_rendered(message, uid).send()
        except (OSError, ValueError) as error:  # smtplib's are such, and an address may be a bad header
            failure = error
            continue
        notification_mailed(uid=uuid.UUID(uid))
        sent += 1
    if failure is not None:
        raise failure
    return {"sent": sent}


@job_handler(DIGEST_MAIL, max_attempts=8)
def mail_digest(run: JobRun) -> dict[str, Any]:
    """Render and send one digest; a second run sends the same Message-ID again."""
    at = dt.datetime.fromisoformat(run.payload["collected_at"])
    message = digest_message(uuid.UUID(run.payload["user"]), at)
    if message is None:
        return {"sent": False}
    mail_rendered(message, str(run.job.uid)).send()
    return {"sent": True}


@job_handler(DIGESTS_COLLECT)
def collect_digests(run: JobRun) -> dict[str, Any]:
    """Ask for the digest of everybody for whom it is morning."""
    due = digests_due(database_now())
    found = 0
    for done, user_pk in enumerate(due):
        run.progress(done, len(due))
        found += digest_collect(user_pk=user_pk) > 0
    return {"digests": found}


@job_handler(ACCOUNT_EXPORT, timeout=3600)
def export_account(run: JobRun) -> dict[str, Any]:
    """Put together all that is a person's; a second run's file takes the place of the first's."""
    with tempfile.TemporaryFile() as archive:
        export_write(actor=run.actor, archive=archive, progress=run.progress)
        job_file_store(
            run=run, name=EXPORT_NAME, media_type="application/zip", content=archive, personal=True
        )
    return {"url": f"/api/v1/jobs/{run.job.uid}/file/"}


# Whoever archives, or erases another from archives, may do so for hours; meanwhile it is tried in vain.
@job_handler(PERSON_ERASE, max_attempts=20, timeout=3600)
def erase_person(run: JobRun) -> dict[str, Any]:
    """Remove what the trail holds of a deleted person; a second run finds nothing."""
    user, reason = uuid.UUID(run.payload["user"]), run.payload["reason"]
    erased = person_erase(actor=run.actor, user=user, reason=reason)
    archived = archives_erase(actor=run.actor, person=user, reason=reason, progress=run.progress)
    return {"events": erased + archived}


@job_handler(PURGE_EXPIRED)
def purge_expired(run: JobRun) -> dict[str, Any]:
    """Delete what has ended."""
    return expired_purge()
