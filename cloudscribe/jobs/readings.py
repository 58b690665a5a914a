"""Gauges of the queues, by the Job table: true for all machines, and while Redis is gone."""

from __future__ import annotations

from django.db import connection

from cloudscribe.jobs.bell import QUEUES
from cloudscribe.lib.observability.readings import Gauge, Rows, reading

# Each part by the partial index of its state: ended jobs, of which there are many, aren't walked through.
_QUEUES = """
SELECT queue,
  (SELECT count(*) FROM jobs_job j
     WHERE j.state = 'queued' AND j.queue = q.queue AND j.run_at <= statement_timestamp()),
  (SELECT count(*) FROM jobs_job j
     WHERE j.state = 'queued' AND j.queue = q.queue AND j.run_at > statement_timestamp()),
  (SELECT count(*) FROM jobs_job j WHERE j.state = 'running' AND j.queue = q.queue),
  (SELECT count(*) FROM jobs_job j WHERE j.state = 'running' AND j.queue = q.queue
     AND j.lease_until < statement_timestamp()),
  (SELECT count(*) FROM jobs_job j WHERE j.finished_at > statement_timestamp() - interval '1 hour'
     AND j.state = 'failed' AND j.queue = q.queue),
  coalesce((SELECT extract(epoch FROM statement_timestamp() - min(j.run_at)) FROM jobs_job j
     WHERE j.state = 'queued' AND j.queue = q.queue AND j.run_at <= statement_timestamp()), 0)
FROM unnest(%s::text[]) AS q (queue)
"""


@reading(
    "jobs",
    Gauge("cloudscribe_jobs_due", "Jobs that wait for a worker."),
    Gauge("cloudscribe_jobs_delayed", "Jobs whose time has not come: put off, or to be tried again."),
    Gauge("cloudscribe_jobs_running", "Jobs that are held by a worker."),
    Gauge("cloudscribe_jobs_abandoned", "Running jobs whose worker gave no sign for a lease."),
    Gauge("cloudscribe_jobs_failed_last_hour", "Jobs that failed for good within the last hour."),
    Gauge("cloudscribe_jobs_oldest_due_seconds", "How long the longest due job has waited."),
    labels=["queue"],
)
def queues() -> Rows:
    """A row for each queue."""
    with connection.cursor() as cursor:
        cursor.execute(_QUEUES, [list(QUEUES)])
        return list(cursor.fetchall())
