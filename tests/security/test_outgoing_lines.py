"""Lines: several requests by one connection, each of which leads to where requests may go."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from security.outgoing import Line, OutgoingRefused, Reason
from tests.security.servers import HELLO, Server, Talk, request_of
from tests.security.servers import serve as serve  # noqa: PLC0414 (a fixture)

NEXT = HELLO.replace(b"hello", b"world")


def keeping(*answers: bytes) -> Talk:
    """Gives these answers, one a request, by one connection; then it hangs up."""

    def talk(link: socket.socket) -> None:
        link.sendall(answers[0])
        for answer in answers[1:]:
            if not request_of(link):
                return
            link.sendall(answer)

    return talk


@contextlib.contextmanager
def line_to(server: Server, *addresses: list[str]) -> Iterator[tuple[Line, list[str]]]:
    """A line to a name that leads to these addresses in turn, and the names that were asked for."""
    asked: list[str] = []

    def turning(host: str, port: int) -> list[str]:
        asked.append(host)
        return addresses[len(asked) - 1]

    with contextlib.closing(Line(f"http://line.example:{server.port}/", resolver=turning)) as line:
        yield line, asked


def test_line_is_kept_from_one_request_to_the_next(serve: Any) -> None:
    """By one connection, whose address was judged when it was made."""
    server = serve(keeping(HELLO, NEXT))
    with line_to(server, ["127.0.0.1"]) as (line, asked):
        assert [line.ask("POST", body=b"abc").body for _ in range(2)] == [b"hello", b"world"]
    assert (len(server.received), asked) == (1, ["line.example"])


@pytest.mark.parametrize("says_so", [True, False])
def test_line_judges_each_connection_that_it_makes(serve: Any, says_so: bool) -> None:
    """A name that leads elsewhere by then is not followed, whether or not the server says that it closes."""
    answer = HELLO.replace(b"X-Kind", b"Connection: close\r\nX-Kind") if says_so else HELLO
    server = serve(answer)
    with line_to(server, ["127.0.0.1"], ["127.0.0.1"], ["169.254.169.254"]) as (line, asked):
        assert [line.ask("GET").body for _ in range(2)] == [b"hello"] * 2
        with pytest.raises(OutgoingRefused) as caught:
            line.ask("GET")
    assert caught.value.reason == Reason.PORT
    assert (len(server.received), len(asked)) == (2, 3)


def test_request_on_a_line_that_was_left_is_made_again(serve: Any) -> None:
    """Once, by a new connection: the server hung up on a kept one just when the request was on its way."""

    def leaving(link: socket.socket) -> None:
        link.sendall(HELLO)
        request_of(link)

    server = serve(leaving)
    with line_to(server, ["127.0.0.1"], ["127.0.0.1"]) as (line, asked):
        assert [line.ask("POST", body=b"abc").body for _ in range(2)] == [b"hello"] * 2
    assert (len(server.received), len(asked)) == (2, 2)


def test_request_that_was_begun_to_be_answered_is_not_made_again(serve: Any) -> None:
    """Nor one by a connection of its own: whoever hangs up on that has failed."""
    server = serve(keeping(HELLO, b"HTTP/1.1 200 OK\r\nContent-Le"))
    with line_to(server, ["127.0.0.1"]) as (line, _):
        line.ask("GET")
        with pytest.raises(OutgoingRefused):
            line.ask("GET")
    assert len(server.received) == 1
    silent = serve(lambda link: None)
    with line_to(silent, ["127.0.0.1"]) as (line, _), pytest.raises(OutgoingRefused):
        line.ask("GET")
    assert len(silent.received) == 1


def test_eachrequest_of_a_line_has_its_own_time(serve: Any) -> None:
    """That of the one before is over with it."""
    done = threading.Event()

    def hanging(link: socket.socket) -> None:
        link.sendall(HELLO)
        done.wait(20)

    server, began = serve(hanging), time.monotonic()
    with line_to(server, ["127.0.0.1"]) as (line, _):
        assert line.ask("GET", most_seconds=20).body == b"hello"
        with pytest.raises(OutgoingRefused) as caught:
            line.ask("GET", most_seconds=0.2)
    done.set()
    assert caught.value.reason == Reason.TOO_SLOW
    assert time.monotonic() - began < 10
