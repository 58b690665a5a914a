"""Reads of the trail: events, and the tree over them."""

from audit.selectors.events import (
    BEGINNING,
    Position,
    events_about,
    events_found,
    events_settled,
    position_settled,
)

__all__ = [
    "BEGINNING",
    "Position",
    "events_about",
    "events_found",
    "events_settled",
    "position_settled",
]
