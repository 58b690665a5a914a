"""The refusals of writing: edits, operations, revisions, comments."""

from __future__ import annotations

import datetime as dt
import uuid

from cloudscribe.lib.errors import (
    BusinessError,
    FieldError,
    Gone,
    Locked,
    PreconditionFailed,
    UnprocessableInput,
)


class BaseGone(PreconditionFailed):
    """The body of the revision that the client edited from is kept no longer, so nothing can be merged."""

    code = "base_gone"
    title = "The version that you edited from is gone"
    detail = "Its body is kept no longer. Read the document again and make the change on that."


class DocumentLocked(Locked):
    """Somebody else holds the document while they write; the answer names who, why and until when."""

    title = "Somebody else holds the document"
    detail = "Its lock ends by itself. Whoever manages the document can break it."

    def __init__(
        self, *, by: tuple[uuid.UUID, str], expires_at: dt.datetime, reason: str, retry_after: int
    ) -> None:
        holder, name = by
        super().__init__(
            extra={
                "lock": {
                    "by": {"kind": "user", "id": holder, "name": name},
                    "expires_at": expires_at,
                    "reason": reason,
                }
            },
            headers={"Retry-After": str(retry_after)},
        )


class EditConflict(BusinessError):
    """Both sides changed the same place; the answer holds all that is needed to resolve it."""

    code = "edit_conflict"
    title = "Somebody else changed the same place"
    detail = "Choose for each conflict, then send the result with the current ETag as If-Match."


class MissingVariables(UnprocessableInput):
    """A template is filled as a whole; `missing` names what it declares and the body doesn't give."""

    code = "missing_variables"
    title = "Variables of the template are missing"
    detail = "Give each variable that the template declares."


class OperationNotApplicable(UnprocessableInput):
    """An operation whose text or heading isn't there as often as it says, or whose outcome is too large.

    None of the request's operations is done. `found` and `expected` tell how often it is and should be there.
    """

    code = "operation_not_applicable"
    title = "The operation doesn't fit the text"

    def __init__(self, pointer: str, fault: str, detail: str, **counts: int) -> None:
        super().__init__(detail, errors=[FieldError(pointer, fault, detail)], extra=counts)


class RevisionGone(Gone):
    """The body of this revision is kept no longer; what was known about it still stands in the list."""

    code = "revision_gone"
    title = "The body of this revision is gone"


class TooManyComments(BusinessError):
    """A thread takes so many comments and no more."""

    code = "too_many_comments"
    title = "The thread is full"
    detail = "Open another thread; this one holds as many comments as it can."


class TooManyThreads(BusinessError):
    """So many threads hang on passages of a document and no more: each edit of the body moves them all."""

    code = "too_many_threads"
    title = "Too many passages are commented on"
    detail = "No more threads can hang on passages of this document; leave out the quote."
