"""gunicorn's configuration: two preloaded workers of four threads, made for standing without a proxy.

The application is loaded once, before the fork: SIGHUP to the master renews the workers without dropping a
request, but new code needs a restart.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
from typing import Any

from django.db import connections
from prometheus_client import multiprocess

from cloudscribe.lib import env
from cloudscribe.lib.supervisor.installation import SOCKET
from cloudscribe.lib.web_worker import ApplicationLogger, DeadlineWorker

_host = env.text("CLOUDSCRIBE_BIND", "127.0.0.1", "Address that the web server listens on.")
_port = env.integer("PORT", 8000, "Port that `make run` serves on.")
_threads = env.integer(
    "CLOUDSCRIBE_WEB_THREADS", 4, "Threads of a web worker; 1 behind a buffering proxy.", least=1
)

bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"
if SOCKET in os.environ:
    bind = f"fd://{os.environ[SOCKET]}"
    DeadlineWorker.supervisor = os.getppid()
workers = env.integer("CLOUDSCRIBE_WEB_WORKERS", 2, "Web worker processes.", least=1)
threads = _threads
worker_class = "sync" if _threads == 1 else "cloudscribe.lib.web_worker.DeadlineWorker"
DeadlineWorker.head_deadline = env.seconds(
    "CLOUDSCRIBE_HEAD_TIMEOUT", 10, "Longest time that the head of a request may take to arrive."
)
# Whatever hashes a password.
DeadlineWorker.paths_aside = frozenset(
    {
        "/account/reset/",
        "/admin/login/",
        "/api/v1/auth/login/",
        "/api/v1/auth/password/change/",
        "/api/v1/auth/password/reset/",
        "/api/v1/auth/register/",
        "/api/v1/auth/step-up/",
    }
)
# The pages of share links take a password by form, their routes by a header.
DeadlineWorker.prefixes_aside = ("/s/",)
DeadlineWorker.headers_aside = (("/api/v1/shared/", "X-LINK-PASSWORD"),)
preload_app = True
control_socket_disable = True
backlog = 512
timeout = 30
graceful_timeout = 20
keepalive = 5
limit_request_line = 8190
limit_request_fields = 100
# Which proxies are trusted, and with what, is decided in one place: the client address middleware.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
worker_tmp_dir = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None  # noqa: S108 (a heartbeat file)
# The application writes a line for each request itself; gunicorn's own news go through its logging, as JSON.
accesslog = None
logger_class = ApplicationLogger


def pre_fork(server: Any, worker: Any) -> None:
    """A connection that the master opened must not be shared by its children."""
    for connection in connections.all(initialized_only=True):
        connection.close()


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that is gone; its counters keep counting."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        with contextlib.suppress(OSError):
            multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
