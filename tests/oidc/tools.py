"""The provider as tests use it, and a browser that goes there and comes back."""

from __future__ import annotations

import dataclasses
import http.client
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts import oidc_provider
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET

REDIRECT_URL = "http://localhost:8000/account/oidc/"
ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Trip:
    """A sign-in on its way: what the start gave, and what the browser brought back."""

    state: str
    binding: str
    code: str = ""

    @property
    def body(self) -> dict[str, str]:
        """What the callback is sent."""
        return {"code": self.code, "state": self.state, "binding": self.binding}


def configure(settings: Any, issuer: str) -> None:
    """Sign in by that provider of this machine."""
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = (
        issuer,
        CLIENT_ID,
        CLIENT_SECRET,
    )
    settings.OIDC_NAME, settings.OIDC_SCOPES = "Acme", ["openid", "email", "profile"]
    settings.OIDC_REDIRECT_URL = REDIRECT_URL
    settings.OUTGOING_ALLOW = [f"127.0.0.1/32:{urlsplit(issuer).port}"]
    oidc_provider.metadata.forget()
    oidc_provider.keys.forget()


@pytest.fixture(scope="session")
def real_issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The issuer of a running provider."""
    command = [
        sys.executable,
        "-m",
        "tests.oidc.provider",
        str(tmp_path_factory.mktemp("oidc")),
        REDIRECT_URL,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        issuer = process.stdout.readline().strip()
        assert issuer, "the provider did not start"
        yield issuer
        process.kill()


@pytest.fixture
def real(real_issuer: str, settings: Any) -> str:
    """The running provider is the one to sign in by."""
    configure(settings, real_issuer)
    return real_issuer


def browse(address: str, user: str, email: str = "", verified: str = "yes") -> dict[str, str]:
    """Go there as somebody whom the provider knows; the query that comes back."""
    headers = {
        "Remote-User": user,
        "Remote-Email": email or f"{user}@example.org",
        "Remote-Verified": verified,
    }
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
    answer = connection.getresponse()
    location = answer.headers["location"]
    assert answer.status == 302, answer.read()
    connection.close()
    assert location.startswith(REDIRECT_URL)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def travel(client: Any, user: str, *, path: str = "auth/oidc/start/", **person: str) -> Trip:
    """Begin, go there and come back."""
    answer = client.post(path)
    assert answer.status_code == 200, answer.content
    begun = answer.json()
    back = browse(begun["authorization_url"], user, **person)
    assert back["state"] == begun["state"]
    return Trip(begun["state"], begun["binding"], back["code"])
