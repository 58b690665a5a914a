"""What acts of consequence ask of staff: that they proved lately who they are, as the API's routes ask it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.exceptions import ReauthenticationRequired
from accounts.permissions import step_up_check
from cloudscribe.lib.actor import Actor


def proof_check(actor: Actor) -> None:
    """What the API asks before such an act; here there is no page for it but the sign-in."""
    try:
        step_up_check(actor)
    except ReauthenticationRequired:
        raise ReauthenticationRequired("Sign out and in again, then repeat this.") from None


def proven(act: Callable[[Actor, Any], object]) -> Callable[[Actor, Any], object]:
    """The act, for `each`, of somebody who lately proved who they are."""

    def run(actor: Actor, row: Any) -> object:
        proof_check(actor)
        return act(actor, row)

    return run
