"""Asking for mails. They are rendered when they are sent, from rows fetched then."""

from __future__ import annotations

import datetime as dt
import uuid

from accounts.actors import stranger
from accounts.queues import MAIL_SEND
from cloudscribe.jobs.services import job_enqueue


def mail_request(now: dt.datetime, message: str, subject: uuid.UUID) -> None:
    """Enqueue the mail `message` (of accounts.mails.MESSAGES) about the row `subject`, in the transaction.

    The job is nobody's: a mail that warns of a thief must be sent although the session is ended, and the
    thief must not find it among their jobs to cancel it.
    """
    payload = {"message": message, "subject": str(subject)}
    job_enqueue(actor=stranger("mail", now), kind=MAIL_SEND, payload=payload)
