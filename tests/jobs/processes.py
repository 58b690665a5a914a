"""The processes of background work for tests, forked from one that has everything loaded.

To load it takes seconds of a processor, and the tests start them again and again.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from typing import Any

from django.conf import settings
from django.core.management import call_command

_FROM = multiprocessing.get_context("forkserver")
_FROM.set_forkserver_preload(["tests.jobs.preloaded"])


@contextlib.contextmanager
def command(name: str, **changes: Any) -> Iterator[ForkServerProcess]:
    """One of the processes with the handlers of tests and these settings changed, ended afterwards."""
    process = _FROM.Process(target=_run, args=(name, changes))
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(30)


def _run(name: str, changes: dict[str, Any]) -> None:
    assert settings.PROCESS_KIND == "job", "what should have been loaded was not"
    for setting, value in changes.items():
        setattr(settings, setting, value)
    call_command(name)
