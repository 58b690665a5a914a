"""`python -m bench.jobs.workers SIDE`: one worker of a side, with the job that all sides do."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import django
import procrastinate
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from bench.jobs.work import work

QUEUE = "bench"
KIND = "bench.work"
# Where the libraries find what is theirs.
PROCRASTINATE, RQ = "BENCH_PROCRASTINATE_URL", "BENCH_RQ_URL"


def _ours(command: str) -> None:
    django.setup()
    registry = import_module("cloudscribe.jobs.registry")
    registry.job_handler(KIND)(lambda run: work(run.payload["path"]))
    import_module("django.core.management").call_command(command)


def procrastinate_app(connector: procrastinate.BaseConnector) -> procrastinate.App:
    """Its application with the one task."""
    app = procrastinate.App(connector=connector)
    app.task(name=KIND, queue=QUEUE)(work)
    return app


def _procrastinate() -> None:
    app = procrastinate_app(procrastinate.PsycopgConnector(conninfo=os.environ[PROCRASTINATE]))
    app.run_worker(queues=[QUEUE], concurrency=1)


def _rq() -> None:
    connection = import_module("redis").Redis.from_url(os.environ[RQ])
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
    Worker([queue], connection=connection, serializer=JSONSerializer).work(logging_level="WARNING")


SIDES = {
    "rqworkers": lambda: _ours("rqworkers"),
    "scheduler": lambda: _ours("scheduler"),
    "procrastinate": _procrastinate,
    "rq": _rq,
}


if __name__ == "__main__":
    SIDES[sys.argv[1]]()
