"""The one door for requests to addresses that people or operators name.

A name is resolved once a connection, every answer is judged, and the judged address is the one that is
connected, so that nobody who owns a name can turn it to another address in between. Certificates are checked
by name. No redirect is followed, no proxy of the environment asked, nothing unpacked; bytes and seconds have
an end.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore
from django.conf import settings

from security.addresses import Address
from security.destinations import (
    Openings,
    is_allowed,
    is_loopback_name,
    is_private_name,
    is_public,
    literal,
    parse_allowed,
)

MOST_BYTES = 1024 * 1024
_LONGEST_URL = 8_192
_CHUNK = 64 * 1024
_MOST_ADDRESSES = 20
_PRINTABLE = re.compile(r"[!-~]+")
_LOOPBACK = ipaddress.IPv4Address("127.0.0.1")
_SCHEMES = {"https": 443, "http": 80}

Resolver = Callable[[str, int], Iterable[str]]


class Reason(enum.StrEnum):
    """Why a request was not made, or its answer not taken."""

    ADDRESS = "address"  # not on the public Internet, and not opened by operators
    ENCODING = "encoding"  # an answer that is packed although it was asked for plain
    HOST = "host"  # neither a name nor an address in its usual spelling
    MALFORMED = "malformed"  # no URL, or no HTTP
    PORT = "port"
    REDIRECT = "redirect"
    SCHEME = "scheme"
    TLS = "tls"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    UNREACHABLE = "unreachable"
    UNRESOLVABLE = "unresolvable"
    USERINFO = "userinfo"


class OutgoingRefused(Exception):
    """A request that was not made or not answered; `reason` says why. Never show its text to strangers."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else str(reason))


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status outside 3xx, headers by lower-case name (the last of each), the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = dataclasses.field(repr=False)


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, by the system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    most_bytes: int = MOST_BYTES,
    most_seconds: float | None = None,
    plain: bool = False,
    openings: Openings | None = None,
    resolver: Resolver = resolve,
) -> Answer:
    """Make one request and read its whole answer, within CLOUDSCRIBE_OUTGOING_TIMEOUT seconds in all.

    `most_seconds` makes that shorter, where a request of ours waits for it. Without `plain`, http goes to
    networks that operators have opened and nowhere else; which these are says CLOUDSCRIBE_OUTGOING_ALLOW, or
    `openings` in its place. Raises OutgoingRefused. Never call this inside a transaction.
    """
    with contextlib.closing(Line(url, plain=plain, openings=openings, resolver=resolver)) as line:
        return line.ask(method, headers=headers, body=body, most_bytes=most_bytes, most_seconds=most_seconds)


class Line:
    """Requests to one URL, one after another, over a connection that is kept from one to the next.

    The name is resolved and judged for each connection that is made, and for none that is kept: what that
    one leads to was judged when it was made. Close it when no other request follows.
    """

    def __init__(
        self,
        url: str,
        *,
        plain: bool = False,
        openings: Openings | None = None,
        resolver: Resolver = resolve,
    ) -> None:
        """Judge the text of the URL, as `fetch` does, whose parameters these are; raises OutgoingRefused."""
        opened = openings or _openings()
        parts, port = _parse(url, opened)

        def vetted(deadline: float) -> tuple[Address, ...]:
            return _vetted(parts, port, _resolved(parts, port, resolver, deadline), opened, plain=plain)

        self._url = url
        self._backend = _VettedBackend(vetted)
        self._pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=self._backend, retries=0)

    def ask(
        self,
        method: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        most_bytes: int = MOST_BYTES,
        most_seconds: float | None = None,
    ) -> Answer:
        """Make a request as `fetch` does; one at a time. Raises OutgoingRefused.

        Where the other side closes a kept connection just then and says nothing, the request is made once
        more by a new one: don't ask twice on a line what must not be done twice.
        """
        limit = settings.OUTGOING_TIMEOUT
        self._backend.begin(time.monotonic() + (limit if most_seconds is None else min(limit, most_seconds)))
        sent = {"accept-encoding": "identity", "user-agent": "CloudScribe", **(headers or {})}
        with _translated():
            try:
                return self._asked(method, sent, body, most_bytes)
            except (httpcore.NetworkError, httpcore.RemoteProtocolError):
                if not self._backend.was_left:
                    raise
                return self._asked(method, sent, body, most_bytes)

    def close(self) -> None:
        """Hang up."""
        self._pool.close()

    def _asked(self, method: str, headers: Mapping[str, str], body: bytes, most_bytes: int) -> Answer:
        with self._pool.stream(method, self._url, headers=list(headers.items()), content=body) as response:
            return _read(response, most_bytes)


def url_check(url: str, *, plain: bool = False, openings: Openings | None = None) -> None:
    """Raise OutgoingRefused for what the text alone tells: scheme, userinfo, host, port, spelled address.

    A name that is this machine's is judged as its address, and one that only a network of one's own can hold
    is refused where operators have opened none. `plain` and `openings` as for `fetch`.
    """
    opened = openings or _openings()
    parts, port = _parse(url, opened)
    host = parts.hostname or ""
    address = _LOOPBACK if is_loopback_name(host) else literal(host)
    if address is not None:
        _vetted(parts, port, [address], opened, plain=plain)
    elif is_private_name(host) and not opened.allowed:
        raise OutgoingRefused(Reason.ADDRESS, host)
    elif parts.scheme == "http" and not plain and not opened.allowed:
        # Whatever the name leads to, it is no network that operators have opened.
        raise OutgoingRefused(Reason.SCHEME, "https is due")


def _parse(url: str, opened: Openings) -> tuple[SplitResult, int]:
    # urlsplit drops tabs and line ends and would let a client and a server read two different hosts.
    if len(url) > _LONGEST_URL or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise OutgoingRefused(Reason.MALFORMED)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise OutgoingRefused(Reason.MALFORMED, str(error)) from error
    if parts.scheme not in _SCHEMES:
        raise OutgoingRefused(Reason.SCHEME, parts.scheme)
    if "@" in parts.netloc:
        raise OutgoingRefused(Reason.USERINFO)
    if port is None:
        port = _SCHEMES[parts.scheme]
    try:
        literal(parts.hostname or "")
    except ValueError as error:
        raise OutgoingRefused(Reason.HOST, str(error)) from error
    if port not in opened.ports and not any(each.port == port for each in opened.allowed):
        raise OutgoingRefused(Reason.PORT, str(port))
    return parts, port


def _openings() -> Openings:
    return Openings(parse_allowed(tuple(settings.OUTGOING_ALLOW)))


def _resolved(parts: SplitResult, port: int, resolver: Resolver, deadline: float) -> list[Address]:
    host = parts.hostname or ""
    address = literal(host)
    if address is not None:
        return [address]
    try:
        found = {ipaddress.ip_address(text): None for text in _in_time(resolver, host, port, deadline)}
    except (OSError, ValueError) as error:
        raise OutgoingRefused(Reason.UNRESOLVABLE, host) from error
    if not found or len(found) > _MOST_ADDRESSES:
        raise OutgoingRefused(Reason.UNRESOLVABLE, host)
    return list(found)


def _in_time(resolver: Resolver, host: str, port: int, deadline: float) -> list[str]:
    """What the resolver says; the system's has no time limit of its own, so another thread waits for it."""
    outcome: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            outcome.put(list(resolver(host, port)))
        except Exception as error:  # noqa: BLE001 (raised again in the thread that asked)
            outcome.put(error)

    threading.Thread(target=ask, name="outgoing-resolver", daemon=True).start()
    try:
        found = outcome.get(timeout=_left(deadline))
    except queue.Empty as error:
        raise OutgoingRefused(Reason.TOO_SLOW, "name resolution") from error
    if isinstance(found, Exception):
        raise found
    return found


def _vetted(
    parts: SplitResult, port: int, addresses: Sequence[Address], opened: Openings, *, plain: bool
) -> tuple[Address, ...]:
    """The addresses, if each may be asked: a name with one bad answer is turned against us."""
    for address in addresses:
        if is_allowed(address, port, opened):
            continue
        if port not in opened.ports:
            raise OutgoingRefused(Reason.PORT, str(port))
        if not is_public(address):
            raise OutgoingRefused(Reason.ADDRESS, str(address))
        if parts.scheme == "http" and not plain:
            raise OutgoingRefused(Reason.SCHEME, "https is due")
    return tuple(addresses)


@functools.cache
def _tls() -> ssl.SSLContext:
    # The system's certificates, or those that SSL_CERT_FILE names; a read of the file costs 20 ms.
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise OutgoingRefused(Reason.TOO_SLOW)
    return left


class _VettedBackend(httpcore.NetworkBackend):
    """Connects to vetted addresses, whatever name it is given, and passes on what time a request has left."""

    def __init__(self, vetted: Callable[[float], Sequence[Address]]) -> None:
        """Have each connection made to what `vetted` gives right then, within its deadline."""
        self._vetted = vetted
        self._system = httpcore.SyncBackend()
        self._deadline = 0.0
        self._connected = self._heard = False

    def begin(self, deadline: float) -> None:
        """A request begins, which ends by `deadline`."""
        self._deadline = deadline
        self._connected = self._heard = False

    @property
    def was_left(self) -> bool:
        """Whether the request went out by a connection of an earlier one, and nothing came back."""
        return not self._connected and not self._heard

    def heard(self) -> None:
        """Something came back."""
        self._heard = True

    def left(self) -> float:
        """Seconds that the request has left; raises OutgoingRefused where that is none."""
        return _left(self._deadline)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A stream to the first of the addresses that takes it; each gets its share of the time."""
        self._connected = True
        addresses = self._vetted(self._deadline)
        for number, address in enumerate(addresses):
            share = self.left() / (len(addresses) - number)
            try:
                stream = self._system.connect_tcp(str(address), port, timeout=share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
            return _TimedStream(stream, self)
        self.left()
        raise httpcore.ConnectError


class _TimedStream(httpcore.NetworkStream):
    """A stream whose reads and writes end together with the time of the whole request."""

    def __init__(self, stream: httpcore.NetworkStream, backend: _VettedBackend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        came = self._stream.read(max_bytes, timeout=self._backend.left())
        if came:
            self._backend.heard()
        return came

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._backend.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, timeout=self._backend.left())
        except httpcore.ConnectError as error:
            raise OutgoingRefused(Reason.TLS, str(error)) from error
        return _TimedStream(stream, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise OutgoingRefused(Reason.TOO_SLOW) from error
    except httpcore.NetworkError as error:
        raise OutgoingRefused(Reason.UNREACHABLE, str(error)) from error
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise OutgoingRefused(Reason.MALFORMED, str(error)) from error


def _read(response: httpcore.Response, most_bytes: int) -> Answer:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    if 300 <= response.status < 400:
        raise OutgoingRefused(Reason.REDIRECT, str(response.status))
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise OutgoingRefused(Reason.ENCODING, headers["content-encoding"][:40])
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most_bytes:
        raise OutgoingRefused(Reason.TOO_LARGE)
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > most_bytes:
            raise OutgoingRefused(Reason.TOO_LARGE)
    return Answer(response.status, headers, bytes(body))
