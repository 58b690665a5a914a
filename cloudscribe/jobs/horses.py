"""RQ's worker with a work-horse in waiting, so that a job needn't wait for a process and its connections.

To fork a process, to touch the memory that it shares with its parent, to open its connections and to have the
server at the other end learn what the tables look like takes three quarters of the time between a bell and
the beginning of its job; while nobody rings there is time for that. It is most of what a small job costs,
too: so a horse goes on with what else is due, for the length of a shift.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
from typing import Any

import structlog
from django.db import DatabaseError, connection
from redis.exceptions import RedisError
from rq import Worker
from rq.exceptions import StopRequested
from rq.executions import Execution

from cloudscribe.jobs.processes import HORSE_WAITS, HORSE_WORKS, be_called, ended
from cloudscribe.jobs.runner import job_prepare
from cloudscribe.jobs.shifts import Shift, shift_begin

# What a horse is told: the ids of RQ's job and execution. Shorter than what a pipe takes at once.
_MOST_BYTES = 4096

log = structlog.get_logger(__name__)


class BellWorker(Worker):
    """Forks the horse for the next bell while it waits for that."""

    # It looks for a Redis that was gone every two seconds, not every minute.
    max_connection_wait_time = 2.0

    def __init__(self, *args: Any, **options: Any) -> None:
        """As RQ's; nothing is forked yet."""
        super().__init__(*args, **options)
        # The horse in waiting, and the pipe by which it, or the one at work, learns its first job. The pipe's
        # end tells it to begin no other: we were told to stop, or are gone.
        self._waiting = 0
        self._rein = -1
        self._told_to_stop = False

    def dequeue_job_and_maintain_ttl(self, *args: Any, **options: Any) -> Any:
        """Before the wait for a bell."""
        self._saddle()
        return super().dequeue_job_and_maintain_ttl(*args, **options)

    def fork_work_horse(self, job: Any, queue: Any) -> None:
        """Let the horse in waiting do it, or a new one where there is none."""
        waiting, self._waiting = self._waiting, 0
        told = False
        if waiting:
            with contextlib.suppress(OSError):
                os.write(self._rein, json.dumps([job.id, next(iter(self.executions))]).encode())
                told = ended(waiting) is None
        if told:
            self._horse_pid = waiting
        else:
            self._let_go()
            super().fork_work_horse(job, queue)

    def handle_warm_shutdown_request(self) -> None:
        """The first SIGTERM, which waits for the job at hand alone."""
        self._told_to_stop = True
        self._let_go()
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]

    def _let_go(self) -> None:
        rein, self._rein = self._rein, -1
        if rein >= 0:
            os.close(rein)

    def _saddle(self) -> None:
        if self._waiting and ended(self._waiting) is None:
            return
        self._let_go()
        reader, self._rein = os.pipe()
        self._waiting = os.fork()
        if self._waiting:
            os.close(reader)
            # What RQ's handler raises while a process forks is swallowed: Python's own steps are interrupted.
            if self._told_to_stop:
                raise StopRequested
            return
        status = 1
        try:
            self._let_go()
            self._wait(reader)
            status = 0
        except BaseException:
            log.exception("work_horse_failed")
        finally:
            os._exit(status)

    def _wait(self, reader: int) -> None:
        """In the horse: open what it needs, wait, and do as RQ's horses do."""
        os.setpgrp()
        os.environ["RQ_WORKER_ID"] = self.name
        self.setup_work_horse_signals()  # type: ignore[no-untyped-call]
        be_called(HORSE_WAITS)
        with contextlib.suppress(RedisError):
            self.connection.ping()
        with contextlib.suppress(DatabaseError):
            job_prepare(self.queues[0].name)
        told = os.read(reader, _MOST_BYTES)
        if not told:
            return
        be_called(HORSE_WORKS)
        # The server may have been started again since.
        if connection.connection is not None and not connection.is_usable():
            connection.close()
        job_id, execution_id = json.loads(told)
        job = self.job_class.fetch(job_id, connection=self.connection, serializer=self.serializer)
        self.executions[execution_id] = Execution(execution_id, job_id, self.connection, self.name)
        queue = next(queue for queue in self.queues if queue.name == job.origin)
        shift_begin(Shift(dismissed=lambda: _is_at_its_end(reader)))
        self.main_work_horse(job, queue)


def _is_at_its_end(reader: int) -> bool:
    """Whether nobody holds the other end of a pipe, through which nothing more comes."""
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    return bool(poll.poll(0))
