"""What accounts asks about people who were invited."""

from __future__ import annotations

from accounts.ports import invitations
from documents.services.inviting import invitations_open, inviter_may

_LOOKED_AT = 100


class DocumentInvitations:
    """Answers by the invitations and the grants of now."""

    def is_open(self, email_key: str) -> bool:
        """Whether an invitation of somebody who may still give it waits for the owner of the address."""
        rows = invitations_open().filter(email_key=email_key).select_related("workspace", "invited_by")
        return any(inviter_may(row) for row in rows.order_by("-pk")[:_LOOKED_AT])


def connect() -> None:
    """Fill the port; called in `ready()`."""
    invitations.provide(DocumentInvitations())
