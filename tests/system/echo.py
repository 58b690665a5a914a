"""A WSGI application that tells which process answers, for tests of the worker around it."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The number of the process; under `/held/<name>` only once the folder of the tests says so."""
    name = environ["PATH_INFO"].rpartition("/")[2]
    if environ["PATH_INFO"].startswith("/held/"):
        folder = pathlib.Path(os.environ["ECHO_FOLDER"])
        folder.joinpath(name).write_text(str(os.getpid()))
        limit = time.monotonic() + 20
        while not folder.joinpath("release").exists() and time.monotonic() < limit:
            time.sleep(0.01)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
