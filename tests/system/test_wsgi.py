"""What gunicorn's master loads before it forks its workers."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings

_LOAD = """
import sys
import cloudscribe.wsgi
from django.db import connections
loaded = set(sys.modules)
from django.urls import resolve
resolve("/api/v1/documents/")
print(sorted(set(sys.modules) - loaded), [c.alias for c in connections.all() if c.connection is not None])
"""


def test_routes_are_loaded_before_the_fork_without_a_connection() -> None:
    """A worker's first request imports nothing more, and no connection is there to be shared."""
    done = subprocess.run(
        [sys.executable, "-c", _LOAD],
        cwd=settings.BASE_DIR,
        env={**os.environ, "CLOUDSCRIBE_PROCESS": "web"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[] []", done.stderr
