"""An event as answers and exports show it."""

from __future__ import annotations

import base64
from typing import Any

from audit.models import Event


def hash_shown(found: bytes | memoryview) -> str:
    """A hash in Base64, as checkpoints have it."""
    return base64.b64encode(found).decode()


def event_shown(event: Event) -> dict[str, Any]:
    """The event and its detail as one object; `erased` where the personal part was removed."""
    detail = getattr(event, "detail", None)
    personal = detail.content if detail else {}
    return {
        "sequence": event.sequence,
        "at": event.at,
        "action": event.action,
        "actor": _actor(event, personal),
        "credential": _credential(event),
        "address": personal.get("address"),
        "request_id": event.request_id,
        "target": {"type": event.target_type, "id": event.target_uid, "name": personal.get("target")},
        "workspace": event.workspace_uid,
        "changes": personal.get("changes", {}),
        "reason": personal.get("reason", ""),
        "facts": event.facts,
        "count": event.count,
        "erased": detail is None,
    }


def event_bared(shown: dict[str, Any]) -> dict[str, Any]:
    """What `event_shown` gave, as it would be had the personal part been removed before."""
    target = {**shown["target"], "name": None}
    actor = shown["actor"] and {**shown["actor"], "name": None}
    bare: dict[str, Any] = {"address": None, "changes": {}, "reason": "", "erased": True}
    return {**shown, **bare, "target": target, "actor": actor}


def _actor(event: Event, personal: dict[str, Any]) -> dict[str, Any] | None:
    if not event.actor_kind:
        return None
    return {
        "kind": event.actor_kind,
        "id": event.actor_uid,
        "name": personal.get("actor"),
        "on_behalf_of": event.on_behalf_of,
    }


def _credential(event: Event) -> dict[str, Any] | None:
    if not event.credential_kind:
        return None
    return {"kind": event.credential_kind, "id": event.credential_uid}
