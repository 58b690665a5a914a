"""The worker that keeps a work-horse in waiting."""

from __future__ import annotations

import contextlib
import os
import signal

import django_rq
import pytest
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from cloudscribe.jobs.horses import BellWorker

pytestmark = pytest.mark.django_db


def test_worker_told_to_stop_while_it_forks_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python swallows what a signal's handler raises in the middle of a fork; it is told all the same."""
    worker = BellWorker(["fast"], connection=django_rq.get_connection("fast"), serializer=JSONSerializer)
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]

    def fork() -> int:
        with contextlib.suppress(StopRequested):
            worker.request_stop(signal.SIGTERM, None)  # type: ignore[no-untyped-call]
        return os.getpid()

    monkeypatch.setattr(os, "fork", fork)
    try:
        with pytest.raises(StopRequested):
            worker.dequeue_job_and_maintain_ttl(1, 1)
    finally:
        for number, handler in handlers:
            signal.signal(number, handler)
