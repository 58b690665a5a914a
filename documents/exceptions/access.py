"""The refusals of rights: grants, members, invitations, requests, holds and share links."""

from __future__ import annotations

from cloudscribe.lib.errors import (
    BusinessError,
    ErrorType,
    Forbidden,
    Locked,
    NotAuthenticated,
    TooManyRequests,
)


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
