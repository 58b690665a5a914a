"""Probes with a bound on time."""

from __future__ import annotations

import threading
import time

from cloudscribe.lib.observability.health import Probe


def test_probe_passes_and_fails_with_its_check() -> None:
    """Any exception is the answer "no"."""
    assert Probe(lambda: None, patience=2).passes()
    assert not Probe(lambda: 1 / 0, patience=2).passes()


def test_probe_answers_in_time_while_its_check_hangs_and_keeps_one_thread() -> None:
    """A hung dependency costs each caller the patience and the process one thread."""
    release, runs = threading.Event(), []

    def hang() -> None:
        runs.append(1)
        release.wait(10)

    probe = Probe(hang, patience=0.1)
    started = time.monotonic()
    assert not probe.passes()
    assert not probe.passes()
    assert time.monotonic() - started < 1
    assert len(runs) == 1
    release.set()
    assert probe.passes()
