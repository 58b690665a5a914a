"""The doorbell: Redis tells a worker that a job waits. A lost ring loses nothing: the sweeper rings again."""

from __future__ import annotations

import functools
import uuid

import django_rq
from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue

from cloudscribe.lib.breaker import redis_call

RUNNER = "cloudscribe.jobs.runner.job_run"
QUEUES = ("fast", "slow")
# A bell nobody answered for so long is for a job that was done otherwise.
_BELL_SECONDS = 3600
# RQ's own time limit is off: the runner knows the kind's.
_NO_TIMEOUT = -1
# At once: a bell that is in no list any more and was not removed would stay in Redis for ever.
_TAKE = """
local bell = redis.call('LPOP', KEYS[1])
if bell then redis.call('UNLINK', ARGV[1] .. bell) end
return bell
"""


@functools.cache
def bell_connection() -> Redis:
    """The connection for ringing, under the time-out of every Redis call; reopened after a fork."""
    return Redis.from_url(
        str(settings.RQ_QUEUES[QUEUES[0]]["URL"]),
        socket_timeout=settings.REDIS_TIMEOUT,
        socket_connect_timeout=settings.REDIS_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


def bell_queue(name: str) -> Queue:
    """RQ's queue of that name; it enqueues at once, since we ring after the commit ourselves."""
    return django_rq.get_queue(name, connection=bell_connection(), commit_mode="auto")


def ring(queue: str, job_uid: uuid.UUID) -> bool:
    """Ring for one job; False, and counted, where Redis doesn't answer."""

    def enqueue() -> bool:
        bell_queue(queue).enqueue_call(
            RUNNER,
            args=(queue, str(job_uid)),
            timeout=_NO_TIMEOUT,
            result_ttl=0,
            failure_ttl=_BELL_SECONDS,
            description=queue,  # the default would log the arguments
        )
        return True

    return redis_call(enqueue, default=False)


def bell_take(queue: str) -> bool:
    """Take the longest hanging ring away, for who answers it without RQ; False for none, or without Redis."""

    def take() -> bool:
        hanging = bell_queue(queue)
        prefix = hanging.job_class.key_for("")
        return hanging.connection.eval(_TAKE, 1, hanging.key, prefix) is not None

    return redis_call(take, default=False)


def bells(queue: str) -> int | None:
    """How many rings nobody has answered yet; None where Redis is gone."""
    return redis_call(lambda: int(bell_queue(queue).count), default=None)
