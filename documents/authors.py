"""Who wrote something, as it is kept and as it is shown.

People are kept by key and shown under the name they have today; whoever is no person (a link, a command, a
job, a service) is kept as `{kind, id, name}` as of then.
"""

from __future__ import annotations

from typing import Any

from cloudscribe.lib.actor import Actor, ActorKind


def author_columns(actor: Actor) -> tuple[int | None, dict[str, Any] | None]:
    """The key of the person and, for an actor that isn't one by itself, what to show instead."""
    if actor.kind is ActorKind.USER:
        return actor.pk, None
    shown = actor.on_behalf_of or actor.uid
    return actor.pk, {"kind": actor.kind.value, "id": str(shown) if shown else None, "name": actor.name}


def author_reference(user: Any | None, actor: dict[str, Any] | None) -> dict[str, Any] | None:
    """`{kind, id, name}` of the columns; None where the person is no more."""
    if actor is not None:
        return actor
    if user is None:
        return None
    return {"kind": ActorKind.USER.value, "id": user.uid, "name": user.name}
