"""One bounded load by wrk (`-t1 -c8`) and what it says."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import shutil
import subprocess

LUA = pathlib.Path(__file__).parent / "lua"
CONNECTIONS = 8
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class LoadError(RuntimeError):
    """wrk is missing, could not run, or met errors, which would make its figure worthless."""


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """Requests done, requests a second, and the 50th and 99th percentile of the latency in seconds."""

    requests: int
    rate: float
    p50: float
    p99: float


def require_wrk() -> str:
    """The path of wrk; raises LoadError with the way to get it."""
    found = shutil.which("wrk")
    if found is None:
        raise LoadError("wrk is missing: `apt-get install wrk` (Debian, Ubuntu) or `brew install wrk`.")
    return found


def run(url: str, seconds: float, script: str = "", *arguments: str) -> Load:
    """Drive `url` for `seconds` with a script of `bench/lua/`; raises LoadError where an answer failed."""
    command = [
        require_wrk(),
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{max(1, round(seconds))}s",
        "--latency",
        "--timeout",
        "15s",
    ]
    if script:
        command += ["-s", str(LUA / script)]
    command.append(url)
    if arguments:
        command += ["--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0:
        raise LoadError(f"wrk ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return parse(done.stdout)


def parse(output: str) -> Load:
    """Read wrk's report; raises LoadError where it tells of errors or of no request at all."""
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    total = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if failed or broken or not total or not rate or int(total[1]) == 0:
        raise LoadError(f"the load met errors:\n{output.strip()}")
    return Load(int(total[1]), float(rate[1]), _percentile(output, 50), _percentile(output, 99))


def _percentile(output: str, percent: int) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", output, re.MULTILINE)
    if not found:
        raise LoadError(f"wrk printed no {percent} % latency:\n{output.strip()}")
    return float(found[1]) * _UNITS[found[2]]
