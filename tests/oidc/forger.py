"""A provider that says whatever a test tells it to: the attacks that no honest one would play along with."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.oidc.provider import CLIENT_ID
from tests.oidc.tools import Trip, configure

RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def public(key: Any, kid: str | None = "one", **members: Any) -> dict[str, Any]:
    """The key as the provider publishes it."""
    kind = (
        jwt.algorithms.ECAlgorithm
        if isinstance(key, ec.EllipticCurvePrivateKey)
        else jwt.algorithms.RSAAlgorithm
    )
    found = dict(json.loads(kind.to_jwk(key.public_key())))
    return found | ({"kid": kid} if kid else {}) | members


class _Server(ThreadingHTTPServer):
    """A server that knows its forger."""

    forger: Forger


class _Handler(BaseHTTPRequestHandler):
    """Answers for the forger whose server it is."""

    server: _Server

    def do_GET(self) -> None:
        """Metadata, keys, claims."""
        self.server.forger.asked.append(self.path)
        self._answer(*self.server.forger.answers[self.path])

    def do_POST(self) -> None:
        """The token endpoint."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.forger.forms.append({name: values[0] for name, values in parse_qs(body).items()})
        self.server.forger.authorizations.append(self.headers["Authorization"])
        self._answer(*self.server.forger.token_answer())

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


class Forger:
    """Its answers are attributes; `asked` lists the paths that were fetched."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.forger = self
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/me",
        }
        self.answers: dict[str, tuple[int, Any]] = {
            "/.well-known/openid-configuration": (200, self.metadata),
            "/keys": (200, {"keys": [public(RSA_KEY)]}),
            "/me": (200, {}),
        }
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.authorizations: list[str | None] = []
        self.nonce = self.challenge = ""
        self.token: Callable[[], Any] = self.signed
        self.token_answer: Callable[[], tuple[int, Any]] = lambda: (
            200,
            {"access_token": "access-of-the-provider", "token_type": "Bearer", "id_token": self.token()},
        )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What an honest token says, with changes; None takes a claim out."""
        now = int(time.time())
        found = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "subject-1",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "email": "new@example.org",
            "email_verified": True,
            "name": "New Person",
        } | changes
        return {name: value for name, value in found.items() if value is not None}

    def signed(
        self, key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "one", **changes: Any
    ) -> str:
        """An ID token."""
        headers = {"kid": kid} if kid else {}
        return jwt.encode(self.claims(**changes), key, algorithm=algorithm, headers=headers)

    def begin(self, client: Any, path: str = "auth/oidc/start/") -> Trip:
        """A trip there and back; the provider notes what it was told."""
        begun = client.post(path).json()
        sent = {
            name: values[0] for name, values in parse_qs(urlsplit(begun["authorization_url"]).query).items()
        }
        self.nonce, self.challenge = sent["nonce"], sent["code_challenge"]
        return Trip(begun["state"], begun["binding"], "a-code")

    def verifier_fits(self) -> bool:
        """Whether the newest form proves who began (RFC 7636, section 4.6)."""
        digest = hashlib.sha256(self.forms[-1]["code_verifier"].encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge


@pytest.fixture
def forger(settings: Any) -> Iterator[Forger]:
    """The provider to sign in by is one that lies."""
    found = Forger()
    configure(settings, found.issuer)
    yield found
    found.close()
