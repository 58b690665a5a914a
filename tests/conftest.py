"""Fixtures of every test; the servers are prepared before Django's settings are read.

Which is why imports stand below calls.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest
import redis
from django.conf import settings
from django.db import connection, connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

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
    "security_ratelimitpolicy",
}


def pytest_sessionstart(session: pytest.Session) -> None:
    """Load the fixtures that need the models, now that Django is set up."""
    for name in ("tests.fixtures", "tests.admin.browser"):
        session.config.pluginmanager.import_plugin(name)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Start this process's servers on a migrated copy; no test database is made beside it."""
    SERVERS.start()
    yield
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture(autouse=True)
def _fresh_redis() -> None:
    """Counters and cached answers of one test are not the next one's."""
    if SERVERS.started:
        redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()


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


def _empty_tables() -> None:
    """Truncate every table that holds rows of a test: most of them are empty.

    And asking is much cheaper than emptying.
    """
    with connection.cursor() as cursor:
        names = [
            name for name in connection.introspection.table_names(cursor) if name not in REFERENCE_TABLES
        ]
        asked = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT FROM {connection.ops.quote_name(name)})" for name in names
        )
        cursor.execute(asked)
        filled = ", ".join(connection.ops.quote_name(name) for (name,) in cursor.fetchall())
        if filled:
            cursor.execute(f"TRUNCATE {filled} CASCADE")


def _fixture_teardown(self: TransactionTestCase) -> None:
    """In place of Django's `flush`, which empties the reference rows, too.

    And remakes them by post_migrate after each test.
    """
    _empty_tables()


TransactionTestCase._fixture_teardown = _fixture_teardown  # type: ignore[attr-defined]
