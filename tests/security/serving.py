"""Real web workers on the database of this process's tests, behind a proxy on loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from django.test import TransactionTestCase

from cloudscribe.lib.embedded.processes import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def served(workers: int, threads: int, variables: Mapping[str, str] | None = None) -> Iterator[int]:
    """The port on which so many workers answer, with these variables beside the usual ones."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        options = ["-c", "python:cloudscribe.gunicorn", "-b", f"fd://{listener.fileno()}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "cloudscribe.wsgi", *options],
            cwd=ROOT,
            env={
                **os.environ,
                "CLOUDSCRIBE_PROCESS": "web",
                "CLOUDSCRIBE_WEB_WORKERS": str(workers),
                "CLOUDSCRIBE_WEB_THREADS": str(threads),
                "CLOUDSCRIBE_TRUSTED_PROXIES": "127.0.0.1/32",
                **(variables or {}),
            },
            stdout=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )
        number = int(listener.getsockname()[1])
    try:
        assert wait_until(lambda: status_of(number, "GET", "/health/ready") == 200, 30)
        yield number
    finally:
        process.terminate()
        process.wait(timeout=30)
        # What the workers wrote while they ended.
        TransactionTestCase._fixture_teardown(None)  # type: ignore[attr-defined]


def status_of(port: int, method: str, path: str, body: Any = None, **headers: str) -> int:
    """The status that one new connection gets, 0 where there is none."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else json.dumps(body)
    with (
        contextlib.suppress(OSError, http.client.HTTPException),
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection,
    ):
        connection.request(method, path, content, {"Content-Type": "application/json", **sent})
        return connection.getresponse().status
    return 0
