"""Handlers that the worker processes of tests load beside the project's own."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from django.contrib import admin

from cloudscribe.jobs.registry import job_handler
from cloudscribe.jobs.run import JobRun


@job_handler("test.pid")
def pid(run: JobRun) -> dict[str, int]:
    """Tell in which processes it ran, and how many models have pages of the admin there."""
    return {"pid": os.getpid(), "worker": os.getppid(), "pages": len(admin.site._registry)}


@job_handler("test.grow")
def grow(run: JobRun) -> dict[str, int]:
    """Take a hundred megabytes for a moment."""
    bytearray(os.urandom(1)) * 100_000_000
    return {"pid": os.getpid()}


@job_handler("test.note")
def note(run: JobRun) -> None:
    """Put down in a file that this try was begun."""
    with Path(run.payload["path"]).open("a") as notes:
        notes.write(f"{run.job.pk}\n")


@job_handler("test.hold")
def hold(run: JobRun) -> None:
    """Take its time."""
    threading.Event().wait(run.payload["seconds"])


@job_handler("test.hold_once")
def hold_once(run: JobRun) -> None:
    """Take its time in the first try."""
    if run.fence == 1:
        threading.Event().wait(run.payload["seconds"])


@job_handler("test.die_once")
def die_once(run: JobRun) -> None:
    """Kill the process in the first try."""
    if run.fence == 1:
        os.kill(os.getpid(), signal.SIGKILL)
