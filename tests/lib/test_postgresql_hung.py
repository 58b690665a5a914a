"""A PostgreSQL that takes statements and never answers costs a request a bounded time and no restart."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, close_old_connections, connection, connections
from pytest_django import DjangoDbBlocker

from cloudscribe.lib.connections import database_config
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.processes import processes_living_in
from cloudscribe.lib.postgresql.base import DatabaseWrapper
from tests.fixtures import ApiClient
from tests.plugin import EmbeddedServers

PATIENCE = 0.4
# What the machine may take on top of that; without a limit of ours it would be for ever.
SLACK = 4.0


class Cluster:
    """A migrated cluster of this file's own, whose processes can be halted."""

    def __init__(self, layout: Layout) -> None:
        self.servers = EmbeddedServers(layout)
        self._directory = layout.postgres

    def halt(self) -> None:
        """Stop every process of the server where it stands; the kernel still takes connections."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let them run again."""
        self._signal(signal.SIGCONT)

    def wrapper(self, process_kind: str = "web", **options: float) -> DatabaseWrapper:
        """A connection to it with the limits of a kind of process, or with `options` in their place."""
        url = self.servers.postgres.url()
        config = {**connections.settings["default"], **database_config(url, process_kind)}
        config["OPTIONS"].update(options)
        return DatabaseWrapper(config)

    def _signal(self, number: int) -> None:
        for pid in processes_living_in(self._directory):
            # One that ends by itself meanwhile is no concern.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


@pytest.fixture(scope="module")
def own_cluster(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Started once for this file."""
    found = Cluster(Layout.at(tmp_path_factory.mktemp("hung") / "data"))
    found.servers.start()
    yield found
    found.servers.stop()


@pytest.fixture
def cluster(own_cluster: Cluster, django_db_blocker: DjangoDbBlocker) -> Iterator[Cluster]:
    """Running at the beginning and at the end of a test."""
    with django_db_blocker.unblock():
        yield own_cluster
        own_cluster.go_on()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[DatabaseWrapper]:
    """A connection to the cluster in the place of this thread's usual one."""
    usual = connections["default"]
    made = cluster.wrapper(answer_timeout=PATIENCE, connect_timeout=2)
    connections["default"] = made
    yield made
    cluster.go_on()
    made.close()
    connections["default"] = usual


def _ask(database: DatabaseWrapper) -> tuple[int, ...]:
    with database.cursor() as cursor:
        cursor.execute("SELECT 1")
        row: tuple[int, ...] = cursor.fetchone()
        return row


def _seconds(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def _fail_to_ask(database: DatabaseWrapper) -> None:
    with pytest.raises(OperationalError):
        _ask(database)


def test_statement_server_halted_ends_and_costs_the_connection(
    cluster: Cluster, database: DatabaseWrapper
) -> None:
    """Nobody waits longer than the limit; what the late answer would be read as is never found out."""
    assert _ask(database) == (1,)
    cluster.halt()
    assert PATIENCE <= _seconds(lambda: _fail_to_ask(database)) < PATIENCE + SLACK
    assert not database.is_usable()


def test_statement_server_that_goes_on_is_asked_over_a_new_connection(
    cluster: Cluster, database: DatabaseWrapper
) -> None:
    """The end of the trouble needs no restart."""
    database.ensure_connection()
    cluster.halt()
    _fail_to_ask(database)
    cluster.go_on()
    database.close_if_unusable_or_obsolete()
    assert _ask(database) == (1,)


def test_prepared_statement_server_halted_ends(cluster: Cluster, database: DatabaseWrapper) -> None:
    """The hot statements have the same limit."""
    database.ensure_connection()
    cluster.halt()
    with pytest.raises(OperationalError):
        database.prepared_rows("SELECT 1", [])
    assert not database.is_usable()


def test_connect_server_halted_ends(cluster: Cluster, database: DatabaseWrapper) -> None:
    """A halted postmaster's socket still takes connections, which nobody greets."""
    cluster.halt()
    assert _seconds(lambda: _fail_to_ask(database)) < 2 + SLACK


def test_statement_that_the_server_refuses_leaves_the_connection(database: DatabaseWrapper) -> None:
    """Only what was left without an answer is given up."""
    with database.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SET statement_timeout = 20; SELECT pg_sleep(10)")
    kept = database.connection
    assert _ask(database) == (1,)
    assert database.connection is kept


def test_request_server_halted_is_503_and_well_afterwards(
    cluster: Cluster, database: DatabaseWrapper
) -> None:
    """The client hears that it should come back, and when it does everything works."""
    client = ApiClient()
    ask = {"email": "nobody@example.org", "password": "wrong-horse-battery"}
    assert client.post("auth/login/", ask).status_code == 401
    cluster.halt()
    answer = client.post("auth/login/", ask)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    cluster.go_on()
    close_old_connections()  # as the server does around each request, and the test's client doesn't
    assert client.post("auth/login/", ask).status_code == 401


@pytest.mark.parametrize(("kind", "seconds"), [("web", 12), ("job", 302), ("command", None)])
def test_limit_is_above_that_of_the_server(cluster: Cluster, kind: str, seconds: int | None) -> None:
    """A slow statement is ended by the server, which says so; an operator's command may take its time."""
    database = cluster.wrapper(kind)
    database.ensure_connection()
    assert database.connection.answer_timeout == seconds
    database.close()


def test_connection_of_the_application_has_the_limit() -> None:
    """The settings' own database is bounded in all that a web process does."""
    assert connection.settings_dict["OPTIONS"]["answer_timeout"] == 12
