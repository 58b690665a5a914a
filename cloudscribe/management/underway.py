"""What is at work at a moment and will write when it is done: transactions, jobs, deliveries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import connection
from django.db.models.functions import Now

from cloudscribe.jobs.models import Job, JobState
from documents.models import Webhook

# Of the application's role: of others' sessions it isn't told, and the owner's are an operator's own doing.
# A backup only reads. One without a number yet may still write, so it is not the numbers that count.
_TRANSACTIONS = """
SELECT pid, application_name, extract(epoch FROM clock_timestamp() - xact_start)::int
FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND backend_type = 'client backend'
  AND pid <> pg_backend_pid() AND application_name <> 'pg_dump' AND xact_start < %s
ORDER BY xact_start
"""


def underway(before: dt.datetime) -> Iterator[str]:
    """A line for each transaction that began before a moment, and each job and delivery that somebody holds.

    What a dead worker held is nobody's when its lease has run out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TRANSACTIONS, [before])
        for pid, name, seconds in cursor.fetchall():
            yield f"a transaction of {name or 'some program'} for {seconds} s (PostgreSQL's process {pid})"
    for job in Job.objects.filter(state=JobState.RUNNING, lease_until__gt=Now()).order_by("pk"):
        yield f"job {job.uid}, {job.kind}"
    for webhook in Webhook.objects.filter(lease_until__gt=Now()).order_by("pk"):
        yield f"deliveries to webhook {webhook.uid}"
