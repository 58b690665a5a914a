"""A WSGI application that tells which process answers, for tests of the worker around it."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

from cloudscribe.lib.embedded.processes import wait_until
from cloudscribe.lib.web_worker import DeadlineWorker

# More than lies in the buffers of a connection.
LARGE = 64 * 1024 * 1024


class EchoWorker(DeadlineWorker):
    """Ours, with requests that are answered aside: by path, by its beginning, by a header."""

    silence = 2
    paths_aside = frozenset({"/held/aside"})
    prefixes_aside = ("/held/below/",)
    headers_aside = (("/held/shared/", "X-WORD"),)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The number of the process; under `/held/<name>` only once the folder of the tests says so."""
    name = environ["PATH_INFO"].rpartition("/")[2]
    if environ["PATH_INFO"].startswith("/held/"):
        folder = pathlib.Path(os.environ["ECHO_FOLDER"])
        folder.joinpath(name).write_text(str(os.getpid()))
        wait_until(folder.joinpath("release").exists, 20)
    if name == "large":
        start_response("200 OK", [("Content-Length", str(LARGE))])
        return (bytes(1024 * 1024) for _ in range(LARGE // (1024 * 1024)))
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
