"""Receivers of four manners, all in the process that measures: what they cost is nobody's."""

from __future__ import annotations

import dataclasses
import datetime as dt
import http.server
import ipaddress
import pathlib
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.listening import Listener


@dataclasses.dataclass(frozen=True, slots=True)
class Manner:
    """How a receiver behaves: with TLS or without, keeping connections, refusing every so many at first."""

    name: str
    tls: bool = False
    keeps: bool = True
    refuses: int = 0


MANNERS = (
    Manner("keeps the connection"),
    Manner("keeps the connection, TLS", tls=True),
    Manner("closes after each", keeps=False),
    Manner("refuses every seventh at first", refuses=7),
)


class Receiver(Listener):
    """`requests` counts what was sent, `connections` how."""

    request_queue_size = 128

    def __init__(self, manner: Manner, context: ssl.SSLContext | None) -> None:
        """Listen on a free port of this machine."""
        handler = _Keeping if manner.keeps else _Closing
        super().__init__(("127.0.0.1", 0), handler)
        self._manner, self._context = manner, context
        self._seen: set[str] = set()
        self._lock = threading.Lock()
        self.requests = self.connections = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http{'s' if self._manner.tls else ''}://127.0.0.1:{self.server_port}/"

    def get_request(self) -> tuple[socket.socket, object]:
        """The next connection; the handshake is left to the thread that answers on it."""
        link, where = super().get_request()
        self.connections += 1
        if self._manner.tls and self._context is not None:
            return self._context.wrap_socket(link, server_side=True, do_handshake_on_connect=False), where
        return link, where

    def take(self, uid: str) -> bool:
        """Count a delivery; False where this attempt is to fail."""
        with self._lock:
            self.requests += 1
            if uid in self._seen:
                return True
            self._seen.add(uid)
            return not self._manner.refuses or len(self._seen) % self._manner.refuses != 0


class _Keeping(http.server.BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer 204, or 500 for what is to be tried again."""
        self.rfile.read(int(self.headers["Content-Length"]))
        taken = self.server.take(self.headers["webhook-id"])
        self.send_response(204 if taken else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (the base's name)
        """Say nothing."""


class _Closing(_Keeping):
    protocol_version = "HTTP/1.0"


def certificate(folder: pathlib.Path) -> tuple[pathlib.Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that signs itself: its file, for who is to trust it, and a server's side."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    public, both = folder / "receiver.pem", folder / "receiver-key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, format_ = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(encoding, format_, serialization.NoEncryption())
    both.write_bytes(public.read_bytes() + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return public, context
