"""How a job can end other than by its result."""

from __future__ import annotations

from cloudscribe.lib.errors import BusinessError, ErrorType, Forbidden


class CredentialRevoked(Forbidden):
    """The session, token or link that asked for the job was revoked before the claim."""

    code = "credential_revoked"
    title = "The credential was revoked"


class JobCancelled(Exception):
    """Somebody asked the running job to stop; raised by `JobRun.progress`."""


class JobTakenOver(Exception):
    """The lease ran out and another worker holds the job: whatever this one would write no longer counts."""


class JobFinished(BusinessError):
    """The job's state doesn't allow this."""

    code = "job_state"
    title = "The job's state doesn't allow this"
    error_type = ErrorType.BUSINESS
