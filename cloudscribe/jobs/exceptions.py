"""How a job can end other than by its result, and what can't be done to it."""

from __future__ import annotations

from cloudscribe.lib.errors import BusinessError, Forbidden, Gone


class CredentialRevoked(Forbidden):
    """The session, token or link that asked for the job was revoked before the claim."""

    code = "credential_revoked"
    title = "The credential was revoked"


class JobFileExpired(Gone):
    """The file that the job made is kept no longer."""

    code = "file_expired"
    title = "The file is kept no longer"
    detail = "Ask for a new one."


class JobFinished(BusinessError):
    """The job has ended, so that there is nothing to cancel."""

    code = "job_finished"
    title = "The job has ended"


class JobUnfinished(BusinessError):
    """The job waits or runs, or did what it should: there is nothing to try again."""

    code = "job_not_failed"
    title = "The job has not failed"


class JobCancelled(Exception):
    """Somebody asked the running job to stop; raised by `JobRun.progress`."""


class JobTakenOver(Exception):
    """The lease ran out and another worker holds the job: whatever this one would write no longer counts."""


class JobTimedOut(Exception):
    """One try took longer than its kind may."""
