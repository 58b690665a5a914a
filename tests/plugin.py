"""The servers under the tests.

A PostgreSQL cluster and a Valkey for every pytest process, xdist workers included.

`prepare_environment` runs before Django's settings are read and only says where the servers will listen; they
are started by the first test that needs them. The migrated cluster is made once per state of the models
(`.cache/test-cluster/<digest>`) and copied. With CLOUDSCRIBE_TEST_DATABASE_URL (a superuser's) and
CLOUDSCRIBE_TEST_REDIS_URL a fresh database on those servers is used instead.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from typing import IO

import psycopg

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import APP_ROLE, DATABASE, OWNER_ROLE, SUPERUSER, Postgres
from cloudscribe.lib.embedded.secrets_file import load_secrets
from cloudscribe.lib.embedded.valkey import Valkey

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
APPS = ("cloudscribe", "accounts", "audit", "documents", "security")
# What decides how a migrated database looks: the migrations, and what apps do after them.
SHAPING = (
    "**/migrations/*.py",
    "**/apps.py",
    "**/receivers.py",
    "**/roles.py",
    "**/database_roles.py",
    "settings.py",
)
KEPT_TEMPLATES = 6
# The change feed waits for every writer of the server, and an analysis of the server's own is one: what a
# test has written would come into the feed a moment later. Embedded servers have autovacuum off as a whole.
STILL_SQL = """
DO $$
DECLARE name regclass;
BEGIN
  FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
    EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', name);
  END LOOP;
END $$
"""
FOREIGN = {"EMAIL_URL", "SENTRY_DSN", "PORT", "RATELIMIT_ENABLE"}


def _digest() -> str:
    found = hashlib.sha256((ROOT / "requirements" / "base.txt").read_bytes())
    for app in APPS:
        for pattern in SHAPING:
            for path in sorted((ROOT / app).glob(pattern)):
                found.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return found.hexdigest()[:16]


def _migrate(environment: dict[str, str]) -> None:
    """Run `manage.py migrate` as the owner role; raises RuntimeError with what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"],
        cwd=ROOT,
        env={
            **os.environ,
            **environment,
            "CLOUDSCRIBE_DATABASE_ROLE": "owner",
            "CLOUDSCRIBE_PROCESS": "command",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(
            "The test database could not be migrated:\n" + (done.stderr or done.stdout)[-4000:]
        )


def _remove_old_templates(keep: pathlib.Path) -> None:
    def age(path: pathlib.Path) -> float:
        return path.stat().st_mtime

    templates = sorted((path for path in keep.parent.iterdir() if path.is_dir() and path != keep), key=age)
    for path in templates[: max(0, len(templates) - KEPT_TEMPLATES + 1)]:
        shutil.rmtree(path, ignore_errors=True)


def _template() -> pathlib.Path:
    """The PostgreSQL data directory that matches the models of now.

    Made by the first process that asks, the others wait.
    """
    home = CACHE / "test-cluster"
    home.mkdir(parents=True, exist_ok=True)
    final = home / _digest()
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            fresh = home / "fresh"
            shutil.rmtree(fresh, ignore_errors=True)
            server = Postgres(Layout.at(fresh), hasty=True, die_with_parent=True)
            server.start()
            try:
                urls = {"DATABASE_URL": server.url(), "DATABASE_OWNER_URL": server.url(OWNER_ROLE)}
                _migrate({**urls, "REDIS_URL": "unix:///nowhere.sock?db=0"})
            finally:
                server.stop_cleanly()
            fresh.rename(final)
            _remove_old_templates(final)
        os.utime(final)
    return final / "postgres"


class EmbeddedServers:
    """This process's own PostgreSQL and Valkey, in a folder of its own that goes with it."""

    def __init__(self, layout: Layout) -> None:
        """Say where they will be; nothing is started."""
        self.started = False
        self._layout = layout
        self.postgres = Postgres(layout, hasty=True, die_with_parent=True)
        self.valkey = Valkey(layout, persistent=False, die_with_parent=True)

    def addresses(self) -> dict[str, str]:
        """The variables that lead the settings here."""
        return {
            "DATABASE_URL": self.postgres.url(),
            "DATABASE_OWNER_URL": self.postgres.url(OWNER_ROLE),
            "REDIS_URL": self.valkey.url(),
        }

    def superuser_url(self) -> str:
        """The database as PostgreSQL's superuser sees it, for tests of what a stronger hand could do."""
        return self.postgres.url(SUPERUSER)

    def start(self) -> None:
        """Copy the migrated cluster and start both servers."""
        if not self._layout.postgres.exists():
            command = ["cp", "-a", "--reflink=auto"] if sys.platform == "linux" else ["cp", "-Rp"]
            subprocess.run([*command, _template(), self._layout.postgres], check=True)
        self.postgres.start()
        self.valkey.start()
        self.started = True

    def stop(self) -> None:
        """End both."""
        self.postgres.stop()
        self.valkey.stop()


class GivenServers:
    """Servers that the caller names (CI's service containers); one pytest process at a time."""

    def __init__(self, superuser_url: str, redis_url: str) -> None:
        """Take the superuser's address of PostgreSQL and Redis's."""
        self._superuser = urllib.parse.urlsplit(superuser_url)
        self._redis_url = redis_url
        self.valkey = None
        self.started = False

    def addresses(self) -> dict[str, str]:
        """The variables that lead the settings there."""
        return {
            "DATABASE_URL": self._url(APP_ROLE),
            "DATABASE_OWNER_URL": self._url(OWNER_ROLE),
            "REDIS_URL": self._redis_url,
        }

    def superuser_url(self) -> str:
        """The test database as the given superuser sees it."""
        return self._superuser._replace(path=f"/{DATABASE}").geturl()

    def start(self) -> None:
        """Make the roles and a fresh, migrated database."""
        with psycopg.connect(self._superuser.geturl(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
            for role in (APP_ROLE, OWNER_ROLE):
                if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
                    connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{role}'".encode())
            connection.execute(
                f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE} TEMPLATE template0 ENCODING 'UTF8'".encode()
            )
            # As the embedded server and docker compose have it: plans are pinned for storage without seeks.
            connection.execute(f"ALTER DATABASE {DATABASE} SET random_page_cost = 1.1".encode())
        _migrate(self.addresses())
        with psycopg.connect(self.superuser_url(), autocommit=True) as connection:
            connection.execute(STILL_SQL)
        self.started = True

    def stop(self) -> None:
        """Nothing to end: they are not ours."""

    def _url(self, role: str) -> str:
        place = self._superuser.netloc.rpartition("@")[2]
        return self._superuser._replace(netloc=f"{role}:{role}@{place}", path=f"/{DATABASE}").geturl()


def _run_directory() -> tuple[pathlib.Path, IO[str]]:
    """A folder for this process alone and the lock that says that it lives.

    Folders of processes that crashed are removed.
    """
    home = CACHE / "test-runs"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        for left in _abandoned(home):
            shutil.rmtree(left, ignore_errors=True)
        mine = home / secrets.token_hex(3)
        mine.mkdir()
        alive = (mine / "alive").open("w")
        fcntl.flock(alive, fcntl.LOCK_EX)
    return mine, alive


def _abandoned(home: pathlib.Path) -> Iterator[pathlib.Path]:
    for path in home.iterdir():
        if not path.is_dir():
            continue
        try:
            with (path / "alive").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        yield path


def prepare_environment() -> EmbeddedServers | GivenServers:
    """Point the environment at this process's servers-to-be and clean up behind it at exit."""
    directory, alive = _run_directory()
    layout = Layout.at(directory / "data")
    (layout.data / "static").mkdir()
    servers: EmbeddedServers | GivenServers = EmbeddedServers(layout)
    if given := os.environ.get("CLOUDSCRIBE_TEST_DATABASE_URL"):
        servers = GivenServers(given, os.environ["CLOUDSCRIBE_TEST_REDIS_URL"])
    for name in list(os.environ):
        # What a developer's shell holds must not change what the tests see.
        if name in FOREIGN or (name.startswith("CLOUDSCRIBE_") and not name.startswith("CLOUDSCRIBE_TEST_")):
            del os.environ[name]
    os.environ.update(
        {
            **servers.addresses(),
            **load_secrets(layout),
            "CLOUDSCRIBE_DATA": str(layout.data),
            "CLOUDSCRIBE_PROCESS": "web",
            "DJANGO_SETTINGS_MODULE": "cloudscribe.settings",
        }
    )
    owner = os.getpid()

    def clean() -> None:
        if os.getpid() == owner:
            servers.stop()
            alive.close()
            shutil.rmtree(directory, ignore_errors=True)

    atexit.register(clean)
    return servers
