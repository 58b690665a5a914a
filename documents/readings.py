"""Gauges of webhooks: what waits to be delivered, and how late it is."""

from __future__ import annotations

from django.db import connection

from cloudscribe.lib.observability.readings import Gauge, Rows, reading

# The oldest of those that may be sent now: what waits for a webhook that rests after failures, or that is
# switched off, is not late by our fault.
_WEBHOOKS = """
SELECT
  (SELECT count(*) FROM documents_delivery WHERE status = 'pending'),
  (SELECT count(*) FROM documents_webhook WHERE enabled AND failures > 0),
  coalesce((
    SELECT extract(epoch FROM statement_timestamp() - min(d.next_at))
    FROM documents_webhook w CROSS JOIN LATERAL (
      SELECT next_at FROM documents_delivery
      WHERE webhook_id = w.id AND status = 'pending' AND next_at <= statement_timestamp()
      ORDER BY next_at LIMIT 1) d
    WHERE w.enabled AND (w.resting_until IS NULL OR w.resting_until <= statement_timestamp())
  ), 0)
"""


@reading(
    "webhooks",
    Gauge("cloudscribe_webhook_backlog", "Deliveries that wait, for their first try or another."),
    Gauge("cloudscribe_webhooks_failing", "Webhooks whose last delivery failed."),
    Gauge("cloudscribe_webhook_oldest_due_seconds", "How long the longest due delivery has waited."),
)
def webhooks() -> Rows:
    """One row."""
    with connection.cursor() as cursor:
        cursor.execute(_WEBHOOKS)
        return list(cursor.fetchall())
