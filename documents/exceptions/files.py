"""The refusals of documents' files."""

from __future__ import annotations

from cloudscribe.lib.errors import BusinessError, ServiceUnavailable, UnprocessableInput


class AttachmentInfected(BusinessError):
    """The scanner found something in it: it is kept apart and given to nobody."""

    code = "attachment_infected"
    title = "The file is infected"
    detail = "The virus scanner found something in this file, so it is given to nobody."


class AttachmentQuotaExceeded(BusinessError):
    """A workspace holds so many bytes of files and no more; the answer names limit and use."""

    code = "attachment_quota_exceeded"
    title = "The workspace has no room for this file"

    def __init__(self, used: int, limit: int) -> None:
        super().__init__(
            f"The files of this workspace may have {limit:,} bytes, and {used:,} are used. "
            "Those of documents in the trash count until they are purged.",
            extra={"used": used, "limit": limit},
        )


class AttachmentScanning(BusinessError):
    """The scanner hasn't looked at it yet; `Retry-After` says when to ask again."""

    code = "attachment_scanning"
    title = "The file is being scanned"
    detail = "The virus scanner hasn't looked at this file yet. Try again shortly."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})


class ImportDelayed(ServiceUnavailable):
    """Another import or change of the tree is at work in the workspace; the job is tried again."""

    code = "import_delayed"
    title = "The workspace is at work"
    detail = "Another import, or a change of a large tree, has to end in this workspace first."


class ImportRefused(UnprocessableInput):
    """What was uploaded can't be imported, and nothing of it was."""

    code = "import_refused"
    title = "The file can't be imported"
