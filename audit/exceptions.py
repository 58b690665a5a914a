"""The refusals of the trail."""

from __future__ import annotations

from cloudscribe.lib.errors import BusinessError, Gone


class NotSealed(BusinessError):
    """The event is so young that no checkpoint holds it yet; it will in seconds."""

    code = "not_sealed"
    title = "Not sealed yet"


class EventArchived(Gone):
    """The event left the database for a file; `archive` names that, and its proof can still be had here."""

    code = "event_archived"
    title = "The event was archived"
    detail = "Events of that age lie in archives, as the operator's retention has it."
