"""Gauges of the record: how far its sealing is."""

from __future__ import annotations

from django.db import connection

from cloudscribe.lib.observability.readings import Gauge, Rows, reading

_SEALS = """
WITH newest AS (SELECT tree_size, epoch, xid, sequence FROM audit_seal ORDER BY tree_size DESC LIMIT 1)
SELECT coalesce((SELECT tree_size FROM newest), 0),
  coalesce((
    SELECT extract(epoch FROM statement_timestamp() - at) FROM audit_event
    WHERE (epoch, xid, sequence) > (
      coalesce((SELECT epoch FROM newest), 0),
      coalesce((SELECT xid FROM newest), 0),
      coalesce((SELECT sequence FROM newest), 0)
    )
    ORDER BY epoch, xid, sequence LIMIT 1
  ), 0)
"""


@reading(
    "seals",
    Gauge("cloudscribe_audit_tree_size", "Events under the newest checkpoint."),
    Gauge("cloudscribe_audit_seal_lag_seconds", "Age of the first event that is under no checkpoint yet."),
)
def seals() -> Rows:
    """One row."""
    with connection.cursor() as cursor:
        cursor.execute(_SEALS)
        return list(cursor.fetchall())
