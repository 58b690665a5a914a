"""gunicorn's worker as we use it: connections that are kept, shared fairly by threads and by processes."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from cloudscribe.lib.embedded.processes import wait_until

pytestmark = pytest.mark.system
ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKERS, THREADS = 2, 2


def _connection(port: int) -> contextlib.closing[http.client.HTTPConnection]:
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20))


def _ask(connection: http.client.HTTPConnection, path: str = "/", method: str = "GET") -> int:
    connection.request(method, path, b"body" if method == "POST" else None)
    return int(connection.getresponse().read())


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException), _connection(port) as connection:
        return _ask(connection) > 0
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Where the server notes what is held, and looks whether it may go on."""
    return tmp_path_factory.mktemp("echo")


@contextlib.contextmanager
def _served(folder: pathlib.Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server of two processes with two threads each, and its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        command = [sys.executable, "-m", "gunicorn", "tests.system.echo:application", "--no-control-socket"]
        options = ["-k", "tests.system.echo.EchoWorker", "--log-level", "warning"]
        size = ["-w", str(WORKERS), "--threads", str(THREADS), "-b", f"fd://{listener.fileno()}"]
        process = subprocess.Popen(
            [*command, *options, *size],
            cwd=ROOT,
            env={**os.environ, "ECHO_FOLDER": str(folder)},
            pass_fds=[listener.fileno()],
        )
        number = listener.getsockname()[1]
    try:
        assert wait_until(lambda: _answers(number) and len(_children(process.pid)) == WORKERS, 30)
        yield process, number
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def server(folder: pathlib.Path) -> Iterator[int]:
    """The port of a server for all of these tests but those that end theirs."""
    with _served(folder) as (_, number):
        yield number


@pytest.fixture
def port(server: int, folder: pathlib.Path) -> Iterator[int]:
    """The port of a server that holds nothing: what the test before has left there is let go."""
    yield server
    (folder / "release").touch()
    assert wait_until(lambda: all(_answers(server) for _ in range(4 * WORKERS * THREADS)), 30)
    for file in folder.iterdir():
        file.unlink()


def _children(pid: int) -> list[int]:
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(number) for number in text.split()]


def test_connection_kept_answers_request_after_request(port: int) -> None:
    """One connection, many requests, always the same process."""
    with _connection(port) as connection:
        assert len({_ask(connection) for _ in range(200)}) == 1


def test_requests_sent_in_one_piece_are_all_answered(port: int) -> None:
    """What arrives with the request before it is not forgotten (pipelining, RFC 9112, section 9.3.2)."""
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(request * 4 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    assert answer.count(b"HTTP/1.1 200") == 5


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"], ids=["nothing", "half a head"])
def test_connections_that_send_no_request_hold_up_nobody(port: int, begun: bytes) -> None:
    """Many times as many as there are threads, new ones and such as were answered before."""
    with contextlib.ExitStack() as stack:
        for number in range(40):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            if number % 2:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert client.recv(65_536).startswith(b"HTTP/1.1 200")
            client.sendall(begun)
        started = time.monotonic()
        assert all(_answers(port) for _ in range(10))
        assert time.monotonic() - started < 2


def test_half_a_head_behind_a_request_holds_up_nobody(port: int) -> None:
    """What came in one piece with a whole request waits for its rest as if it came alone."""
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            for _ in range(3 * WORKERS * THREADS)
        ]
        for client in clients:
            client.sendall(request + request[:-2])
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        started = time.monotonic()
        assert all(_answers(port) for _ in range(10))
        assert time.monotonic() - started < 2
        for client in clients:
            client.sendall(request[-2:])
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")


def test_head_that_comes_in_pieces_is_answered(port: int) -> None:
    """Byte by byte, on a new connection and on the same once more; after a mistake, too."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            for byte in b"GET / HTTP/1.1\r\nHost: x\r\n\r\n":
                client.sendall(bytes([byte]))
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        client.sendall(b"x" * 9_000)
        assert client.recv(65_536).startswith(b"HTTP/1.1 400")


def test_connections_that_never_rest_leave_room_for_one_more(port: int) -> None:
    """More busy connections than threads: whoever comes last is answered all the same."""
    stop = threading.Event()

    def hammer() -> None:
        with _connection(port) as connection:
            while not stop.is_set():
                _ask(connection)

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        hammers = [pool.submit(hammer) for _ in range(12)]
        try:
            for _ in range(5):
                with _connection(port) as connection:
                    assert _ask(connection) > 0
        finally:
            stop.set()
    assert [found.exception() for found in hammers] == [None] * 12


def test_burst_of_connections_is_spread_over_the_processes(port: int, folder: pathlib.Path) -> None:
    """Slow requests all at once: none of the processes takes them all and queues what it can't begin."""
    names = [f"request{number}" for number in range(4 * WORKERS * THREADS)]

    def hold(name: str) -> int:
        with _connection(port) as connection:
            return _ask(connection, f"/held/{name}")

    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        held = [pool.submit(hold, name) for name in names]
        begun = wait_until(lambda: len(list(folder.glob("request*"))) == WORKERS * THREADS, 20)
        (folder / "release").touch()
    assert begun
    assert len({found.result() for found in held}) == WORKERS


def test_requests_aside_leave_the_threads_to_others(port: int, folder: pathlib.Path) -> None:
    """However many are long at work there, in whatever spelling: others are answered, and so are they."""
    paths = ["/held/aside", "/held/%61side"] * (2 * WORKERS * THREADS)

    def hold(path: str) -> tuple[int, int]:
        with _connection(port) as connection:
            return _ask(connection, path, "POST"), _ask(connection)

    with concurrent.futures.ThreadPoolExecutor(len(paths)) as pool:
        held = [pool.submit(hold, path) for path in paths]
        begun = wait_until((folder / "aside").exists, 20)
        with _connection(port) as connection:
            answered = [_ask(connection) for _ in range(20)]
        waiting = [found.done() for found in held]
        (folder / "release").touch()
    assert begun
    assert all(answered)
    assert not any(waiting)
    assert all(first == second > 0 for first, second in (found.result() for found in held))


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [("POST", "/held/below/aside", {}), ("GET", "/held/shared/aside", {"X-Word": "open"})],
)
def test_requests_that_bring_a_password_are_aside(
    port: int, folder: pathlib.Path, method: str, path: str, headers: dict[str, str]
) -> None:
    """By where the path begins, and by a header under such a path; others are answered meanwhile."""

    def hold(_: int) -> int:
        with _connection(port) as connection:
            connection.request(method, path, headers=headers)
            return connection.getresponse().status

    with concurrent.futures.ThreadPoolExecutor(3 * WORKERS * THREADS) as pool:
        held = [pool.submit(hold, number) for number in range(3 * WORKERS * THREADS)]
        begun = wait_until((folder / "aside").exists, 20)
        with _connection(port) as connection:
            answered = [_ask(connection) for _ in range(20)]
        waiting = [found.done() for found in held]
        (folder / "release").touch()
    assert begun
    assert all(answered)
    assert not any(waiting)
    assert {found.result() for found in held} == {200}


def test_body_that_belongs_aside_is_there_before_it_gets_there(port: int, folder: pathlib.Path) -> None:
    """Whoever sends it drop by drop keeps none of those few threads, also where the client asks first."""
    head = b"POST /held/aside HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(head)
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        with _connection(port) as connection:
            assert all(_ask(connection) for _ in range(50))
        assert not (folder / "aside").exists()
        client.sendall(b"body")
        assert wait_until((folder / "aside").exists, 20)
        (folder / "release").touch()
        assert b"HTTP/1.1 200" in client.recv(1000) + client.recv(1000)


@pytest.mark.parametrize("headers", [{}, {"Transfer-Encoding": "chunked"}])
def test_body_too_long_to_belong_aside_is_refused(port: int, headers: dict[str, str]) -> None:
    """With the problem of all such refusals, whatever says its length."""
    with _connection(port) as connection:
        body = iter([b"x" * 70_000]) if headers else b"x" * 70_000
        connection.request("POST", "/held/aside", body, headers, encode_chunked=bool(headers))
        answer = connection.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["code"] == "too_large"


def test_body_that_nobody_wanted_is_read_to_its_end(port: int) -> None:
    """However large an upload may be: its sender reads the answer, and goes on by the same connection."""
    with _connection(port) as connection:
        connection.request("POST", "/", bytes(100 * 1024 * 1024))
        assert connection.getresponse().read()
        kept = connection.sock
        assert _ask(connection)
        assert connection.sock is kept is not None


def test_answers_that_nobody_takes_leave_room_for_others(port: int) -> None:
    """As many as there are threads ask for much and read nothing: the next one is answered all the same."""
    with contextlib.ExitStack() as stack:
        for _ in range(WORKERS * THREADS * 2):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            idle.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert _answers(port)


def _refuses(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_who_comes_while_it_ends_is_refused_at_once(tmp_path: pathlib.Path) -> None:
    """Nobody waits for a process that takes nothing any more; what it has taken is answered."""
    with _served(tmp_path) as (process, port), _connection(port) as connection:
        connection.request("GET", "/held/last")
        assert wait_until((tmp_path / "last").exists, 20)
        process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: _refuses(port), 5)
        (tmp_path / "release").touch()
        assert connection.getresponse().status == 200
