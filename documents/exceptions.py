"""The refusals of the product, each with its code."""

from __future__ import annotations

import datetime as dt
import uuid

from cloudscribe.lib.errors import (
    BusinessError,
    ErrorType,
    FieldError,
    Forbidden,
    Gone,
    InvalidInput,
    Locked,
    NotAuthenticated,
    PreconditionFailed,
    TooManyRequests,
    UnprocessableInput,
)


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


class AccessHeld(BusinessError):
    """An exception is for what is closed to the one who makes it."""

    code = "access_held"
    title = "You have this right already"
    detail = "You have this right on the document already, without an exception."


class AccessRequestClosed(BusinessError):
    """It was answered, became pointless by a grant, or has run out."""

    code = "access_request_closed"
    title = "The request is no longer open"


class AccessRequestsSpent(TooManyRequests):
    """Nobody has any number of open wishes; each ends after its time."""

    code = "access_requests_spent"
    title = "You have too many open requests"
    detail = "You have a hundred open requests. Wait until some are answered or have ended."


class BaseGone(PreconditionFailed):
    """The body of the revision that the client edited from is kept no longer, so nothing can be merged."""

    code = "base_gone"
    title = "The version that you edited from is gone"
    detail = "Its body is kept no longer. Read the document again and make the change on that."


class DocumentArchived(BusinessError):
    """An archived document is readable and takes no writes."""

    code = "document_archived"
    title = "The document is archived"
    detail = "Bring it back with unarchive first."


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


class DocumentNotInTrash(BusinessError):
    """Only what lies in the trash can be restored or purged."""

    code = "not_in_trash"
    title = "The document is not in the trash"


class DocumentTooDeep(BusinessError):
    """Trees are 20 levels deep at most."""

    code = "too_deep"
    title = "The tree would become too deep"
    detail = "A tree is 20 levels deep at most."


class DocumentTrashed(Gone):
    """It lies in the trash; said only to those who may edit it."""

    code = "trashed"
    title = "The document is in the trash"
    detail = "Restore it, or find it in the workspace's trash."


class DraftState(BusinessError):
    """A draft is published before anything else happens to its state."""

    code = "document_draft"
    title = "The document is a draft"


class EditConflict(BusinessError):
    """Both sides changed the same place; the answer holds all that is needed to resolve it."""

    code = "edit_conflict"
    title = "Somebody else changed the same place"
    detail = "Choose for each conflict, then send the result with the current ETag as If-Match."


class EditLinksNotAllowed(BusinessError):
    """The workspace lets nobody write by a share link."""

    code = "edit_links_not_allowed"
    title = "The workspace has no links for editing"
    detail = "Its owners have switched links for editing off. Make a link for reading or commenting."


class GrantExists(BusinessError):
    """A second grant of the same origin for the same person or team."""

    code = "grant_exists"
    title = "There is such a grant already"
    detail = "Change the grant that stands, or remove it."


class HiddenParts(BusinessError):
    """It would destroy what the actor may not even see; the answer tells how many documents that are."""

    code = "hidden_parts"
    title = "Parts of it are hidden from you"


class HoldReleased(BusinessError):
    """It was released before; nobody can do so twice."""

    code = "hold_released"
    title = "The hold was released already"


class InvitationClosed(BusinessError):
    """It was accepted or revoked, or has run out."""

    code = "invitation_closed"
    title = "The invitation is no longer open"
    detail = "It was accepted or revoked, or has run out. Invite the address anew."


class InvitationForAnother(Forbidden):
    """The token is good, and another address was invited: a forwarded mail lets nobody in."""

    code = "invitation_for_another"
    title = "Another address was invited"
    detail = "The invitation is for another address than that of this account."


class InvitationJustSent(TooManyRequests):
    """One mail a minute; `Retry-After` says how long to wait."""

    code = "invitation_just_sent"
    title = "The invitation was mailed just now"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"It was mailed just now. Try again in {retry_after} seconds.",
            headers={"Retry-After": str(retry_after)},
        )


class InvitationMailsSpent(BusinessError):
    """An address gets so many mails of one invitation and no more."""

    code = "invitation_mails_spent"
    title = "The invitation was mailed often enough"
    detail = "An invitation is mailed five times at most."


class InvitationNeedsAccount(BusinessError):
    """There is nobody yet who could become a member."""

    code = "invitation_needs_account"
    title = "There is no account with this address yet"
    detail = "Register with the address that was invited. Once it is confirmed you are a member."


class LastOwner(BusinessError):
    """A workspace keeps at least one owner: an active person whose grant doesn't expire."""

    code = "last_owner"
    title = "The workspace would have no owner"
    detail = "Make another person owner first."


class LegalHold(Locked):
    """What a legal hold stands on, above or below, is neither removed nor forgotten."""

    code = "legal_hold"
    title = "A legal hold stands on it"
    detail = "A legal hold keeps this from being removed until it is released."


class LinkCommentsSpent(TooManyRequests):
    """By one link so many comments are written in an hour and no more, whoever holds it."""

    code = "link_comments_spent"
    title = "This link has been used for too many comments"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "By this link no more comments can be written within the hour.",
            headers={"Retry-After": str(retry_after)},
        )


class LinkPasswordLimited(TooManyRequests):
    """Too many wrong passwords for a share link; `Retry-After` says how long to wait."""

    code = "link_password_limited"
    error_type = ErrorType.AUTH
    title = "Too many wrong passwords"

    def __init__(self, retry_after: str) -> None:
        super().__init__(
            f"Too many wrong passwords. Try again in {retry_after} seconds.",
            headers={"Retry-After": retry_after},
        )


class LinkPasswordRequired(NotAuthenticated):
    """The share link has a password, and none or a wrong one was sent."""

    code = "link_password_required"
    title = "The link has a password"
    detail = "Send the password of the link in the header X-Link-Password."


class LinkRevoked(BusinessError):
    """A revoked share link opens nothing and never will again."""

    code = "link_revoked"
    title = "The link is revoked"
    detail = "Make a new link."


class LinksNotAllowed(BusinessError):
    """The workspace has no share links."""

    code = "links_not_allowed"
    title = "The workspace has no share links"
    detail = "Its owners have switched share links off."


class MissingVariables(UnprocessableInput):
    """A template is filled as a whole; `missing` names what it declares and the body doesn't give."""

    code = "missing_variables"
    title = "Variables of the template are missing"
    detail = "Give each variable that the template declares."


class MoveIntoItself(BusinessError):
    """A document can't stand below itself."""

    code = "move_into_itself"
    title = "A document can't stand below itself"


class OperationNotApplicable(UnprocessableInput):
    """An operation whose text or heading isn't there as often as it says, or whose outcome is too large.

    None of the request's operations is done. `found` and `expected` tell how often it is and should be there.
    """

    code = "operation_not_applicable"
    title = "The operation doesn't fit the text"

    def __init__(self, pointer: str, fault: str, detail: str, **counts: int) -> None:
        super().__init__(detail, errors=[FieldError(pointer, fault, detail)], extra=counts)


class ParentTrashed(BusinessError):
    """Its place lies in the trash itself."""

    code = "parent_trashed"
    title = "The place of the document is in the trash"
    detail = "Restore the document above it first."


class RangeNotSatisfiable(InvalidInput):
    """A range that begins behind the end of the file (RFC 9110, section 15.5.17)."""

    status = 416
    code = "range_not_satisfiable"
    title = "The file has no such range"


class ResyncNeeded(Gone):
    """The change feed can't lead on from this place; `cursor` is where to go on after reading all anew."""

    code = "resync"
    title = "The feed no longer reaches back so far"
    detail = "Read everything anew, and follow the feed from the `cursor` of this answer on."


class RevisionGone(Gone):
    """The body of this revision is kept no longer; what was known about it still stands in the list."""

    code = "revision_gone"
    title = "The body of this revision is gone"


class SiblingNotFound(InvalidInput):
    """`before` or `after` names no visible sibling at the place wanted."""

    code = "sibling_not_found"
    title = "No such sibling"


class TagExists(BusinessError):
    """A tag is renamed to a name that is free; two become one by a merge."""

    code = "tag_exists"
    title = "There is such a tag already"
    detail = "Merge the tags if they are to become one."


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


class TooManyWebhooks(BusinessError):
    """A workspace has so many webhooks and no more."""

    code = "too_many_webhooks"
    title = "The workspace has enough webhooks"
    detail = "Delete one first, or choose more events for one that is there."


class WebhookDisabled(BusinessError):
    """Nothing is sent to a webhook that is switched off."""

    code = "webhook_disabled"
    title = "The webhook is switched off"
    detail = "Nothing is sent to it until somebody switches it on by `enabled`."


class WorkspaceBusy(Locked):
    """A job rewrites a large part of this workspace's tree."""

    code = "workspace_busy"
    title = "The workspace is being rearranged"
    detail = "A large change of its tree is under way. Try again shortly."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})
