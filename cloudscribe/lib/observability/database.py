"""Gauges of the database server: connections, and what holds up everybody who reads in order of commits."""

from __future__ import annotations

from django.db import connection

from cloudscribe.lib.observability.readings import Gauge, Rows, reading

# What other roles' sessions do is hidden from ours; that they are there isn't. The limit is the server's, so
# sessions of its other databases count.
_CONNECTIONS = """
SELECT coalesce(state, 'hidden'), count(*) FROM pg_stat_activity
WHERE datid IS NOT NULL AND pid <> pg_backend_pid() GROUP BY 1
"""
# Transactions that were prepared and forgotten hold up as much as those that run.
_SERVER = """
SELECT
  current_setting('max_connections')::int,
  greatest(
    (SELECT extract(epoch FROM max(clock_timestamp() - xact_start)) FROM pg_stat_activity
       WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()),
    (SELECT extract(epoch FROM max(clock_timestamp() - prepared)) FROM pg_prepared_xacts),
    0),
  (SELECT pg_snapshot_xmax(s)::text::bigint - pg_snapshot_xmin(s)::text::bigint
     FROM pg_current_snapshot() AS s),
  (SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()),
  pg_database_size(current_database())
"""


@reading(
    "connections",
    Gauge("cloudscribe_database_connections", "Sessions at the database server, by state."),
    labels=["state"],
)
def connections() -> Rows:
    """A row for each state."""
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTIONS)
        return list(cursor.fetchall())


@reading(
    "server",
    Gauge("cloudscribe_database_connections_limit", "Sessions that the database server takes."),
    Gauge("cloudscribe_database_oldest_writer_seconds", "Age of the oldest transaction that has written."),
    Gauge("cloudscribe_database_horizon_transactions", "Transactions behind the oldest writer."),
    Gauge("cloudscribe_database_frozen_age", "Transactions since the database was last frozen as a whole."),
    Gauge("cloudscribe_database_bytes", "Size of the database on disk."),
)
def server() -> Rows:
    """One row."""
    with connection.cursor() as cursor:
        cursor.execute(_SERVER)
        return list(cursor.fetchall())
