"""What the audit trail tells those who are no auditors: readers of their document, managers of their room.

No addresses, credentials or request ids, and nothing of what the reader can't see: of an event about a hidden
document stays that something happened.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from audit.models import Event
from audit.showing import event_shown
from cloudscribe.lib.actor import Actor
from documents.models import Document
from documents.visibility import visible_to

# What a revision holds and how a document stands, by names that say nothing of another object.
_FIELDS = frozenset(
    {"content", "icon", "inherits_access", "language", "state", "tags", "template", "title", "trashed"}
)
# Events of a workspace that are about no document.
_OF_THE_ROOM = frozenset({"invitation", "member", "snapshot", "webhook", "workspace"})


def history_shown(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Events about one document, as its readers see them: who, when, what, and the fields of a revision."""
    return [_told(event, only=_FIELDS) for event in events]


def room_events_shown(actor: Actor, events: Sequence[Event]) -> list[dict[str, Any]]:
    """Events of a workspace, as a manager of it sees them; without names and values where they are hidden."""
    about = {event.sequence: _document_of(event) for event in events}
    wanted = {uid for uid in about.values() if uid is not None}
    seen = set(visible_to(Document.objects.filter(uid__in=wanted), actor).values_list("uid", flat=True))
    shown = []
    for event in events:
        document = about[event.sequence]
        open_to_them = event.target_type in _OF_THE_ROOM if document is None else document in seen
        shown.append(_told(event) if open_to_them else _withheld(event))
    return shown


def _document_of(event: Event) -> uuid.UUID | None:
    """The document that an event is about, None for one about the workspace or that doesn't say."""
    if event.target_type == "document":
        return event.target_uid
    named = event.facts.get("document") or (
        event.facts.get("root") if event.target_type in {"grant", "access_request"} else None
    )
    return uuid.UUID(named) if named else None


def _told(event: Event, only: frozenset[str] | None = None) -> dict[str, Any]:
    whole = event_shown(event)
    changes = whole["changes"]
    return {
        **{name: whole[name] for name in ("sequence", "at", "action", "target", "reason", "count")},
        "actor": whole["actor"] and {name: whole["actor"][name] for name in ("kind", "id", "name")},
        "changes": changes if only is None else {name: changes[name] for name in changes if name in only},
    }


def _withheld(event: Event) -> dict[str, Any]:
    told = _told(event, only=frozenset())
    return {**told, "target": {"type": event.target_type, "id": None, "name": None}, "reason": ""}
