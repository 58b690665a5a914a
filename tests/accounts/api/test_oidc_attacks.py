"""auth/oidc/callback/ against a provider that lies: no token but an honest one signs anybody in."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from accounts import oidc_provider
from accounts.models import Identity, Session, SignInFailure, User
from tests.fixtures import ApiClient
from tests.oidc.forger import EC_KEY, OTHER_KEY, RSA_KEY, Forger, forger, public
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET

__all__ = ["forger"]

Make = Callable[[Forger], Any]


def come_back(liar: Forger, client: Any = None) -> Any:
    """Begin, go there, and return with a code."""
    client = client or ApiClient()
    return client.post("auth/oidc/callback/", liar.begin(client).body)


def outcome(answer: Any) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json().get("code", "")


def encoded(part: Any) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned(liar: Forger, **header: Any) -> str:
    """A token without a signature."""
    return f"{encoded({'typ': 'JWT', **header})}.{encoded(liar.claims())}."


def by_public_key(liar: Forger, algorithm: str = "HS256") -> str:
    """Signed by what everybody knows, taken for a secret; libraries refuse to, so by hand."""
    text = f"{encoded({'typ': 'JWT', 'kid': 'one', 'alg': algorithm})}.{encoded(liar.claims())}"
    published = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signature = hmac.digest(published, text.encode(), f"sha{algorithm[2:]}")
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def tampered(liar: Forger) -> str:
    """Another subject under an honest signature."""
    header, _, signature = liar.signed().split(".")
    return f"{header}.{encoded(liar.claims(sub='boss'))}.{signature}"


FORGERIES: dict[str, Make] = {
    "wrong nonce": lambda liar: liar.signed(nonce="of another sign-in"),
    "no nonce": lambda liar: liar.signed(nonce=None),
    "nonce in a list": lambda liar: liar.signed(nonce=[liar.nonce]),
    "other audience": lambda liar: liar.signed(aud="another-client"),
    "other audiences": lambda liar: liar.signed(aud=["another-client", "a-third"]),
    "no audience": lambda liar: liar.signed(aud=None),
    "several audiences without azp": lambda liar: liar.signed(aud=[CLIENT_ID, "another-client"]),
    "azp of another": lambda liar: liar.signed(azp="another-client"),
    "azp of another among several": lambda liar: liar.signed(aud=[CLIENT_ID, "x"], azp="x"),
    "other issuer": lambda liar: liar.signed(iss="https://accounts.example"),
    "issuer with a slash": lambda liar: liar.signed(iss=f"{liar.issuer}/"),
    "no issuer": lambda liar: liar.signed(iss=None),
    "expired": lambda liar: liar.signed(exp=int(time.time()) - 61),
    "no expiry": lambda liar: liar.signed(exp=None),
    "expiry as text": lambda liar: liar.signed(exp="never"),
    "issued long ago": lambda liar: liar.signed(iat=int(time.time()) - 700),
    "issued tomorrow": lambda liar: liar.signed(iat=int(time.time()) + 86_400),
    "no time of issue": lambda liar: liar.signed(iat=None),
    "not yet good": lambda liar: liar.signed(nbf=int(time.time()) + 600),
    "no subject": lambda liar: liar.signed(sub=None),
    "empty subject": lambda liar: liar.signed(sub=""),
    "long subject": lambda liar: liar.signed(sub="s" * 256),
    "subject with NUL": lambda liar: liar.signed(sub="a\0b"),
    "subject beyond ASCII": lambda liar: liar.signed(sub="\u0430dmin"),
    "alg none": lambda liar: unsigned(liar, alg="none"),
    "alg None": lambda liar: unsigned(liar, alg="None", kid="one"),
    "no alg": unsigned,
    "HS256 by the public key": by_public_key,
    "HS512 by the public key": lambda liar: by_public_key(liar, "HS512"),
    "HS256 by the client's secret": lambda liar: jwt.encode(liar.claims(), CLIENT_SECRET, algorithm="HS256"),
    "signed by another key": lambda liar: liar.signed(OTHER_KEY),
    "unknown key": lambda liar: liar.signed(OTHER_KEY, kid="two"),
    "key brought along": lambda liar: jwt.encode(
        liar.claims(), OTHER_KEY, algorithm="RS256", headers={"kid": "one", "jwk": public(OTHER_KEY)}
    ),
    "keys elsewhere": lambda liar: jwt.encode(
        liar.claims(), OTHER_KEY, algorithm="RS256", headers={"jku": "http://127.0.0.1/keys"}
    ),
    "critical header that nobody knows": lambda liar: jwt.encode(
        liar.claims(), RSA_KEY, algorithm="RS256", headers={"kid": "one", "crit": ["x"], "x": 1}
    ),
    "another kind of key": lambda liar: liar.signed(EC_KEY, "ES256"),
    "tampered claims": tampered,
    "cut off": lambda liar: liar.signed()[:-10],
    "no token": lambda liar: None,
    "a number": lambda liar: 7,
    "no JWT": lambda liar: "not.a.token",
    "encrypted": lambda liar: "a.b.c.d.e",
    "a list for claims": lambda liar: jwt.api_jws.encode(b"[]", RSA_KEY, "RS256", headers={"kid": "one"}),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_token(db: None, forger: Forger, forgery: str) -> None:
    """It signs nobody in, makes nobody, and counts as a failed try."""
    forger.token = lambda: FORGERIES[forgery](forger)
    assert outcome(come_back(forger)) == (401, "oidc_refused")
    assert not User.objects.exists()
    assert not Session.objects.exists()
    assert SignInFailure.objects.filter(pending=False).count() == 1


HONEST: dict[str, Make] = {
    "plain": lambda liar: liar.signed(),
    "PSS": lambda liar: liar.signed(algorithm="PS256"),
    "several audiences with azp": lambda liar: liar.signed(aud=[CLIENT_ID, "x"], azp=CLIENT_ID),
    "one audience in a list": lambda liar: liar.signed(aud=[CLIENT_ID]),
    "clock a little ahead": lambda liar: liar.signed(iat=int(time.time()) + 30),
    "clock a little behind": lambda liar: liar.signed(exp=int(time.time()) - 30),
    "one key and no name of it": lambda liar: liar.signed(kid=None),
}


@pytest.mark.parametrize("token", HONEST)
def test_honest_token(db: None, forger: Forger, token: str) -> None:
    """What the specification allows is taken."""
    forger.token = lambda: HONEST[token](forger)
    assert come_back(forger).status_code == 200
    assert Identity.objects.get().subject == "subject-1"


def test_token_of_an_elliptic_key(db: None, forger: Forger) -> None:
    """Among several keys the token names its own; those of other uses and kinds don't get in the way."""
    keys = [public(RSA_KEY, "r"), public(EC_KEY, "e"), public(OTHER_KEY, "e", use="enc"), {"kty": "odd"}, "x"]
    forger.answers["/keys"] = (200, {"keys": keys})
    forger.token = lambda: forger.signed(EC_KEY, "ES256", "e")
    assert come_back(forger).status_code == 200


def test_secret_among_the_keys(db: None, forger: Forger) -> None:
    """A symmetric key that the provider publishes signs nothing."""
    secret = b"known to everybody, and long enough"
    key = {"kty": "oct", "kid": "one", "k": base64.urlsafe_b64encode(secret).rstrip(b"=").decode()}
    forger.answers["/keys"] = (200, {"keys": [key]})
    forger.token = lambda: jwt.encode(forger.claims(), secret, algorithm="HS256", headers={"kid": "one"})
    assert outcome(come_back(forger)) == (401, "oidc_refused")


def test_two_keys_and_no_name(db: None, forger: Forger) -> None:
    """Nobody guesses which."""
    forger.answers["/keys"] = (200, {"keys": [public(RSA_KEY), public(OTHER_KEY, "two")]})
    forger.token = lambda: forger.signed(kid=None)
    assert outcome(come_back(forger)) == (401, "oidc_refused")


def test_new_key_of_the_provider(db: None, forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Providers change their keys; made-up names of keys are no way to have them asked again and again."""
    assert come_back(forger).status_code == 200
    forger.answers["/keys"] = (200, {"keys": [public(OTHER_KEY, "two")]})
    forger.token = lambda: forger.signed(OTHER_KEY, kid="two")
    for _ in range(3):
        assert outcome(come_back(forger)) == (401, "oidc_refused")
    assert forger.asked.count("/keys") == 1
    monkeypatch.setattr(oidc_provider, "_PAUSE", 0.0)
    assert come_back(forger).status_code == 200
    assert forger.asked.count("/keys") == 2
    assert forger.asked.count("/.well-known/openid-configuration") == 1


def test_pkce_and_client_at_the_token_endpoint(db: None, forger: Forger, settings: Any) -> None:
    """The verifier is the challenge's; the secret goes the way that the provider names, encoded."""
    assert come_back(forger).status_code == 200
    assert forger.verifier_fits()
    assert forger.forms[-1]["redirect_uri"] == settings.OIDC_REDIRECT_URL
    pair = base64.b64decode(str(forger.authorizations[-1]).removeprefix("Basic ")).decode()
    assert pair == "cloudscribe:kept%20by%20both%20sides%3A%204%2B4%3D8%25%2C%20as%20ever"
    assert "client_secret" not in forger.forms[-1]
    forger.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    oidc_provider.metadata.forget()
    come_back(forger)
    assert (forger.authorizations[-1], forger.forms[-1]["client_secret"]) == (None, CLIENT_SECRET)
    settings.OIDC_CLIENT_SECRET = None
    come_back(forger)
    assert (forger.forms[-1]["client_id"], "client_secret" in forger.forms[-1]) == (CLIENT_ID, False)


@pytest.mark.parametrize("verified", [False, None, "true", "false", 1, []])
def test_address_that_is_not_verified(db: None, forger: Forger, verified: Any) -> None:
    """Only JSON's true is true."""
    forger.token = lambda: forger.signed(email_verified=verified)
    assert outcome(come_back(forger)) == (403, "email_unverified")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "none",
        7,
        ["a@example.org"],
        "a" * 250 + "@example.org",
        "a@b\n.org",
        "\u017fam@example.org",
        "\u212aim@a.org",
    ],
)
def test_address_that_is_none(db: None, forger: Forger, address: Any) -> None:
    """Nor is everything that stands there one."""
    forger.token = lambda: forger.signed(email=address)
    assert outcome(come_back(forger)) == (403, "email_unverified")


def test_address_from_the_claims_of_the_user(db: None, forger: Forger) -> None:
    """Where the token has none it is asked for; claims about somebody else are not taken for one's own."""
    forger.token = lambda: forger.signed(email=None, email_verified=None)
    claims = {"sub": "another", "email": "victim@example.org", "email_verified": True}
    forger.answers["/me"] = (200, claims)
    assert outcome(come_back(forger)) == (403, "email_unverified")
    forger.answers["/me"] = (200, claims | {"sub": "subject-1", "nonce": "x", "iss": "x"})
    assert come_back(forger).json()["user"]["email"] == "victim@example.org"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant"}, (401, "oidc_refused")),
        (400, {"error": "invalid_request"}, (503, "oidc_unavailable")),
        (401, {"error": "invalid_client"}, (503, "oidc_unavailable")),
        (500, {}, (503, "oidc_unavailable")),
        (302, {}, (503, "oidc_unavailable")),
        (200, [], (401, "oidc_refused")),
        (200, {}, (401, "oidc_refused")),
    ],
)
def test_token_endpoint_that_refuses(
    db: None, forger: Forger, status: int, body: Any, expected: tuple[int, str]
) -> None:
    """A spent code is the client's affair, everything else the operator's."""
    forger.token_answer = lambda: (status, body)
    assert outcome(come_back(forger)) == expected
    assert SignInFailure.objects.count() == (1 if expected[0] == 401 else 0)


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://accounts.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"jwks_uri": "ftp://127.0.0.1/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": ["https://accounts.example"]},
    ],
)
def test_metadata_that_are_not_the_issuers(db: None, forger: Forger, change: dict[str, Any]) -> None:
    """Nobody is sent anywhere."""
    forger.metadata.update(change)
    assert outcome(ApiClient().post("auth/oidc/start/")) == (503, "oidc_unavailable")


@pytest.mark.parametrize("where", ["token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/latest/", "http://127.0.0.1:1/x", "https://10.0.0.1/", "https://[::1]/"],
)
def test_metadata_that_lead_inside(db: None, forger: Forger, where: str, address: str) -> None:
    """A provider that turned bad reaches nothing in our network through us."""
    forger.metadata[where] = address
    assert outcome(come_back(forger)) == (503, "oidc_unavailable")


def test_provider_that_fails_is_left_alone_for_moments(db: None, forger: Forger) -> None:
    """A storm of sign-ins must not wait for each time-out in turn."""
    forger.answers["/.well-known/openid-configuration"] = (500, {})
    for _ in range(4):
        assert outcome(ApiClient().post("auth/oidc/start/")) == (503, "oidc_unavailable")
    assert len(forger.asked) == 1


def test_address_of_the_provider_with_a_query(db: None, forger: Forger) -> None:
    """Ours is added to it."""
    url = ApiClient().post("auth/oidc/start/").json()["authorization_url"]
    assert url.startswith(f"{forger.issuer}/authorize?tenant=1&response_type=code&")
