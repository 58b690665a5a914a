"""`make run`'s supervisor with everything under it: what dies comes back, what is told to end ends."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import sys
from collections.abc import Callable

import pytest

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import Postgres
from cloudscribe.lib.embedded.processes import wait_until
from cloudscribe.lib.embedded.valkey import Valkey
from tests.system.installation import WORDS, Run

pytestmark = pytest.mark.system


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
    """Whatever dies comes back by itself, and requests are answered all the while."""
    before = run.child(WORDS[name])
    assert before is not None
    answered = []

    def comes(back: Callable[[], bool]) -> bool:
        answered.append(run.ready())
        return back()

    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: comes(lambda: run.child(WORDS[name]) not in {None, before}), 5)
    assert wait_until(lambda: comes(run.whole), 30)
    assert all(answered)


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


@pytest.mark.skipif(sys.platform != "linux", reason="a policy of Linux")
def test_processes_do_not_interrupt_each_other(run: Run) -> None:
    """All of them, servers included, have the policy under which whoever wakes up waits for its turn."""
    policies = {os.sched_getscheduler(pid) for pid in run.family()}
    assert policies == {os.SCHED_BATCH}


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
