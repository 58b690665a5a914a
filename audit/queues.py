"""The kinds of the trail's background work."""

EVENTS_EXPORT = "audit.export"
