"""`make run`'s supervisor with everything under it: what dies comes back, what is told to end ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import Postgres
from cloudscribe.lib.embedded.processes import Handle, process_exists, wait_until
from cloudscribe.lib.embedded.valkey import Valkey

pytestmark = pytest.mark.system
ROOT = pathlib.Path(__file__).resolve().parents[2]
WORDS = {"web": "gunicorn", "worker": "rqworkers", "scheduler": "scheduler"}


class Run:
    """One supervisor on a data folder of its own, as `make run` starts it."""

    def __init__(self, data: pathlib.Path) -> None:
        self.data = data
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """The shell's, without what the tests have put there."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {
            **kept,
            "CLOUDSCRIBE_DATA": str(self.data),
            "PORT": str(self.port),
            "CLOUDSCRIBE_HEAD_TIMEOUT": "1",
        }

    def command(self) -> subprocess.Popen[bytes]:
        """A supervisor that nobody waits for."""
        log = (self.data.parent / "run.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", "cloudscribe.lib.supervisor"],
            cwd=ROOT,
            env=self.environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def start(self) -> None:
        """Return when it is ready by its own word: what an earlier one left may still answer for a while."""
        before = len(self.journal())
        self.process = self.command()
        wait_until(lambda: "ready" in self.journal()[before:] or not self.serves(), 90, step=0.2)
        assert wait_until(self.whole, 10), self.output()[-3000:]

    def end(self) -> None:
        """Kill all that runs on this folder, servers included."""
        for pid in self.family():
            Handle(pid).end(signal.SIGKILL, 5)
        if self.process is not None:
            self.process.wait()

    def journal(self) -> list[str]:
        """The events that supervisors of this folder have noted."""
        path = Layout(self.data).log / "supervisor.log"
        return [json.loads(line)["event"] for line in path.read_text().splitlines()] if path.exists() else []

    def output(self) -> str:
        """All that it has printed."""
        return (self.data.parent / "run.log").read_text()

    def ready(self) -> bool:
        """Whether /health/ready says 200."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)) as connection:
            try:
                connection.request("GET", "/health/ready")
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False

    def family(self) -> dict[int, str]:
        """All processes of this data folder by number, with their command lines."""
        mark = f"CLOUDSCRIBE_DATA={self.data}".encode()
        found = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in entry.joinpath("environ").read_bytes().split(b"\0") and process_exists(
                    int(entry.name)
                ):
                    found[int(entry.name)] = (
                        entry.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
                    )
        return found

    def child(self, word: str) -> int | None:
        """The direct child of the supervisor whose command line holds `word`."""
        assert self.process is not None
        for pid, line in self.family().items():
            with contextlib.suppress(OSError):
                parent = int(pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
                if parent == self.process.pid and word in line:
                    return pid
        return None

    def serves(self) -> bool:
        """Whether the supervisor was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def whole(self) -> bool:
        """Whether all of it runs and answers, and nothing of a child that was killed is still there."""
        if not self.serves():
            return False
        children = {self.child(word) for word in WORDS.values()}
        servers = {kind(Layout(self.data)).pid() for kind in (Postgres, Valkey)}
        if None in children | servers:
            return False
        sessions = set()
        for pid, line in self.family().items():
            with contextlib.suppress(OSError):
                if any(word in line for word in WORDS.values()):
                    sessions.add(os.getsid(pid))
        return sessions == children and self.ready()


def _free_port() -> int:
    """A port below those that the system hands out, so that no client takes it while nothing listens."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    pytest.fail("no port is free")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One data folder for this file; what a failed test left running is ended."""
    found = Run(tmp_path_factory.mktemp("supervisor") / "data")
    yield found
    found.end()


@pytest.fixture
def run(installation: Run) -> Run:
    """A running supervisor with all its children, whatever the test before has done to it."""
    if not (installation.serves() and wait_until(installation.whole, 10)):
        installation.end()
        installation.start()
    return installation


def test_banner_newcomer_first_start_tells_where_to_look(run: Run) -> None:
    """Addresses, the administrator, and a generated password, once."""
    assert wait_until(lambda: "CloudScribe is ready" in run.output(), 10)
    for text in (f"http://127.0.0.1:{run.port}/api/docs/", "/admin/", "admin@example.org", "shown this once"):
        assert text in run.output()


def _sent(port: int, data: bytes) -> tuple[bytes, bytes]:
    """Head and body of what the web server says to raw bytes, sent to the end before anything is read."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(data)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    "data",
    [
        b"GET /api/v1/me/?q=" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/v1/secret/\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/v1/me/ HTTP/1.1\r\nHost: x\r\nX-Long: " + b"secret" * 9_000 + b"\r\n\r\n",
        b"POST /api/v1/me/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_request_malformed_is_a_problem_like_any_other(run: Run, data: bytes) -> None:
    """What never reaches the application has an id and a body in the one form; nothing is quoted."""
    head, body = _sent(run.port, data)
    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.1 400 Bad Request")
    assert (problem["status"], problem["code"]) == (400, "bad_request")
    assert f"X-Request-ID: {problem['request_id']}".encode() in head
    assert b"application/problem+json" in head
    assert b"secret" not in body


def test_body_refused_unread_leaves_the_refusal_readable(run: Run) -> None:
    """A client that sends all of a large body first still reads why it wasn't taken."""
    size = 24 * 1024 * 1024
    head = (
        "POST /api/v1/auth/login/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {size}\r\n"
    )
    for connection in ("close", "keep-alive"):
        answer, body = _sent(run.port, f"{head}Connection: {connection}\r\n\r\n".encode() + b" " * size)
        assert answer.startswith(b"HTTP/1.1 413"), answer
        assert json.loads(body)["code"] == "too_large"


def test_body_in_chunks_is_read(run: Run) -> None:
    """As streaming clients send it; broken chunks are the client's fault."""
    head = (
        b"POST /api/v1/auth/login/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    body = b'{"email": "nobody@example.org", "password": "wrong"}'
    answer, _ = _sent(run.port, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    assert answer.startswith(b"HTTP/1.1 401"), answer
    answer, _ = _sent(run.port, head + b"zz\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 400"), answer


@pytest.mark.parametrize("name", ["web", "worker", "scheduler"])
def test_child_killed_is_started_again_in_5_s(run: Run, name: str) -> None:
    """Whatever dies comes back by itself."""
    before = run.child(WORDS[name])
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: run.child(WORDS[name]) not in {None, before}, 5)
    assert wait_until(run.whole, 30)


@pytest.mark.parametrize("kind", [Postgres, Valkey])
def test_server_killed_is_started_again_in_5_s(run: Run, kind: type[Postgres | Valkey]) -> None:
    """The databases, too; the application finds them again without a restart."""
    server = kind(Layout(run.data))
    before = server.pid()
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: server.pid() not in {None, before}, 5)
    assert wait_until(run.whole, 30)


def test_heads_that_drip_do_not_stop_the_service(run: Run) -> None:
    """As many slow clients as there are threads, each a byte at a time, are cut; others are answered."""
    slow = [socket.create_connection(("127.0.0.1", run.port), timeout=10) for _ in range(16)]
    try:
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert wait_until(run.ready, 8)
        assert [connection.recv(1) for connection in slow] == [b""] * len(slow)
    finally:
        for connection in slow:
            connection.close()


def test_second_run_on_the_same_folder_is_refused(run: Run) -> None:
    """Two supervisors would fight over the servers: exit 2, and the first goes on."""
    second = run.command()
    assert second.wait(20) == 2
    assert "already runs" in run.output()
    assert wait_until(run.ready, 5)


def test_owner_address_is_kept_from_children(run: Run) -> None:
    """What serves and works never learns how to sign in as the owner of the tables."""
    for word in WORDS.values():
        pid = run.child(word)
        assert b"\0DATABASE_OWNER_URL=" not in pathlib.Path(f"/proc/{pid}/environ").read_bytes()


def test_run_after_a_kill_of_the_supervisor_takes_over(run: Run) -> None:
    """SIGKILL to the supervisor leaves servers and perhaps children: the next one adopts or ends them."""
    assert run.process is not None
    server = Postgres(Layout(run.data)).pid()
    run.process.kill()
    run.process.wait()
    run.start()
    assert Postgres(Layout(run.data)).pid() == server
    web = [pid for pid, line in run.family().items() if "gunicorn" in line]
    assert len(web) <= 3


def test_interrupt_ends_everything_in_30_s(run: Run) -> None:
    """Ctrl-C: no process is left and the exit code is 0."""
    assert run.process is not None
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(30) == 0
    assert run.family() == {}
