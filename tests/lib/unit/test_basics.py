"""The small values that everything is made of: settings readers, key ring, actor, context, scrubbing."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import pathlib
import types
import uuid

import pytest
from django.core.exceptions import ImproperlyConfigured

from cloudscribe.lib import env
from cloudscribe.lib.actor import (
    Actor,
    ActorKind,
    CredentialKind,
    Limit,
    acting_as,
    actor_of,
    command_actor,
    current_actor,
)
from cloudscribe.lib.context import RequestContext, current_context, new_request_id, request_context
from cloudscribe.lib.errors import NotAuthenticated
from cloudscribe.lib.keyring import KeyRing, KeyRingError
from cloudscribe.lib.observability.sentry import scrub

NAME = "CLOUDSCRIBE_TEST_ONLY"


@pytest.fixture(autouse=True)
def _no_trace_of_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests read is not part of the documented configuration."""
    monkeypatch.setattr(env, "VARIABLES", {})


def _ring(**keys: bytes) -> str:
    encoded = {kid: base64.b64encode(key).decode() for kid, key in keys.items()}
    return json.dumps({"active": next(iter(keys)), "keys": encoded})


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (lambda: env.integer(NAME, 1, "", least=5), "4"),
        (lambda: env.integer(NAME, 1, ""), "x"),
        (lambda: env.seconds(NAME, 1, ""), "-1"),
        (lambda: env.seconds(NAME, 1, ""), "inf"),
        (lambda: env.boolean(NAME, False, ""), "maybe"),
        (lambda: env.text(NAME, "a", "", choices=("a", "b")), "c"),
    ],
)
def test_reader_refuses_a_bad_value_by_the_variable_s_name(
    reader: object, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that fails says which variable to mend."""
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        reader()  # type: ignore[operator]


def test_reader_takes_a_secret_from_a_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`<name>_FILE` names a file with the value; an unreadable one is an error, not an absence."""
    file = tmp_path / "secret"
    file.write_text("  hidden\n")
    monkeypatch.setenv(f"{NAME}_FILE", str(file))
    assert env.secret(NAME, "") == "hidden"
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "absent"))
    with pytest.raises(ImproperlyConfigured, match=f"{NAME}_FILE"):
        env.secret(NAME, "")


def test_key_ring_derives_a_key_for_each_purpose_and_key_id() -> None:
    """Keys of different purposes and of different ring keys differ; the same asked twice is the same."""
    ring = KeyRing.parse(_ring(new=b"n" * 32, old=b"o" * 32))
    derived = [ring.derive("a"), ring.derive("b"), ring.derive("a", "old")]
    assert len(set(derived)) == 3
    assert ring.derive("a") == ring.derive("a", "new")
    assert "nnn" not in repr(ring)
    with pytest.raises(KeyError):
        ring.derive("a", "unknown")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"active": "a", "keys": {}}',
        '{"active": "a", "keys": {"a": "!"}}',
        _ring(a=b"short"),
        _ring(a=b"k" * 32)[:-1] + ', "made": {"a": "2026-01-01"}}',
        _ring(a=b"k" * 32)[:-1] + ', "made": {"a": 7}}',
        _ring(a=b"k" * 32)[:-1] + ', "made": []}',
    ],
)
def test_key_ring_refuses_what_is_unusable(text: str) -> None:
    """A weak or broken ring means no start."""
    with pytest.raises(KeyRingError):
        KeyRing.parse(text)


def _actor(scopes: frozenset[str] | None) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        uid=uuid.UUID(int=1),
        pk=1,
        name="Ada",
        credential_kind=CredentialKind.TOKEN,
        credential_uid=None,
        now=dt.datetime.now(dt.UTC),
        scopes=scopes,
    )


def test_actor_with_scopes_has_these_and_a_session_has_all() -> None:
    """None means everything that the person may do; an empty set means nothing."""
    assert _actor(None).has_scope("any")
    assert _actor(frozenset({"a"})).has_scope("a")
    assert not _actor(frozenset()).has_scope("a")


def test_actor_of_a_request_that_nobody_signed() -> None:
    """401, whatever else stands on the request."""
    for auth in (None, "token", object()):
        with pytest.raises(NotAuthenticated):
            actor_of(types.SimpleNamespace(auth=auth))


def test_acting_as_puts_back_who_acted_before() -> None:
    """Also after an error."""
    outer, inner = _actor(None), command_actor("restore", dt.datetime.now(dt.UTC))
    with acting_as(outer):
        with contextlib.suppress(KeyError), acting_as(inner):
            assert current_actor() is inner
            raise KeyError
        assert current_actor() is outer


def test_limit_survives_the_row_of_a_job() -> None:
    """What narrows a job's rights is read back as it was stored."""
    limit = Limit(workspace_pk=1, document_pk=2, whole_subtree=False, actions=5)
    assert Limit.from_json(json.loads(json.dumps(limit.to_json()))) == limit


@pytest.mark.parametrize("wanted", ["abcdefgh", "A-Z_0123456789", "x" * 80])
def test_request_id_of_the_client_is_kept_in_the_allowed_form(wanted: str) -> None:
    """Eight to eighty letters, digits, `-` and `_`."""
    assert new_request_id(wanted) == wanted


@pytest.mark.parametrize("wanted", [None, "", "short", "x" * 81, "abcdefgh\n", "abcd efgh", "äbcdefgh"])
def test_request_id_of_another_form_is_replaced(wanted: str | None) -> None:
    """By a random one."""
    made = new_request_id(wanted)
    assert made not in {wanted, new_request_id(wanted)}


def test_error_report_holds_no_path_and_names_the_request() -> None:
    """Paths, queries, headers and bodies stay here."""
    event = {"request": {"method": "GET", "url": "https://x/s/secret/?q=1", "headers": {"Cookie": "secret"}}}
    with request_context(RequestContext("abcdefgh", route="/s/{secret}/")):
        assert current_context().request_id == "abcdefgh"
        scrubbed = scrub(event, {})
    assert scrubbed == {
        "request": {"method": "GET", "url": "/s/{secret}/"},
        "tags": {"request_id": "abcdefgh", "route": "/s/{secret}/"},
        "transaction": "/s/{secret}/",
    }
