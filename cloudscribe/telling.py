"""Settings of webhooks. cloudscribe.settings takes them over as they are."""

from __future__ import annotations

from cloudscribe.lib import env

__all__ = [
    "WEBHOOK_ALLOWED_CIDRS",
    "WEBHOOK_ALLOWED_PORTS",
    "WEBHOOK_BACKOFF",
    "WEBHOOK_INTERVAL",
    "WEBHOOK_PATIENCE",
    "WEBHOOK_RETENTION",
    "WEBHOOK_SECRET_OVERLAP",
    "WEBHOOK_TIMEOUT",
]

WEBHOOK_ALLOWED_CIDRS = env.listing(
    "CLOUDSCRIBE_WEBHOOK_ALLOWED_CIDRS",
    [],
    "Networks beyond the public Internet that webhooks may lead to, by http as well: `10.0.0.0/8`.",
)
WEBHOOK_ALLOWED_PORTS = env.listing(
    "CLOUDSCRIBE_WEBHOOK_ALLOWED_PORTS", [], "Ports beside 80 and 443 that webhooks may lead to."
)
WEBHOOK_INTERVAL = env.seconds(
    "CLOUDSCRIBE_WEBHOOK_INTERVAL", 0.5, "How often new events are looked for to be sent to webhooks."
)
WEBHOOK_TIMEOUT = env.seconds(
    "CLOUDSCRIBE_WEBHOOK_TIMEOUT",
    15,
    "A receiver of webhooks has answered within; CLOUDSCRIBE_OUTGOING_TIMEOUT at most.",
)
WEBHOOK_BACKOFF = env.seconds(
    "CLOUDSCRIBE_WEBHOOK_BACKOFF",
    7,
    "A delivery that failed is tried again after, ±20 %; each time four times as long, half a day at most.",
)
WEBHOOK_PATIENCE = env.seconds(
    "CLOUDSCRIBE_WEBHOOK_PATIENCE",
    5 * 86_400,
    "A delivery is given up after, and a webhook that failed all that time is switched off.",
)
WEBHOOK_SECRET_OVERLAP = env.seconds(
    "CLOUDSCRIBE_WEBHOOK_SECRET_OVERLAP", 86_400, "After a rotation the earlier secret signs as well for."
)
WEBHOOK_RETENTION = env.seconds(
    "CLOUDSCRIBE_WEBHOOK_RETENTION", 30 * 86_400, "Ended deliveries of webhooks are kept for."
)
