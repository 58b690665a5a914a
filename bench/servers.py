"""Starts and ends what is compared: the floor and a whole CloudScribe with data of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

import httpx

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKERS, THREADS = 2, 4
EMAIL, PASSWORD = "admin@example.org", "bench-Admin-4711"
READER_PASSWORD = "bench-Reader-4711"  # noqa: S105 (of a world that is thrown away)
_OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EMAIL_URL", "SENTRY_DSN", "PORT")


class ServerError(RuntimeError):
    """A server did not start; the text carries the end of its output."""


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address, and the process at the top of its tree."""

    url: str
    pid: int


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(data: pathlib.Path, **further: str) -> dict[str, str]:
    """Ours for a fresh CloudScribe under `data`: nothing that points at other servers or other settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CLOUDSCRIBE_", "DJANGO_")) and name not in _OURS
    }
    return {**kept, "CLOUDSCRIBE_DATA": str(data), "PYTHONUNBUFFERED": "1", **further}


@contextlib.contextmanager
def running(
    command: list[str], url: str, log: pathlib.Path, env: Mapping[str, str], *, seconds: float
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` for the block, which begins once `url` answers; raises ServerError after `seconds`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _wait(process, url, log, seconds)
        yield process
    finally:
        end(process)


@contextlib.contextmanager
def module(folder: pathlib.Path, log: str, name: str, *arguments: str, **variables: str) -> Iterator[int]:
    """A module run as a program in this environment for the block, logged to `folder`; gives its number."""
    with (folder / f"{log}.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", name, *arguments],
            cwd=ROOT,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield process.pid
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and kill it where it doesn't."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: pathlib.Path, seconds: float) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    end = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    raise ServerError(f"{url} did not answer; the end of {log}:\n{end}")


def gunicorn(application: str, port: int, *, workers: int = WORKERS) -> list[str]:
    """The command line of a gunicorn of the class and size that both sides are measured with."""
    return [
        *(sys.executable, "-m", "gunicorn", application, "-b", f"127.0.0.1:{port}"),
        *("-k", "gthread", "-w", str(workers), "--threads", str(THREADS)),
        *("--preload", "--no-control-socket", "--log-level", "warning"),
    ]


@contextlib.contextmanager
def floor(folder: pathlib.Path) -> Iterator[Server]:
    """The floor application; its address is that of its one document."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/document/"
    command = gunicorn("bench.floor:application", port)
    with running(command, url, folder / "floor.log", environment(folder), seconds=30) as process:
        yield Server(url, process.pid)


@contextlib.contextmanager
def cloudscribe(folder: pathlib.Path, **variables: str) -> Iterator[Server]:
    """`make run` with data under `folder` and further `variables` in its environment."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    env = environment(
        folder / "data",
        PORT=str(port),
        **variables,
        CLOUDSCRIBE_ADMIN_EMAIL=EMAIL,
        CLOUDSCRIBE_ADMIN_PASSWORD=PASSWORD,
    )
    command = [sys.executable, "-m", "cloudscribe.lib.supervisor"]
    with running(command, f"{base}/health/ready", folder / "run.log", env, seconds=180) as process:
        yield Server(base, process.pid)


def command(folder: pathlib.Path, *arguments: str) -> str:
    """Run a Python command against the CloudScribe under `folder`, return its output; raises ServerError."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(folder / "data"),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode != 0:
        raise ServerError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
