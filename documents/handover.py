"""What accounts asks about somebody who goes: what they answer for, and who does then."""

from __future__ import annotations

from accounts.models import User
from accounts.ports import handover
from cloudscribe.lib.actor import Actor
from documents.exceptions import LegalHold
from documents.selectors.holds import person_is_held
from documents.services.handover import owners_check, user_handover


class DocumentHandover:
    """Answers by the grants of now, under the locks that they need."""

    def owners_check(self, actor: Actor, user: User) -> None:
        """Raise LastOwner, naming the workspaces that would be left without an active owner."""
        owners_check(user=user)

    def hold_check(self, user: User) -> None:
        """Raise LegalHold where one stands on what the person owned, made, wrote or commented on."""
        if person_is_held(user):
            raise LegalHold

    def transfer(self, actor: Actor, user: User, receiver: User | None) -> None:
        """Hand over what the user owns, take away all that they were granted; leaves the user locked."""
        user_handover(actor=actor, user=user, receiver=receiver)


def connect() -> None:
    """Fill the port; called in `ready()`."""
    handover.provide(DocumentHandover())
