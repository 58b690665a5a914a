"""manage.py rotate_keys: sessions go on, sealed texts stay readable, old keys go when nobody needs them."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import pathlib
import stat
import threading
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import TotpDevice
from audit.models import Event
from cloudscribe.lib import sealed
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.secrets_file import KEPT_IN, KEYS, change_ring, load_secrets
from cloudscribe.lib.keyring import KeyRing
from tests.accounts.factor_tools import code_at, login, recovery_codes_make, totp_make
from tests.accounts.factories import user_make
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db
PURPOSE = "tests"


class Installation:
    """A data folder with a kept ring, and processes that read it when they start."""

    def __init__(self, layout: Layout, settings: Any) -> None:
        self.layout = layout
        self.settings = settings
        load_secrets(layout)
        self.age(dt.timedelta(days=1))

    @property
    def ring(self) -> KeyRing:
        """What the file holds."""
        return KeyRing.parse(json.loads(self.layout.secrets.read_text())[KEYS])

    def start(self) -> None:
        """What a restart does: the ring is read."""
        self.settings.KEY_RING = self.ring

    def age(self, by: dt.timedelta) -> None:
        """Let all keys have been made earlier."""
        change_ring(
            self.layout,
            lambda ring: KeyRing(ring.active_kid, ring.keys, {kid: at - by for kid, at in ring.made.items()}),
        )
        self.start()


@pytest.fixture
def kept(tmp_path: pathlib.Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation as `make run` makes it."""
    layout = Layout.at(tmp_path / "data")
    monkeypatch.setenv(KEPT_IN, str(layout.secrets))
    return Installation(layout, settings)


@pytest.fixture
def sealing() -> Iterator[None]:
    """The authenticators' secrets as the only column of sealed texts, under a purpose of the tests."""
    known = sealed.sealed_fields[:]
    sealed.sealed_fields.clear()
    sealed.sealed_field(model=TotpDevice, field="secret", purpose=PURPOSE, context=lambda row: row.uid.bytes)
    yield
    sealed.sealed_fields[:] = known


def device() -> TotpDevice:
    """A device whose secret is sealed by the active key."""
    made = TotpDevice.objects.create(user=user_make(), secret=b"")
    made.refresh_from_db()
    made.secret = sealed.seal(PURPOSE, b"the secret", made.uid.bytes)
    made.save(update_fields=["secret"])
    return made


def opened(row: TotpDevice) -> bytes:
    """What the row's text holds."""
    row.refresh_from_db()
    return sealed.unseal(PURPOSE, row.secret, row.uid.bytes)


def rotate(**options: Any) -> str:
    """What the command says."""
    out = io.StringIO()
    call_command("rotate_keys", stdout=out, stderr=out, **options)
    return out.getvalue()


def kid_of(access: str) -> str:
    """The key that signed it."""
    return str(jwt.get_unverified_header(access)["kid"])


def refreshed(token: str) -> Any:
    """One use of a refresh token."""
    return ApiClient().post("auth/refresh/", {"refresh": token})


def test_rotate_leaves_sessions_alone(kept: Installation, client_for: Any) -> None:
    """Tokens of the old key verify; whoever refreshes gets tokens of the new one."""
    client, old = client_for(), kept.ring.active_kid
    assert "Restart" in rotate()
    kept.start()
    new = kept.ring.active_kid
    assert old != new
    assert client.get("me/").status_code == 200
    answer = refreshed(client.credentials.refresh)
    assert answer.status_code == 200
    assert (kid_of(client.token), kid_of(answer.json()["access"])) == (old, new)
    assert answer.json()["refresh"].startswith(f"{new}.")
    assert refreshed(answer.json()["refresh"]).status_code == 200
    assert kid_of(client_for().token) == new


def test_rotate_keeps_the_rest_of_the_file(kept: Installation) -> None:
    """The other secret and the file's mode stay; the keys that were there stay as they were."""
    before, ring = json.loads(kept.layout.secrets.read_text()), kept.ring
    rotate()
    after = json.loads(kept.layout.secrets.read_text())
    assert after["CLOUDSCRIBE_SECRET_KEY"] == before["CLOUDSCRIBE_SECRET_KEY"]
    assert stat.S_IMODE(kept.layout.secrets.stat().st_mode) == 0o600
    assert ring.keys.items() < kept.ring.keys.items()
    assert list(Event.objects.values_list("action", "facts")) == [
        ("key_ring.rotated", {"keys": [kept.ring.active_kid]})
    ]


def test_rotate_again_at_once_makes_nothing(kept: Installation) -> None:
    """Of a run and its repetition, or of two hosts' timers, one makes a key."""
    rotate()
    once = kept.ring
    assert "nothing is due" in rotate()
    assert kept.ring == once


def test_rotate_by_many_at_once_makes_one_key(kept: Installation) -> None:
    """The lock beside the file lets one after the other in."""
    from cloudscribe.management.keys import ring_rotated  # noqa: PLC0415 (needs the settings)

    start = threading.Barrier(8)

    def once() -> None:
        start.wait(timeout=20)
        change_ring(kept.layout, lambda ring: ring_rotated(ring, timezone.now()))

    threads = [threading.Thread(target=once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept.ring.keys) == 2


@pytest.mark.parametrize("options", [{}, {"retire": True}, {"retire": True, "at_once": True}])
@pytest.mark.usefixtures("sealing")
def test_rotate_dry_run_changes_nothing(kept: Installation, options: dict[str, bool]) -> None:
    """It says what would be done, without a key, a row or an event."""
    row = device()
    rotate()
    kept.start()
    kept.age(dt.timedelta(days=365))
    before, events = kept.layout.secrets.read_bytes(), Event.objects.count()
    rotate(dry_run=True, **options)
    row.refresh_from_db()
    assert kept.layout.secrets.read_bytes() == before
    assert Event.objects.count() == events
    assert sealed.sealed_by(row.secret) != kept.ring.active_kid


def test_retire_waits_for_the_longest_session(kept: Installation, client_for: Any, settings: Any) -> None:
    """A key goes when no session that it signed can be alive, counted from the day it was replaced."""
    client, old = client_for(), kept.ring.active_kid
    rotate()
    kept.age(dt.timedelta(seconds=settings.SESSION_LIFETIME, hours=-1))
    assert f"{old}: from" in rotate(retire=True)
    assert client.get("me/").status_code == 200
    kept.age(dt.timedelta(hours=2))
    assert f"{old} taken out" in rotate(retire=True)
    kept.start()
    assert set(kept.ring.keys) == {kept.ring.active_kid}
    assert (client.get("me/").status_code, refreshed(client.credentials.refresh).status_code) == (401, 401)
    assert "No key" in rotate(retire=True)


def test_retire_at_once_ends_what_a_leaked_key_signed(kept: Installation, client_for: Any) -> None:
    """Whoever had the ring can make tokens; after this they are worth nothing, and new ones are."""
    client = client_for()
    rotate()
    kept.start()
    rotate(retire=True, at_once=True)
    kept.start()
    assert (client.get("me/").status_code, refreshed(client.credentials.refresh).status_code) == (401, 401)
    assert client_for().get("me/").status_code == 200


@pytest.mark.usefixtures("sealing")
def test_reseal_moves_sealed_texts_to_the_new_key(kept: Installation) -> None:
    """The text stays what it was; a second run finds nothing to do."""
    row = device()
    rotate()
    kept.start()
    assert rotate(reseal=True).startswith("1 texts were")
    assert opened(row) == b"the secret"
    assert sealed.sealed_by(row.secret) == kept.ring.active_kid
    assert rotate(reseal=True).startswith("0 texts were")


@pytest.mark.usefixtures("sealing")
def test_retire_reseals_first(kept: Installation) -> None:
    """No secret is lost with the key that sealed it."""
    row = device()
    rotate()
    kept.start()
    rotate(retire=True, at_once=True)
    kept.start()
    assert opened(row) == b"the secret"


@pytest.mark.usefixtures("sealing")
def test_reseal_names_what_no_key_opens(kept: Installation) -> None:
    """One broken text stops no other: it stays as it is, is named, and the exit code tells."""
    broken, whole = device(), device()
    TotpDevice.objects.filter(pk=broken.pk).update(secret=b"\x04gone" + b"x" * 40)
    rotate()
    kept.start()
    with pytest.raises(CommandError, match=f"TotpDevice {broken.pk}") as caught:
        rotate(reseal=True)
    assert caught.value.returncode == 1
    assert opened(whole) == b"the secret"


def test_rotate_a_ring_of_the_environment_prints_it_on_request(settings: Any) -> None:
    """Where the operator sets the ring, its new value is a secret that nobody prints unasked."""
    old = "k1"
    settings.KEY_RING = KeyRing(old, {old: b"k" * 32})
    with pytest.raises(CommandError, match="--print") as caught:
        rotate()
    assert caught.value.returncode == 2
    out = io.StringIO()
    call_command("rotate_keys", show=True, stdout=out, stderr=io.StringIO())
    ring = KeyRing.parse(out.getvalue())
    assert ring.active_kid != old
    assert ring.keys[old] == b"k" * 32


def test_retire_a_key_of_unknown_age_counts_from_the_rotation(kept: Installation) -> None:
    """A ring made by hand has no times: what its first dated key replaced is as old as that one."""
    text = json.dumps({"active": "a", "keys": {kid: base64.b64encode(b"k" * 32).decode() for kid in "ab"}})
    change_ring(kept.layout, lambda ring: KeyRing.parse(text))
    kept.start()
    assert "once a rotation" in rotate(retire=True)
    rotate()
    kept.start()
    kept.age(dt.timedelta(days=91))
    assert "a, b taken out" in rotate(retire=True)


def test_rotate_refuses_contradictory_options(kept: Installation) -> None:
    """At once is a manner of retiring; a kept ring is not printed."""
    for options in ({"at_once": True}, {"show": True}):
        with pytest.raises(CommandError) as caught:
            rotate(**options)
        assert caught.value.returncode == 2


def test_retire_leaves_second_factors_alone(kept: Installation) -> None:
    """An app and recovery codes that were set up under a key which is gone still sign in."""
    user = user_make()
    secret, codes = totp_make(user), recovery_codes_make(user)
    rotate()
    kept.start()
    rotate(retire=True, at_once=True)
    kept.start()
    assert login(ApiClient(), user, code_at(secret)).status_code == 200
    assert login(ApiClient(), user, codes[0]).status_code == 200
    assert login(ApiClient(), user, codes[0]).status_code == 401
