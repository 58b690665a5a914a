"""Fixtures of every test; the servers are prepared before Django's settings are read.

Which is why imports stand below calls.
"""

from __future__ import annotations

import functools
import gc
import importlib
import os
import pathlib
import signal
from collections.abc import Iterator
from typing import Any

import hypothesis
import psycopg
import pytest
import redis
from django.conf import settings
from django.core.signals import setting_changed
from django.db import connections
from django.test import TransactionTestCase
from django.test.client import ClientHandler
from pytest_django import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from tests import plugin

if settings.configured:
    pytest.exit(
        "Unset DJANGO_SETTINGS_MODULE and --ds: the tests choose their settings and servers themselves.",
        returncode=2,
    )
SERVERS = plugin.prepare_environment()
# pytest-django sets Django up when it finds the settings loaded. xdist's workers inherit this environment,
# and where it names the settings pytest-django would load them before a worker has chosen its servers.
assert settings.DATABASES
# A thread would not see the rows of a test's transaction; what it would do is done inline.
settings.TIMERS = False
settings.PASSWORD_HASHERS = ["tests.hashers.QuickHasher"]
del os.environ["DJANGO_SETTINGS_MODULE"]

# How fast examples come says something about the machine, not about the code.
hypothesis.settings.register_profile(
    "shared-machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared-machine")

# Rows that migrations and their receivers make; all others are a test's own.
REFERENCE_TABLES = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
    "audit_epoch",
    "accounts_groupstamp",
    "accounts_peoplestamp",
    "accounts_rolepolicy",
    "security_ratelimitpolicy",
}


# These files share what takes long to start.
TOGETHER = {
    "tests/system/test_backup.py": "installation",
    "tests/system/test_supervisor.py": "installation",
    "tests/system/test_editing_guide.py": "installation",
    "tests/system/test_readme_tour.py": "installation",
    "tests/admin/test_pages.py": "browser",
    "tests/admin/test_people.py": "browser",
    "tests/admin/test_tokens.py": "browser",
    "tests/lib/api/test_docs_pages.py": "browser",
    "tests/documents/test_shared_browser.py": "browser",
}
# These wait most of their time, for processes that start or end, for time-outs, for a browser.
WAITING = {
    "browser",
    "installation",
    "tests/admin/test_queues.py",
    "tests/jobs/test_admin_queues.py",
    "tests/jobs/test_pool.py",
    "tests/lib/test_embedded.py",
    "tests/lib/test_postgresql_hung.py",
    "tests/security/test_outgoing.py",
    "tests/security/test_workers.py",
    "tests/system/test_exit_codes.py",
    "tests/system/test_web_worker.py",
}
# Their tests take hours and share nothing.
APART = {"tests/prove/test_following.py", "tests/prove/test_rights.py", "tests/prove/test_tree_races.py"}


class ByFile(LoadFileScheduling):
    """The tests of a file run in one process, in the order of the collection: its fixtures are made once.

    The first process begins with the files that wait: if all of them waited, the machine would.
    """

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return nodeid if file in APART else TOGETHER.get(file, file)

    def _assign_work_unit(self, node: WorkerController) -> None:
        waits = node is self.nodes[0]
        fitting = (scope for scope in self.workqueue if (scope in WAITING) == waits)
        if (scope := next(fitting, None)) is not None:
            self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Load the fixtures that need the models, now that Django is set up."""
    for name in ("tests.fixtures", "tests.admin.browser", "tests.oidc.tools"):
        session.config.pluginmanager.import_plugin(name)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Begin with the files that take long, so that no process is left with one when the others are done.

    Tests of a file follow each other as they begin (tests.fixtures.Begins).
    """

    def rank(item: pytest.Item) -> int:
        return next((at for at, mark in enumerate(("system", "slow")) if item.get_closest_marker(mark)), 2)

    ranks: dict[pathlib.Path, int] = {}
    places: dict[pathlib.Path, int] = {}
    for place, item in enumerate(items):
        ranks[item.path] = min(rank(item), ranks.get(item.path, 2))
        places.setdefault(item.path, place)
    items.sort(key=lambda item: (ranks[item.path], places[item.path], item.callspec.params["begins"]))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    """Spare the collector of garbage what lives as long as the process: modules, models, tests.

    While they are made it would go over all of them again and again, and find next to nothing.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
        # What a test leaves behind in circles is little beside what lives on and would be walked through.
        gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand the tests out by file."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Start this process's servers on a migrated copy; no test database is made beside it."""
    SERVERS.start()
    # Imported by a request within a test's transaction it would leave that idle for seconds.
    importlib.import_module(settings.ROOT_URLCONF)
    yield
    with django_db_blocker.unblock():
        connections.close_all()


@functools.cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"])


@pytest.fixture(autouse=True)
def _fresh_redis() -> None:
    """Counters and cached answers of one test are not the next one's."""
    if SERVERS.started:
        _redis().flushall()


@pytest.fixture
def redis_gone(django_db_setup: None) -> Iterator[None]:
    """Redis refuses every connection during the test."""
    if SERVERS.valkey is None:
        pytest.skip("the servers are somebody else's")
    SERVERS.valkey.stop()
    yield
    SERVERS.valkey.start()


@pytest.fixture
def redis_hung(django_db_setup: None) -> Iterator[None]:
    """Redis takes connections and never answers during the test."""
    if SERVERS.valkey is None:
        pytest.skip("the servers are somebody else's")
    SERVERS.valkey.signal(signal.SIGSTOP)
    yield
    SERVERS.valkey.signal(signal.SIGCONT)


# Every row of a test goes, whatever foreign keys and triggers say, and whatever a thread is still writing is
# waited for. TRUNCATE would make each table's and index's file anew, which takes ten times as long as to
# delete a handful of rows.
EMPTY_SQL = f"""
SET session_replication_role = replica;
SET lock_timeout = '20s';
DO $$
DECLARE
  tables regclass[] := ARRAY(SELECT oid::regclass FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      AND relname NOT IN ({", ".join(f"'{name}'" for name in sorted(REFERENCE_TABLES))}));
  name regclass;
  filled boolean;
BEGIN
  EXECUTE 'LOCK TABLE ' || array_to_string(tables, ', ') || ' IN SHARE ROW EXCLUSIVE MODE';
  FOREACH name IN ARRAY tables LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO filled;
    IF filled THEN
      EXECUTE format('DELETE FROM %s', name);
    END IF;
  END LOOP;
END $$;
DELETE FROM accounts_groupstamp USING auth_group
  WHERE auth_group.id = group_id AND auth_group.name NOT LIKE 'role:%';
UPDATE accounts_rolepolicy SET second_factor = false WHERE second_factor;
DELETE FROM auth_group WHERE name NOT LIKE 'role:%';
"""


@functools.cache
def _superuser() -> psycopg.Connection[Any]:
    return psycopg.connect(SERVERS.superuser_url(), autocommit=True)


def _fixture_teardown(self: TransactionTestCase) -> None:
    """In place of Django's `flush`, which empties the reference rows, too.

    And remakes them by post_migrate after each test. A server's process that writes now may take the
    tables in another order: one of both gives way, and we try again.
    """
    for last in (False, False, True):
        try:
            _superuser().execute(EMPTY_SQL.encode())
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
            if last:
                raise
        else:
            return


TransactionTestCase._fixture_teardown = _fixture_teardown  # type: ignore[attr-defined]


_LOADED: list[ClientHandler] = []
_load_middleware = ClientHandler.load_middleware


def _share_middleware(self: ClientHandler) -> None:
    """Give every client the middlewares of the first, as a server gives its requests."""
    if not _LOADED:
        _load_middleware(self)
        _LOADED.append(self)
    self._middleware_chain = _LOADED[0]._middleware_chain


def _forget_middleware(**changed: object) -> None:
    """Middlewares read some settings when they are made."""
    _LOADED.clear()


ClientHandler.load_middleware = _share_middleware
setting_changed.connect(_forget_middleware)

_STATIC_FILES: dict[tuple[Any, ...], dict[str, Any]] = {}
_files_of_finders = WhiteNoiseMiddleware.add_files_from_finders


def _add_files_once(self: WhiteNoiseMiddleware) -> None:
    """Read the metadata of the static files once for each way to serve them.

    There are hundreds, and no test adds one; a test that changes any setting has its middlewares made anew.
    """
    served = (self.static_prefix, self.max_age, self.charset, self.allow_all_origins)
    if served not in _STATIC_FILES:
        before, self.files = self.files, {}
        _files_of_finders(self)
        _STATIC_FILES[served], self.files = self.files, before
    self.files.update(_STATIC_FILES[served])


WhiteNoiseMiddleware.add_files_from_finders = _add_files_once
