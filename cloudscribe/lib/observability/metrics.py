"""Every metric of CloudScribe, by name; counted over all processes of the machine.

Each process keeps its numbers in a file of PROMETHEUS_MULTIPROC_DIR, and /metrics adds up the files. A
process whose successors do its work in turn, such as the forked child of each job, shares one file with
them by `share_file`: else every job would leave a file behind.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess, values

_own_name = str(os.getpid())
_shared_name = ""


def share_file(name: str) -> None:
    """Count from now on in the file of `name`, which no other living process may use."""
    global _shared_name  # noqa: PLW0603 (the process's own identity)
    _shared_name = name


def _name_again() -> None:
    global _own_name  # noqa: PLW0603 (as above)
    _own_name = str(os.getpid())


# Asked for with every number that is counted, several times a request: looked up once a process.
os.register_at_fork(after_in_child=_name_again)


def _identity() -> str:
    return _shared_name or _own_name


if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    values.ValueClass = values.MultiProcessValue(process_identifier=_identity)  # type: ignore[no-untyped-call]

HTTP_REQUESTS = Counter("cloudscribe_http_requests", "Requests answered.", ["route", "method", "status"])
HTTP_SECONDS = Histogram(
    "cloudscribe_http_request_seconds", "Seconds to answer a request.", ["route", "method"]
)
# Its count is of statements, its sum the seconds that we waited for them.
DATABASE_SECONDS = Histogram(
    "cloudscribe_database_statement_seconds",
    "Seconds that a statement took.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
SLOW_STATEMENTS = Counter(
    "cloudscribe_database_slow_statements", "Statements slower than CLOUDSCRIBE_SLOW_QUERY."
)
TRANSACTION_RETRIES = Counter("cloudscribe_transaction_retries", "Transactions tried again.", ["reason"])
ON_COMMIT_FAILURES = Counter("cloudscribe_on_commit_failures", "Actions after a commit that failed.")
REDIS_FAILURES = Counter(
    "cloudscribe_redis_failures", "Redis calls that failed or were not tried.", ["reason"]
)
CACHE_LOOKUPS = Counter("cloudscribe_cache_lookups", "Cache look-ups.", ["cache", "outcome"])
LIMIT_REFUSALS = Counter("cloudscribe_limit_refusals", "Requests refused by a rate limit.", ["scope", "key"])
ADDRESS_REFUSALS = Counter("cloudscribe_address_refusals", "Requests refused by an IP rule.")
TIMER_FAILURES = Counter("cloudscribe_timer_failures", "Turns of a timer that failed.", ["timer"])
WRITE_BEHIND_LOST = Counter("cloudscribe_write_behind_lost", "Entries dropped by a full buffer.", ["buffer"])
JOBS = Counter("cloudscribe_jobs", "Tries of jobs, by how they ended.", ["kind", "outcome"])
JOB_SECONDS = Histogram("cloudscribe_job_seconds", "Seconds that a try of a job took.", ["kind"])
WEBHOOK_ATTEMPTS = Counter(
    "cloudscribe_webhook_attempts", "Attempts to deliver to a webhook, by how they ended.", ["outcome"]
)
WEBHOOK_LAG = Histogram(
    "cloudscribe_webhook_lag_seconds",
    "Seconds from an event, or from being asked for, to its delivery to a webhook.",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 43_200, 86_400, 432_000),
)


def exposition() -> bytes:
    """All metrics in Prometheus' text format, over all processes where they share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
