"""What a load costs is read of a whole tree of processes, the ended ones included."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bench import processes

BURN = "import time\nlimit = time.process_time() + 0.3\nwhile time.process_time() < limit: pass"


def test_cpu_seconds_counts_children_that_ended() -> None:
    """A job's forked child is gone when the load ends; what it took, counted in ticks, is still ours."""
    before = processes.cpu_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert processes.cpu_seconds(os.getpid()) - before >= 0.2


def test_foreign_share_leaves_own_processes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 3 CPU seconds in 2 s on 2 cores 2 are ours: others took a quarter of the machine."""
    busy, own, clock = iter([100.0, 103.0]), iter([10.0, 12.0]), iter([50.0, 52.0])
    monkeypatch.setattr(processes, "machine_busy_seconds", lambda: next(busy))
    monkeypatch.setattr(processes, "cpu_seconds", lambda _root: next(own))
    monkeypatch.setattr(processes.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(processes.os, "cpu_count", lambda: 2)
    assert processes.Foreign().share() == 0.25


def test_proportional_bytes_of_this_process() -> None:
    """A Python process takes megabytes, and one that is gone takes nothing."""
    assert processes.proportional_bytes([os.getpid()]) > 2**20
    assert processes.proportional_bytes([2**22 + 1]) == 0
