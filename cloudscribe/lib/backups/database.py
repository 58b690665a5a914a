"""PostgreSQL's part of a backup: a script of SQL by pg_dump, which psql runs whole or not at all.

The script names no role and gives no right, so that it fits a server whose roles have other names; rights
are given anew by what `migrate` does at its end.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cloudscribe.lib import env
from cloudscribe.lib.embedded.binaries import ServersMissing, postgres_program

_DUMP = (
    *("--format=plain", "--encoding=UTF8", "--no-password", "--no-owner", "--no-privileges", "--no-comments"),
    *("--no-publications", "--no-subscriptions", "--no-security-labels", "--no-tablespaces"),
)
_EMPTY_SQL = """
SELECT NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e'))
"""


class ToolFailed(Exception):
    """One of PostgreSQL's programs is missing or did not do its work; the message is fit to be printed."""


def owner_url() -> str:
    """The database's address by the role that owns all objects, as the settings have it."""
    return env.raw("DATABASE_OWNER_URL") or env.raw("DATABASE_URL") or ""


@contextlib.contextmanager
def dumped(url: str, folder: pathlib.Path) -> Iterator[tuple[IO[bytes], int]]:
    """A script of the database, packed by gzip, in a nameless file of `folder`, and its size.

    It is of one moment, and keeps no writer waiting. Raises ToolFailed.
    """
    address, environment = _address(url)
    command = [_program("pg_dump", url), *_DUMP, "--compress=6", f"--dbname={address}"]
    with tempfile.TemporaryFile(dir=folder) as script:
        done = subprocess.run(command, stdout=script, stderr=subprocess.PIPE, env=environment, check=False)
        if done.returncode != 0:
            raise ToolFailed(f"pg_dump: {_said(done.stderr)}")
        size = script.seek(0, os.SEEK_END)
        script.seek(0)
        yield script, size


def load(url: str, packed: Iterable[bytes], *, afterwards: str) -> str:
    """Run a script that `dumped` wrote, and then `afterwards`, in one transaction; gives what that ends with.

    Raises ToolFailed, and whatever `packed` raises; then nothing of it stays.
    """
    address, environment = _address(url)
    command = [_program("psql", url), "-XqAt", "--no-password", "-v", "ON_ERROR_STOP=1", "-d", address]
    with tempfile.TemporaryFile() as answers, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=answers, stderr=complaints, env=environment
        )
        try:
            # psql's own complaint says why it takes no more.
            with contextlib.suppress(BrokenPipeError), cast("IO[bytes]", process.stdin) as sink:
                sink.writelines(_whole(packed, afterwards))
        finally:
            process.wait()
        if process.returncode != 0:
            complaints.seek(0)
            raise ToolFailed(f"psql: {_said(complaints.read())}")
        answers.seek(0)
        return answers.read().decode().strip().rpartition("\n")[2]


def _whole(packed: Iterable[bytes], afterwards: str) -> Iterator[bytes]:
    """The script as it is run: what ends before its COMMIT is rolled back."""
    yield b"BEGIN;\n"
    yield from _unpacked(packed)
    # Without statistics the first hours would have the wrong plans.
    yield f"\n{afterwards}\nCOMMIT;\nANALYZE;\n".encode()


def is_empty(url: str) -> bool:
    """Whether no table of anybody's is in the database's public schema; raises psycopg.Error."""
    with psycopg.connect(url) as connection:
        row = connection.execute(_EMPTY_SQL).fetchone()
    return bool(row and row[0])


def _unpacked(packed: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        for piece in packed:
            yield unpacker.decompress(piece)
    except zlib.error as error:
        raise ToolFailed(f"the script of the database can't be unpacked: {error}") from error
    if not unpacker.eof or unpacker.unused_data:
        raise ToolFailed("the script of the database is not whole")


def _address(url: str) -> tuple[str, dict[str, str]]:
    """The address without its password, and an environment that has it: everybody sees a command line."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    password = parts.pop("password", "")
    secret = {"PGPASSWORD": password} if password else {}
    return make_conninfo(**parts), {**os.environ, "LC_ALL": "C", **secret}


def _program(name: str, url: str) -> str:
    """The program of the server's own version where there is one, else a newer one's; raises ToolFailed."""
    with psycopg.connect(url) as connection:
        server = connection.info.server_version // 10_000
    found = {version: path for path in _installed(name) if (version := _version(path)) >= server}
    if not found:
        raise ToolFailed(
            f"{name} of PostgreSQL {server} or newer is needed; install it, or requirements/run.txt."
        )
    return str(found[min(found)])


def _installed(name: str) -> Iterator[pathlib.Path]:
    with contextlib.suppress(ServersMissing):
        yield postgres_program(name)
    beside = shutil.which(name)
    if beside:
        yield pathlib.Path(beside)


def _version(program: pathlib.Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"(\d+)", said)
    return int(number[1]) if number else 0


def _said(complaint: bytes) -> str:
    return complaint.decode(errors="replace").strip() or "it ended without a word"
