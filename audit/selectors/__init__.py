"""Reads of the trail: events, and the tree over them."""

from audit.selectors.events import (
    BEGINNING,
    IN_ORDER_SQL,
    Position,
    events_about,
    events_found,
    events_settled,
    position_settled,
)

__all__ = [
    "BEGINNING",
    "IN_ORDER_SQL",
    "Position",
    "events_about",
    "events_found",
    "events_settled",
    "position_settled",
]
