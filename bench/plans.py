"""What PostgreSQL did for a request: the plans of its statements, by its own auto_explain."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import re
import time
from collections.abc import Callable, Iterator

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import Postgres

_MARK = "bench"
# Of the page's own processes; the sealer, the sweep and the schedules ask something all the time.
_OURS = ("cloudscribe-web", "cloudscribe-job")
_PLAN = re.compile(r" duration: ([\d.]+) ms {2}plan:")
_PAGES = re.compile(r"Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?")
_SETTINGS = {
    "session_preload_libraries": "'auto_explain'",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "log_line_prefix": f"'%m [%p] {_MARK} %a '",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """One statement: how long it took in ms, pages of 8 KB that it touched, and EXPLAIN's lines."""

    duration: float
    pages: int
    lines: list[str]


class Plans:
    """Reads the log of the embedded server of one CLOUDSCRIBE_DATA."""

    def __init__(self, data: pathlib.Path) -> None:
        """`data` is that folder."""
        layout = Layout.at(data)
        self._postgres = Postgres(layout)
        self._log = layout.log / "postgresql.log"

    @contextlib.contextmanager
    def logged(self) -> Iterator[None]:
        """Explain each statement during the block; connections are renewed at both of its ends."""
        self._configure([f"ALTER SYSTEM SET {name} = {value}" for name, value in _SETTINGS.items()])
        try:
            yield
        finally:
            self._configure([f"ALTER SYSTEM RESET {name}" for name in _SETTINGS])

    def of(self, request: Callable[[], object]) -> list[Plan]:
        """The plans of what was sent while `request` ran, the longest first."""
        start = self._log.stat().st_size
        request()
        time.sleep(0.2)  # a plan is written when its statement has ended, not before its answer is sent
        with self._log.open("rb") as log:
            log.seek(start)
            text = log.read().decode(errors="replace")
        found = []
        for entry in re.split(r"\n(?!\t)", text):
            head, *lines = entry.split("\n\t")
            plan = _PLAN.search(head)
            if plan and any(f"{_MARK} {name}" in head for name in _OURS):
                found.append(_plan(float(plan[1]), lines))
        return sorted(found, key=lambda plan: -plan.duration)

    def _configure(self, commands: list[str]) -> None:
        self._postgres.psql("".join(f"{command};\n" for command in [*commands, "SELECT pg_reload_conf()"]))
        time.sleep(1)
        # A library is loaded when a session begins.
        self._postgres.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name LIKE 'cloudscribe-web%'"
        )
        time.sleep(1)


def _plan(duration: float, lines: list[str]) -> Plan:
    start = next((at for at, line in enumerate(lines) if "(cost=" in line), 0)
    lines = lines[start:]
    pages = next((_PAGES.search(line) for line in lines if _PAGES.search(line)), None)
    return Plan(duration, sum(int(count or 0) for count in pages.groups()) if pages else 0, lines)


def shortened(lines: list[str], most: int) -> list[str]:
    """The first `most` nodes of a plan that did something, with rows and pages."""
    kept: list[str] = []
    for line in lines:
        if "(cost=" in line and "never executed" not in line:
            kept.append(re.sub(r"\(cost=[^)]*\) ", "", line))
        elif "Buffers:" in line and kept and "Buffers" not in kept[-1]:
            kept[-1] += f" {line.strip()}"
    return [line[:160].rstrip() for line in kept[:most]]
