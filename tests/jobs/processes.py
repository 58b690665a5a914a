"""The processes of background work for tests, forked from one that has everything loaded.

To load it takes seconds of a processor, and the tests start them again and again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import multiprocessing
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from typing import Any

import time_machine
from django.conf import settings
from django.core.management import call_command

_FROM = multiprocessing.get_context("forkserver")
_FROM.set_forkserver_preload(["tests.jobs.preloaded"])


@contextlib.contextmanager
def command(name: str, *, ahead: float = 0, **changes: Any) -> Iterator[ForkServerProcess]:
    """One of the processes with the handlers of tests and these settings changed, ended afterwards.

    Its clock, and that of whatever it forks, is so many seconds `ahead`.
    """
    process = _FROM.Process(target=_run, args=(name, changes, ahead))
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(30)


def _run(name: str, changes: dict[str, Any], ahead: float) -> None:
    assert settings.PROCESS_KIND == "job", "what should have been loaded was not"
    for setting, value in changes.items():
        setattr(settings, setting, value)
    if ahead:
        time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead), tick=True).start()
    call_command(name)
