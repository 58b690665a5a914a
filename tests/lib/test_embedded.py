"""The embedded servers as processes: started, shared, adopted, and started over what a SIGKILL left."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import APP_ROLE, OWNER_ROLE, SUPERUSER, Postgres
from cloudscribe.lib.embedded.processes import Handle, process_exists, wait_until
from cloudscribe.lib.embedded.sharing import SharedServers
from cloudscribe.lib.embedded.valkey import Valkey

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Says that the servers run, then waits for its standard input to close.
USER = """
import sys
from cloudscribe.lib.embedded.sharing import ensure_servers
ensure_servers(sys.argv[1])
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """One installation for this file; what a failed test left running is ended."""
    found = Layout.at(tmp_path_factory.mktemp("embedded") / "data")
    yield found
    for server in (Postgres(found), Valkey(found)):
        pid = server.pid()
        if pid is not None:
            Handle(pid).end(signal.SIGKILL, 5)


def _command(layout: Layout) -> subprocess.Popen[str]:
    """Another command on the same data folder, with its servers ready."""
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    child = subprocess.Popen(
        [sys.executable, "-c", USER, str(layout.data)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def _finish(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(20) == 0


def test_servers_of_a_new_folder_are_complete(layout: Layout) -> None:
    """Two roles, a database that knows letters outside ASCII, no TCP port, checksums.

    And nothing running afterwards.
    """
    shared = SharedServers(layout, {})
    shared.open()
    assert shared.postgres is not None
    try:
        with psycopg.connect(shared.postgres.url(APP_ROLE)) as connection:
            row = connection.execute(
                "SELECT current_user, lower('É'), current_setting('listen_addresses'),"
                " current_setting('data_checksums'),"
                " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),"
                " (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database())"
            ).fetchone()
        assert row == (APP_ROLE, "é", "", "on", False, OWNER_ROLE)
        with psycopg.connect(shared.postgres.url(OWNER_ROLE)) as connection:
            connection.execute("CREATE EXTENSION pg_trgm")
            assert connection.execute("SELECT show_trgm('я') <> '{}'").fetchone() == (True,)
            connection.rollback()
    finally:
        shared.close()
    assert Postgres(layout).pid() is None
    assert Valkey(layout).pid() is None


def test_servers_stop_with_the_last_of_two_commands(layout: Layout) -> None:
    """The second command uses the servers of the first, and keeps them when the first ends."""
    first = _command(layout)
    pid = Postgres(layout).pid()
    second = _command(layout)
    assert Postgres(layout).pid() == pid
    _finish(first)
    assert Postgres(layout).pid() == pid
    _finish(second)
    assert Postgres(layout).pid() is None


def test_servers_of_a_killed_command_are_adopted(layout: Layout) -> None:
    """SIGKILL leaves both running; the next command uses these and, being the last, stops them."""
    killed = _command(layout)
    pids = (Postgres(layout).pid(), Valkey(layout).pid())
    killed.kill()
    killed.wait()
    assert None not in pids
    following = _command(layout)
    assert (Postgres(layout).pid(), Valkey(layout).pid()) == pids
    _finish(following)
    assert (Postgres(layout).pid(), Valkey(layout).pid()) == (None, None)


def test_server_told_to_stop_while_clients_stay_is_started_again(layout: Layout) -> None:
    """A SIGTERM has PostgreSQL wait for its clients and refuse new ones: that is no server to live with."""
    postgres = Postgres(layout)
    postgres.start()
    before = postgres.pid()
    assert before is not None
    try:
        with contextlib.closing(psycopg.connect(postgres.url(APP_ROLE))):
            os.kill(before, signal.SIGTERM)
            assert wait_until(lambda: not postgres.alive(), 5)
            postgres.start()
        assert postgres.pid() not in {None, before}
        with psycopg.connect(postgres.url(APP_ROLE)) as connection:
            connection.execute("SELECT 1")
    finally:
        postgres.stop()


def test_servers_start_over_what_a_kill_of_all_left(layout: Layout) -> None:
    """After SIGKILL of the servers themselves their pid files and sockets are stale.

    What was committed is there.
    """
    command = _command(layout)
    with psycopg.connect(Postgres(layout).url(OWNER_ROLE)) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (42)")
    for pid in (Postgres(layout).pid(), Valkey(layout).pid(), command.pid):
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    command.wait()
    following = _command(layout)
    with psycopg.connect(Postgres(layout).url(OWNER_ROLE)) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
    _finish(following)


def test_postgres_starts_over_a_pid_file_that_names_another_program(layout: Layout) -> None:
    """After a reboot the number may be anybody's: ours, here."""
    earlier = Postgres(layout)
    earlier.start()
    earlier.stop()
    (layout.postgres / "postmaster.pid").write_text(f"{os.getpid()}\n{layout.postgres}\n1\n5432\n")
    server = Postgres(layout)
    server.start()
    assert server.alive()
    server.stop()


def test_valkey_that_hangs_is_replaced(layout: Layout) -> None:
    """A stopped process holds the socket and never answers; the next start ends it."""
    hung = Valkey(layout, persistent=False)
    hung.start()
    pid = hung.pid()
    assert pid is not None
    hung.signal(signal.SIGSTOP)
    fresh = Valkey(layout, persistent=False)
    fresh.start()
    assert fresh.pid() not in {None, pid}
    fresh.stop()
    assert wait_until(lambda: not process_exists(pid), 5)


def test_one_given_address_starts_only_the_other_server(tmp_path: pathlib.Path) -> None:
    """Either address may be given alone."""
    layout = Layout.at(tmp_path / "data")
    shared = SharedServers(layout, {"DATABASE_URL": "postgres://somebody@elsewhere/db"})
    shared.open()
    try:
        assert list(shared.addresses()) == ["REDIS_URL"]
        assert not layout.postgres.exists()
        assert Valkey(layout).pid() is not None
    finally:
        shared.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_servers_run_for_a_user_without_a_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Containers start programs under numbers that no file names; the data stays that user's."""
    home = pathlib.Path("/tmp") / f"cloudscribe-test-{os.getpid()}"  # noqa: S108 (pytest's own folder is root's alone)
    home.mkdir()
    os.chown(home, 54321, 54321)
    script = (
        "import sys; from cloudscribe.lib.embedded.layout import Layout;"
        "from cloudscribe.lib.embedded.postgres import Postgres;"
        "server = Postgres(Layout.at(sys.argv[1]), hasty=True); server.start();"
        "print(server.psql('SELECT 7').strip()); server.stop()"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", script, str(home / "data")],
            cwd=ROOT,
            user=54321,
            group=54321,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
    except PermissionError:
        pytest.skip("the interpreter lies where only root may go")
    else:
        assert done.stdout == "7\n", done.stderr
        assert (home / "data" / "postgres").stat().st_uid == 54321
    finally:
        subprocess.run(["rm", "-rf", home], check=True)


def test_superuser_name_is_postgres() -> None:
    """Operators are told this name."""
    assert SUPERUSER == "postgres"
