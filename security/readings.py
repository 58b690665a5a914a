"""A gauge of the installation's state: whether people may write."""

from __future__ import annotations

from django.db import connection

from cloudscribe.lib.observability.readings import Gauge, Rows, reading

_READ_ONLY = """
SELECT coalesce((SELECT extract(epoch FROM statement_timestamp() - since) FROM security_readonly), 0)
"""


@reading(
    "read_only",
    Gauge("cloudscribe_read_only_seconds", "How long the installation has been read-only, 0 where it isn't."),
)
def read_only() -> Rows:
    """One row."""
    with connection.cursor() as cursor:
        cursor.execute(_READ_ONLY)
        return list(cursor.fetchall())
