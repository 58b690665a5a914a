"""The one door outwards, against servers of its own on this machine that mean no good."""

from __future__ import annotations

import datetime as dt
import ipaddress
import pathlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from security import outgoing
from security.outgoing import OutgoingRefused, Reason, fetch, url_check
from tests.security.servers import HELLO, Talk
from tests.security.servers import serve as serve  # noqa: PLC0414 (a fixture)


def refused(url: str, method: str = "GET", **options: Any) -> Reason:
    """Why the request was refused."""
    with pytest.raises(OutgoingRefused) as caught:
        fetch(method, url, **options)
    return caught.value.reason


def never(host: str, port: int) -> list[str]:
    """A resolver that must not be asked."""
    raise AssertionError(host)


def says(*addresses: str) -> Callable[[str, int], list[str]]:
    """A resolver with one answer."""
    return lambda host, port: list(addresses)


def test_fetch_of_an_allowed_address(serve: Any) -> None:
    """Status, headers and body arrive; what is sent is plain, and asks for nothing packed."""
    server = serve(HELLO)
    answer = fetch("POST", f"http://127.0.0.1:{server.port}/a?b=c", headers={"x-one": "1"}, body=b"abc")
    assert (answer.status, answer.body, answer.headers["x-kind"]) == (200, b"hello", "plain")
    sent = server.received[0].decode().lower()
    assert sent.startswith("post /a?b=c http/1.1\r\n")
    assert f"host: 127.0.0.1:{server.port}\r\n" in sent
    assert "accept-encoding: identity\r\n" in sent
    assert sent.endswith("\r\n\r\nabc")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/", Reason.SCHEME),
        ("file:///etc/passwd", Reason.SCHEME),
        ("gopher://example.org/", Reason.SCHEME),
        ("//example.org/", Reason.SCHEME),
        ("https://user@example.org/", Reason.USERINFO),
        ("https://user:password@example.org/", Reason.USERINFO),
        ("https://example.org@127.0.0.1/", Reason.USERINFO),
        ("https://@example.org/", Reason.USERINFO),
        ("https://example.org:22/", Reason.PORT),
        ("https://example.org:0/", Reason.PORT),
        ("https://example.org:99999/", Reason.MALFORMED),
        ("https://example.org:x/", Reason.MALFORMED),
        ("https://[::1/", Reason.MALFORMED),
        ("https://exam\tple.org/", Reason.MALFORMED),
        ("https://example.org/ \r\nHost: x", Reason.MALFORMED),
        ("https://example.org\\@127.0.0.1/", Reason.MALFORMED),
        ("https://ex\u00e4mple.org/", Reason.MALFORMED),
        ("https://" + "a" * 9_000, Reason.MALFORMED),
        ("https:///path", Reason.HOST),
        ("https://0x7f000001/", Reason.HOST),
        ("https://2130706433/", Reason.HOST),
        ("https://0177.0.0.1/", Reason.HOST),
        ("https://127.1/", Reason.HOST),
        ("https://127.0.0.1/", Reason.ADDRESS),
        ("https://[::1]/", Reason.ADDRESS),
        ("https://[::ffff:127.0.0.1]/", Reason.ADDRESS),
        ("https://[64:ff9b::7f00:1]/", Reason.ADDRESS),
        ("https://169.254.169.254/latest/meta-data/", Reason.ADDRESS),
        ("http://8.8.8.8/", Reason.SCHEME),
    ],
)
def test_url_that_is_refused_at_once(url: str, reason: Reason) -> None:
    """No name is resolved and nothing connected; the check of a text alone says the same."""
    assert refused(url, resolver=never) == reason
    with pytest.raises(OutgoingRefused) as caught:
        url_check(url)
    assert caught.value.reason == reason


def test_url_that_may_be_asked() -> None:
    """A name passes until it is resolved; plain http where the caller takes it."""
    url_check("https://example.org/hook")
    url_check("http://8.8.8.8/", plain=True)


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["::1"], ["fe80::1%1"]]
)
def test_name_with_one_bad_answer(addresses: list[str]) -> None:
    """Every answer is judged, not the first alone."""
    assert refused("https://example.org/", resolver=says(*addresses)) == Reason.ADDRESS


@pytest.mark.parametrize("addresses", [[], ["no address"], [f"8.8.8.{n}" for n in range(40)]])
def test_name_without_a_good_answer(addresses: list[str]) -> None:
    """Nothing, nonsense and far too much are no resolution."""
    assert refused("https://example.org/", resolver=says(*addresses)) == Reason.UNRESOLVABLE


def test_name_that_does_not_exist() -> None:
    """The system's own resolver, of a name that nobody can have (RFC 6761)."""
    assert refused("https://nobody.invalid/") == Reason.UNRESOLVABLE


def test_rebinding_resolver_is_asked_once(serve: Any) -> None:
    """The address that was judged is connected: a second, other answer is never heard."""
    server = serve(HELLO)
    answers = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.3"]]
    asked = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return answers.pop(0)

    url = f"http://rebinding.example:{server.port}/"
    assert fetch("GET", url, resolver=rebinding).body == b"hello"
    assert asked == [("rebinding.example", server.port)]
    assert f"host: rebinding.example:{server.port}" in server.received[0].decode().lower()
    assert refused(url, resolver=rebinding) == Reason.PORT
    assert len(server.received) == 1


def test_second_address_where_the_first_is_dead(serve: Any, settings: Any) -> None:
    """A name of two addresses works as long as one of them does."""
    server = serve(HELLO)
    settings.OUTGOING_ALLOW = [f"127.0.0.0/8:{server.port}"]
    url = f"http://two.example:{server.port}/"
    assert fetch("GET", url, resolver=says("127.0.0.99", "127.0.0.1")).status == 200


def test_nobody_there(settings: Any) -> None:
    """A refused connection is told from all others."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.OUTGOING_ALLOW = [f"127.0.0.1/32:{port}"]
    assert refused(f"http://127.0.0.1:{port}/") == Reason.UNREACHABLE


@pytest.mark.parametrize("to", ["http://127.0.0.1/", "https://example.org/", "/elsewhere"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(serve: Any, status: int, to: str) -> None:
    """Wherever it leads, it is the end."""
    server = serve(f"HTTP/1.1 {status} X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode())
    assert refused(f"http://127.0.0.1:{server.port}/") == Reason.REDIRECT
    assert len(server.received) == 1


def _drip(start: bytes, byte: bytes, pause: float) -> Talk:
    def talk(link: socket.socket) -> None:
        link.sendall(start)
        while True:
            link.sendall(byte)
            time.sleep(pause)

    return talk


@pytest.mark.parametrize(
    ("start", "byte"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
def test_slow_drip_ends_in_time(serve: Any, settings: Any, start: bytes, byte: bytes) -> None:
    """A byte now and then keeps nobody: the time is one for all of it."""
    settings.OUTGOING_TIMEOUT = 0.5
    server = serve(_drip(start, byte, 0.05))
    began = time.monotonic()
    assert refused(f"http://127.0.0.1:{server.port}/") == Reason.TOO_SLOW
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
def test_silence_ends_in_time(serve: Any, settings: Any, start: bytes) -> None:
    """Nothing at all, or not enough."""
    settings.OUTGOING_TIMEOUT = 0.4
    done = threading.Event()

    def talk(link: socket.socket) -> None:
        link.sendall(start)
        done.wait(20)

    server = serve(talk)
    assert refused(f"http://127.0.0.1:{server.port}/") == Reason.TOO_SLOW
    done.set()


def test_caller_makes_the_time_shorter(serve: Any, settings: Any) -> None:
    """Never longer: the setting is the limit."""
    done = threading.Event()
    server = serve(lambda link: done.wait(20))
    for limit, wished in ((20, 0.3), (0.3, 20)):
        settings.OUTGOING_TIMEOUT = limit
        began = time.monotonic()
        assert refused(f"http://127.0.0.1:{server.port}/", most_seconds=wished) == Reason.TOO_SLOW
        assert time.monotonic() - began < 5
    done.set()


def test_resolver_that_never_answers(settings: Any) -> None:
    """The system's resolver knows no limit; we do."""
    settings.OUTGOING_TIMEOUT = 0.3
    done = threading.Event()

    def stuck(host: str, port: int) -> list[str]:
        done.wait(20)
        return []

    assert refused("https://example.org/", resolver=stuck) == Reason.TOO_SLOW
    done.set()


@pytest.mark.parametrize(
    "head",
    [b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 999999999999\r\n"],
    ids=["until the end", "chunked", "announced"],
)
def test_endless_body_is_cut(serve: Any, head: bytes) -> None:
    """More bytes than the caller wants are not read, and what is announced too long not begun."""
    piece = b"8000\r\n" + b"x" * 0x8000 + b"\r\n" if b"chunked" in head else b"x" * 0x8000
    server = serve(_drip(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n", piece, 0))
    assert refused(f"http://127.0.0.1:{server.port}/", most_bytes=100_000) == Reason.TOO_LARGE


def test_endless_headers_are_cut(serve: Any) -> None:
    """Headers have an end of their own."""
    server = serve(_drip(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 8_192, 0))
    assert refused(f"http://127.0.0.1:{server.port}/") == Reason.MALFORMED


@pytest.mark.parametrize("packing", ["gzip", "br", "deflate", "zstd", "gzip, gzip"])
def test_packed_answer_is_not_unpacked(serve: Any, packing: str) -> None:
    """A bomb stays shut."""
    server = serve(f"HTTP/1.1 200 OK\r\nContent-Encoding: {packing}\r\nContent-Length: 2\r\n\r\nxx".encode())
    assert refused(f"http://127.0.0.1:{server.port}/") == Reason.ENCODING


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"220 mail.example ESMTP\r\n", b"\0" * 100])
def test_answer_that_is_no_http(serve: Any, answer: bytes) -> None:
    """Whoever else listens there, it is no answer."""
    assert refused(f"http://127.0.0.1:{serve(answer).port}/") == Reason.MALFORMED


def test_proxies_of_the_environment_are_not_asked(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would resolve the name anew."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetch("GET", f"http://127.0.0.1:{serve(HELLO).port}/").status == 200


def _certificate(folder: pathlib.Path, name: str) -> ssl.SSLContext:
    """A server's side of TLS under a certificate of `name`; `cert.pem` is for who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    names = x509.SubjectAlternativeName(
        [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]
    )
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(pem)
    (folder / "both.pem").write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


@pytest.fixture
def trusted(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """TLS of `good.example`, which the system trusts."""
    context = _certificate(tmp_path, "good.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    outgoing._tls.cache_clear()
    yield context
    outgoing._tls.cache_clear()


def test_certificate_is_checked_by_name(serve: Any, trusted: ssl.SSLContext) -> None:
    """The vetted address is connected, the name is what the certificate and the server hear."""
    names: list[str | None] = []
    trusted.sni_callback = lambda link, name, context: names.append(name)
    server = serve(HELLO, trusted)
    good, other = (f"https://{host}.example:{server.port}/" for host in ("good", "other"))
    assert fetch("GET", good, resolver=says("127.0.0.1")).body == b"hello"
    assert refused(other, resolver=says("127.0.0.1")) == Reason.TLS
    assert refused(f"https://127.0.0.1:{server.port}/") == Reason.TLS
    assert names[:2] == ["good.example", "other.example"]


def test_certificate_of_nobody(serve: Any, tmp_path: pathlib.Path) -> None:
    """One that no authority signed, and a server that speaks no TLS, get nothing."""
    server = serve(HELLO, _certificate(tmp_path, "good.example"))
    url = f"https://good.example:{server.port}/"
    assert refused(url, resolver=says("127.0.0.1")) == Reason.TLS
    plain = serve(HELLO)
    assert refused(f"https://good.example:{plain.port}/", resolver=says("127.0.0.1")) == Reason.TLS
    assert server.received == []


def test_handshake_that_never_ends(serve: Any, settings: Any) -> None:
    """TLS counts into the same time."""
    settings.OUTGOING_TIMEOUT = 0.4
    server = serve(_drip(b"", b"\x16", 0.05))
    assert refused(f"https://good.example:{server.port}/", resolver=says("127.0.0.1")) in {
        Reason.TLS,
        Reason.TOO_SLOW,
    }
