"""What processes cost, from Linux's /proc: CPU, proportional memory, and what others took of the machine."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import time

_TICK = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True, slots=True)
class Process:
    """One process: number, parent, CPU seconds of itself and of its reaped children, command line."""

    pid: int
    parent: int
    cpu: float
    command: str


def _read(entry: pathlib.Path) -> Process | None:
    with contextlib.suppress(OSError, IndexError, ValueError):
        # The name in brackets may hold spaces and brackets itself; what follows the last one is plain.
        fields = entry.joinpath("stat").read_text().rpartition(")")[2].split()
        command = entry.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return Process(int(entry.name), int(fields[1]), sum(map(int, fields[11:15])) / _TICK, command)
    return None


def tree(root: int) -> list[Process]:
    """`root` and everything below it."""
    children: dict[int, list[Process]] = {}
    found: list[Process] = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        process = _read(entry)
        if process is not None:
            children.setdefault(process.parent, []).append(process)
            if process.pid == root:
                found.append(process)
    for process in found:  # grows while it is walked
        found.extend(children.get(process.pid, ()))
    return found


def cpu_seconds(root: int) -> float:
    """CPU seconds of `root` and everything below it so far, those of the ended and reaped included."""
    return sum(process.cpu for process in tree(root))


def proportional_bytes(pids: list[int]) -> int:
    """Memory of `pids` in bytes, pages shared by several processes divided among them (PSS)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def machine_busy_seconds() -> float:
    """CPU seconds that processes and other guests (steal) have taken since the start, over all cores."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, steal = *fields[:3], fields[7]
    return (user + nice + system + steal) / _TICK


class Foreign:
    """Measures which share of the machine is taken by processes outside this one's tree."""

    def __init__(self) -> None:
        """Start to measure now."""
        self._clock, self._busy, self._own = self._now()

    def share(self) -> float:
        """0 to 1: CPU that others took since the start, over all cores."""
        clock, busy, own = self._now()
        others = (busy - self._busy) - (own - self._own)
        return max(0.0, others / ((clock - self._clock) * (os.cpu_count() or 1)))

    @staticmethod
    def _now() -> tuple[float, float, float]:
        return time.monotonic(), machine_busy_seconds(), cpu_seconds(os.getpid())
