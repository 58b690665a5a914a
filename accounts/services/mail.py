"""Asking for mails. They are rendered when they are sent, from rows fetched then."""

from __future__ import annotations

import uuid

from accounts.queues import MAIL_SEND
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor


def mail_request(actor: Actor, message: str, subject: uuid.UUID) -> None:
    """Enqueue the mail `message` (of accounts.mails.MESSAGES) about the row `subject`, in the transaction."""
    job_enqueue(actor=actor, kind=MAIL_SEND, payload={"message": message, "subject": str(subject)})
