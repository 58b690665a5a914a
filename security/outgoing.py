"""The one door for requests to addresses that people or operators name.

A name is resolved once, every answer is judged, and the judged address is the one that is connected, so that
nobody who owns a name can turn it to another address in between. Certificates are checked by name. No
redirect is followed, no proxy of the environment asked, nothing unpacked; bytes and seconds have an end.
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
from security.destinations import Openings, is_allowed, is_public, literal, parse_allowed

MOST_BYTES = 1024 * 1024
_LONGEST_URL = 8_192
_CHUNK = 64 * 1024
_MOST_ADDRESSES = 20
_PRINTABLE = re.compile(r"[!-~]+")
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
    opened = openings or _openings()
    limit = settings.OUTGOING_TIMEOUT
    deadline = time.monotonic() + (limit if most_seconds is None else min(limit, most_seconds))
    parts, port = _parse(url, opened)
    addresses = _vetted(parts, port, _resolved(parts, port, resolver, deadline), opened, plain=plain)
    backend = _VettedBackend(addresses, deadline)
    sent = {"accept-encoding": "identity", "user-agent": "CloudScribe", **(headers or {})}
    with (
        _translated(),
        httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend, retries=0) as pool,
        pool.stream(method, url, headers=list(sent.items()), content=body) as response,
    ):
        return _read(response, most_bytes)


def url_check(url: str, *, plain: bool = False, openings: Openings | None = None) -> None:
    """Raise OutgoingRefused for what the text alone tells: scheme, userinfo, host, port, spelled address.

    `plain` and `openings` as for `fetch`.
    """
    opened = openings or _openings()
    parts, port = _parse(url, opened)
    address = literal(parts.hostname or "")
    if address is not None:
        _vetted(parts, port, [address], opened, plain=plain)
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
    """Connects to the vetted addresses, whatever name it is given, and passes on what time is left."""

    def __init__(self, addresses: Sequence[Address], deadline: float) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A stream to the first of the addresses that takes it; each gets its share of the time."""
        for number, address in enumerate(self._addresses):
            share = _left(self._deadline) / (len(self._addresses) - number)
            try:
                stream = self._system.connect_tcp(str(address), port, timeout=share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
            return _TimedStream(stream, self._deadline)
        _left(self._deadline)
        raise httpcore.ConnectError


class _TimedStream(httpcore.NetworkStream):
    """A stream whose reads and writes end together with the time of the whole request."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=_left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=_left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline)
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, timeout=left)
        except httpcore.ConnectError as error:
            raise OutgoingRefused(Reason.TLS, str(error)) from error
        return _TimedStream(stream, self._deadline)

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
