"""The timer thread and what runs in it."""

from __future__ import annotations

import os
import threading

import pytest
from pytest_django import Settings

from cloudscribe.lib import caching
from cloudscribe.lib.caching import TimedRefresh, WriteBehind
from cloudscribe.lib.errors import ServiceUnavailable
from cloudscribe.lib.timers import Timers


@pytest.fixture(autouse=True)
def timers(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Timers:
    """Timers of the test's own, running."""
    settings.TIMERS = True
    # A connection that an earlier test of this process has opened is not this test's to look at.
    monkeypatch.setattr("cloudscribe.lib.timers.close_old_connections", lambda: None)
    own = Timers()
    monkeypatch.setattr(caching, "timers", own)
    return own


def test_timed_refresh_loads_in_the_timer_thread(timers: Timers) -> None:
    """No request's thread ever loads."""
    threads: list[str] = []

    def load() -> str:
        threads.append(threading.current_thread().name)
        return "rules"

    assert TimedRefresh("rules", load, every=60).get() == "rules"
    timers.stop()
    assert threads == ["cloudscribe-timers"]


def test_timed_refresh_keeps_the_last_value_when_loading_fails(timers: Timers) -> None:
    """While the database is away the known rules hold, and the thread goes on."""
    loaded = iter([1, RuntimeError("away"), 3])
    turns = threading.Semaphore(0)

    def load() -> int:
        try:
            value = next(loaded, 3)
            if isinstance(value, Exception):
                raise value
            return value
        finally:
            turns.release()

    rules = TimedRefresh("rules", load, every=0.05)
    assert rules.get() == 1
    seen = {rules.get()}
    for _ in range(4):
        assert turns.acquire(timeout=5)
        seen.add(rules.get())
    timers.stop()
    assert seen == {1, 3}


def test_timed_refresh_that_never_loaded_is_unavailable_after_its_patience(timers: Timers) -> None:
    """A process that doesn't know the rules must not act as if there were none."""

    def load() -> int:
        raise RuntimeError("away")

    with pytest.raises(ServiceUnavailable):
        TimedRefresh("rules", load, every=60, patience=0.2).get()
    timers.stop()


def test_timed_refresh_loads_inline_where_timers_are_off(settings: Settings) -> None:
    """Commands and tests have no thread: the first use loads, and a stale value is loaded anew."""
    settings.TIMERS = False
    loads = iter([1, 2, 3])
    rules = TimedRefresh("rules", lambda: next(loads), every=60)
    assert (rules.get(), rules.get()) == (1, 1)
    rules.forget()
    assert rules.get() == 2


def test_timers_start_anew_after_a_fork(timers: Timers) -> None:
    """A worker forked from a preloading parent has its own thread, and does not wait for the parent's."""
    rules = TimedRefresh("rules", os.getpid, every=60)
    assert rules.get() == os.getpid()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        timers.after_fork()
        rules.forget()
        os.write(writer, b"own" if rules.get() == os.getpid() else b"old")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"own"
    os.close(reader)
    os.close(writer)
    timers.stop()


def test_write_behind_merges_by_key_and_writes_at_the_end(timers: Timers) -> None:
    """What is noted in the last seconds is written when the process ends in order."""
    written: list[dict[str, int]] = []
    buffer = WriteBehind[str, int]("visits", written.append, merge=lambda old, new: old + new, every=60)
    for key in ("a", "b", "a"):
        buffer.add(key, 1)
    timers.stop()
    assert {key: sum(one.get(key, 0) for one in written) for key in "ab"} == {"a": 2, "b": 1}


def test_write_behind_drops_new_keys_when_full_and_merges_known_ones(settings: Settings) -> None:
    """Memory is bounded whatever happens to the database."""
    settings.TIMERS = False
    written: list[dict[str, int]] = []
    buffer = WriteBehind[str, int]("visits", written.append, limit=2)
    for key, value in (("a", 1), ("b", 1), ("c", 1), ("a", 5)):
        buffer.add(key, value)
    buffer.flush()
    assert written == [{"a": 5, "b": 1}]


def test_write_behind_keeps_what_could_not_be_written(settings: Settings) -> None:
    """A failed write is put back under what came meanwhile."""
    settings.TIMERS = False
    written: list[dict[str, int]] = []

    def write(entries: dict[str, int]) -> None:
        if not written:
            written.append({})
            raise RuntimeError("away")
        written.append(entries)

    buffer = WriteBehind[str, int]("used", write)
    buffer.add("a", 1)
    with pytest.raises(RuntimeError):
        buffer.flush()
    buffer.add("a", 2)
    buffer.flush()
    assert written == [{}, {"a": 2}]
