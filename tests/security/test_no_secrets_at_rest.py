"""What a thief finds: the database, Redis, the logs and the jobs, after all that has to do with secrets.

Whatever still opens something must not be in any of them, neither as it is nor in another coding.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
import os
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.oidc import State
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_run
from tests.accounts.factor_tools import code_at
from tests.accounts.factories import user_make
from tests.fixtures import ApiClient, client_make
from tests.oidc.provider import CLIENT_SECRET
from tests.oidc.tools import travel
from tests.security.injection import table_names

pytestmark = pytest.mark.django_db(transaction=True)


class Life:
    """Everything that makes, shows or takes a secret, over HTTP; `secrets` by what they are."""

    def __init__(self, mailbox: list[Any]) -> None:
        self.mailbox = mailbox
        self.secrets: dict[str, str] = {}
        self._guest = ApiClient()

    def live(self) -> None:
        """All of it, in the order in which people do it."""
        self._register()
        me = self._sign_in()
        self._fail()
        self._create(me)
        self._enrol(me)
        self._forget()
        self._move()
        self._invite()
        self._federate()
        self._administer()

    def keep(self, name: str, secret: str) -> str:
        """Note a secret; the secret."""
        assert len(secret) >= 8
        self.secrets[name] = secret
        return secret

    def _ok(self, answer: Any, *statuses: int) -> Any:
        assert answer.status_code in (statuses or (200, 201, 202)), answer.content
        return answer.json() if answer.content else {}

    def _mailed(self) -> str:
        """Send the newest mail as a worker does, and take the token out of it."""
        job = Job.objects.filter(kind="mail.send").latest("id")
        job_run(job.queue, str(job.uid))
        found = re.search(r"\?token=([\w.\-]+)", self.mailbox[-1].body)
        assert found
        return found[1]

    def _register(self) -> None:
        password = self.keep("password before", "First-Passphrase-7781")
        for name in ("ann", "ben"):
            body = {"email": f"{name}@example.org", "password": password, "name": name.title()}
            self._ok(self._guest.post("auth/register/", body))
            token = self.keep(f"token mailed to {name}", self._mailed())
            if name == "ann":  # the other one's stays good
                self._guest.get(f"/account/verify/?token={token}")
                self._ok(self._guest.post("auth/verify-email/", {"token": token}))

    def _sign_in(self) -> ApiClient:
        login = {"email": "ann@example.org", "password": self.secrets["password before"]}
        first = self._ok(self._guest.post("auth/login/", login))
        second = self._ok(self._guest.post("auth/refresh/", {"refresh": first["refresh"]}))
        for name, answer in (("first", first), ("second", second)):
            self.keep(f"{name} access token", answer["access"])
            self.keep(f"{name} refresh token", answer["refresh"])
        me = ApiClient(second["access"])
        password = self.keep("password", "Second-Passphrase-4402")
        body = {"current_password": self.secrets["password before"], "password": password}
        self._ok(me.post("auth/password/change/", body))
        return me

    def _fail(self) -> None:
        """What people mistype is half a secret; what they send to the wrong place, a whole one."""
        wrong = self.keep("mistyped password", "Secnod-Passphrase-4402")
        login = {"email": "ann@example.org", "password": wrong}
        self._ok(self._guest.post("auth/login/", login), 401)
        above = self.keep("password in the field above", "Passphrase-in-the-field-above-1")
        self._ok(self._guest.post("auth/login/", {"email": above, "password": "x" * 12}), 400, 401)
        self._ok(self._guest.post("auth/login/", {**login, above: "x"}), 400)
        self._ok(self._guest.post("auth/login/", raw=f'{{"password": "{wrong}"'.encode()), 400)
        self._ok(self._guest.get("me/", Authorization=f"Bearer {above}"), 401)
        self._ok(self._guest.get(f"documents/?token={wrong}"), 401)
        self._ok(self._guest.get(f"nowhere/{above}/"), 404)

    def _create(self, me: ApiClient) -> None:
        """Answers that are kept for whoever asks twice hold tokens, too."""
        soon = (timezone.now() + dt.timedelta(days=1)).isoformat()
        body = {"name": "Build", "scopes": ["documents:read", "documents:write"], "expires_at": soon}
        key = self.keep("idempotency key", "idempotency-key-of-ann-0001")
        made = self._ok(me.post("me/tokens/", body, **{"Idempotency-Key": key}))
        again = self._ok(me.post("me/tokens/", body, **{"Idempotency-Key": key}))
        assert again == made
        token = ApiClient(self.keep("personal token", made["token"]))
        room = self._ok(me.post("workspaces/", {"name": "Room"}, **{"Idempotency-Key": key + "2"}))
        page = {"workspace": room["id"], "title": "Page", "content": "words"}
        self._ok(token.post("documents/", page, **{"Idempotency-Key": key + "3"}))
        self._ok(token.get("me/sessions/"), 403)

    def _enrol(self, me: ApiClient) -> None:
        secret = self.keep("secret of the app", self._ok(me.post("auth/mfa/totp/"))["secret"])
        codes = self._ok(me.post("auth/mfa/totp/confirm/", {"code": code_at(secret)}))["recovery_codes"]
        for number, code in enumerate(codes):
            self.keep(f"recovery code {number}", code)
        login = {"email": "ann@example.org", "password": self.secrets["password"]}
        self._ok(self._guest.post("auth/login/", login), 401)
        self._ok(self._guest.post("auth/login/", {**login, "otp": "wrong-code-1"}), 401)
        answer = self._ok(self._guest.post("auth/login/", {**login, "otp": codes[0]}))
        self.keep("access token of two factors", answer["access"])
        self.keep("refresh token of two factors", answer["refresh"])

    def _forget(self) -> None:
        """Asked for twice: the second token is still good at the end."""
        for name in ("used", "unused"):
            self._ok(self._guest.post("auth/password/forgot/", {"email": "ann@example.org"}))
            self.keep(f"{name} token for a new password", self._mailed())
        password = self.keep("password after", "Third-Passphrase-9034")
        body = {"token": self.secrets["used token for a new password"], "password": password}
        self._ok(self._guest.post("auth/password/reset/", body))

    def _move(self) -> None:
        """To another address, and once more, which nobody confirms."""
        login = {"email": "ann@example.org", "password": self.secrets["password after"]}
        found = self._ok(self._guest.post("auth/login/", {**login, "otp": self.secrets["recovery code 1"]}))
        me = ApiClient(self.keep("access token before the move", found["access"]))
        self.keep("refresh token before the move", found["refresh"])
        for name in ("used", "unused"):
            self._ok(me.post("auth/email/change/", {"email": f"ann.{name}@example.org"}))
            token = self.keep(f"{name} token for a new address", self._mailed())
            if name == "used":
                self._guest.get(f"/account/email/?token={token}")
                self._ok(self._guest.post("auth/email/confirm/", {"token": token}))

    def _invite(self) -> None:
        """Two to one room: one is accepted, the other one's token stays good."""
        login = {"email": "ann.used@example.org", "password": self.secrets["password after"]}
        found = self._ok(self._guest.post("auth/login/", {**login, "otp": self.secrets["recovery code 2"]}))
        me = ApiClient(self.keep("access token of the host", found["access"]))
        self.keep("refresh token of the host", found["refresh"])
        room = self._ok(me.post("workspaces/", {"name": "Parlour"}))["id"]
        guest = user_make("guest@example.org")
        for name in ("guest", "nobody"):
            body = {"email": f"{name}@example.org", "role": "viewer"}
            key = self.keep(f"idempotency key for {name}", f"idempotency-key-for-{name}-0002")
            self._ok(me.post(f"workspaces/{room}/members/", body, **{"Idempotency-Key": key}))
            token = self.keep(f"token that invites {name}", self._mailed())
            self._guest.get(f"/account/invitation/?token={token}")
        signed_in = client_make(guest)
        self._ok(
            signed_in.post("auth/invitations/accept/", {"token": self.secrets["token that invites guest"]})
        )

    def _federate(self) -> None:
        """One comes back, one stays away: the second state is still good at the end."""
        self.keep("secret at the provider", CLIENT_SECRET)
        for name in ("used", "waiting"):
            trip = travel(self._guest, f"{name}-person")
            self.keep(f"{name} state", trip.state)
            self.keep(f"{name} binding", trip.binding)
            self.keep(f"{name} code", trip.code)
            state = State.parse(trip.state)
            assert state
            self.keep(f"{name} nonce", state.nonce)
            self.keep(f"{name} verifier", state.verifier)
            if name == "used":
                answer = self._ok(self._guest.post("auth/oidc/callback/", trip.body))
                self.keep("refresh token by the provider", answer["refresh"])
                self._guest.get(f"/account/oidc/?code={trip.code}&state={trip.state}")
        self._ok(self._guest.post("auth/oidc/callback/", {**trip.body, "binding": "x" * 43}), 400)

    def _administer(self) -> None:
        boss = user_make("boss@example.org", role="administrator", is_staff=True, is_superuser=True)
        browser = Client()
        password = "correct-horse-battery-42"
        browser.post("/admin/login/?next=/admin/", {"username": boss.email, "password": password})
        assert browser.get("/admin/").status_code == 200
        self.keep("cookie of the staff", browser.cookies["sessionid"].value)


def codings(secret: str) -> Iterator[str]:
    """The secret, its parts where it has some, and each as a dump of bytes would show it."""
    for part in {secret, *(piece for piece in secret.split(".") if len(piece) >= 32)}:
        yield part
        yield part.encode().hex()
        yield base64.b64encode(part.encode()).decode().rstrip("=")[:-1]
        with contextlib.suppress(binascii.Error):
            yield base64.urlsafe_b64decode(part.removeprefix("csp_") + "==").hex()
        with contextlib.suppress(binascii.Error):
            yield base64.b32decode(re.sub("-", "", part).upper()).hex()


def database() -> str:
    """Every column of every table as text."""
    with connection.cursor() as cursor:
        found = []
        for table in table_names():
            cursor.execute(f"SELECT t::text FROM {table} t")
            found += [f"{table} {row}" for (row,) in cursor.fetchall()]
    return "\n".join(found)


def memory() -> str:
    """Every key of every database of Redis with its value, unpacked where it is packed."""
    server = redis.Redis.from_url(os.environ["REDIS_URL"], single_connection_client=True)
    found: list[bytes] = []
    for number in range(int(server.config_get("databases")["databases"])):
        server.select(number)
        for key in server.scan_iter(count=1000):
            found += [key, *_values(server, key)]
    server.close()
    return "\n".join(text for value in found for text in _texts(value))


def _values(server: redis.Redis, key: bytes) -> list[bytes]:
    kind = server.type(key).decode()
    if kind == "string":
        return [server.get(key)]
    if kind == "hash":
        return [part for pair in server.hgetall(key).items() for part in pair]
    readers = {
        "list": lambda: server.lrange(key, 0, -1),
        "set": lambda: list(server.smembers(key)),
        "zset": lambda: server.zrange(key, 0, -1),
    }
    return readers[kind]()


def _texts(value: bytes) -> Iterator[str]:
    yield value.decode("latin-1")
    yield value.hex()
    with contextlib.suppress(zlib.error):
        yield zlib.decompress(value).decode("latin-1")


@pytest.fixture
def life(mailoutbox: list[Any]) -> Life:
    """Nothing has happened yet."""
    autoload()
    return Life(mailoutbox)


@pytest.mark.usefixtures("real")
def test_nothing_that_opens_anything_lies_about(life: Life, capfd: pytest.CaptureFixture[str]) -> None:
    """A dump of the database, Redis and the logs is worth no session, token, factor or account."""
    life.live()
    out, err = capfd.readouterr()
    stores = {"database": database(), "redis": memory(), "log": out + err}
    for store, content in stores.items():
        assert len(content) > 1000, f"nothing to look through in {store}"
    found = {
        (store, name)
        for store, content in stores.items()
        for name, secret in life.secrets.items()
        if any(coding in content for coding in codings(secret))
    }
    assert found == set()


def test_the_search_sees_each_coding() -> None:
    """A secret is found as text, in hexadecimal of its letters and of what it spells, and in base64."""
    token = "csp_" + base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
    assert {token, token.encode().hex(), bytes(range(32)).hex()} <= set(codings(token))
    assert bytes(10).hex() in set(codings("aaaa-aaaa-aaaa-aaaa"))
    assert any(coding in base64.b64encode(token.encode()).decode() for coding in codings(token))
