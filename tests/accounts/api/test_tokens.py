"""me/tokens/ and what a personal access token opens."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.caching import token_uses
from accounts.models import Session, Token, User
from accounts.scopes import SCOPES
from audit.models import Event
from tests.accounts.factories import token_make, user_make
from tests.fixtures import ApiClient, client_make


def soon(days: float = 30) -> str:
    """A time so many days ahead, as clients write it."""
    return (timezone.now() + dt.timedelta(days=days)).isoformat()


def asked(*scopes: str, **fields: Any) -> dict[str, Any]:
    """The body of a token's creation."""
    return {"name": "Build", "scopes": list(scopes or ["documents:read"]), "expires_at": soon(), **fields}


@pytest.fixture
def me(client_for: Any) -> ApiClient:
    """A member with a fresh session."""
    client: ApiClient = client_for()
    return client


def test_create_by_session_shows_the_secret_once(me: ApiClient) -> None:
    """201 with the secret, which works from now on; no later answer, row or event holds it."""
    answer = me.post("me/tokens/", asked("profile:read", cidrs=["127.0.0.0/8"]))
    body = answer.json()
    assert answer.status_code == 201
    assert body["token"].startswith("csp_")
    assert len(body["token"]) == 47
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Location"].endswith(f"/me/tokens/{body['id']}/")
    shown = me.get(f"me/tokens/{body['id']}/").json()
    assert shown == {name: value for name, value in body.items() if name != "token"}
    assert ApiClient(body["token"]).get("me/").json()["id"] == str(me.user.uid)  # type: ignore[union-attr]
    row = Token.objects.get()
    kept = [*vars(row).values(), *Event.objects.values_list("facts", "detail__body")]
    assert body["token"] not in str(kept)
    event = Event.objects.get(action="token.created")
    assert (event.target_uid, event.credential_kind) == (row.uid, "session")


def test_create_with_a_stale_session_asks_to_step_up(me: ApiClient) -> None:
    """A token outlives the session, so its making needs a fresh proof; looking and revoking don't."""
    token_make(me.user)  # type: ignore[arg-type]
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    refused = me.post("me/tokens/", asked())
    assert (refused.status_code, refused.json()["code"]) == (403, "reauth_required")
    (row,) = me.get("me/tokens/").json()["results"]
    assert me.delete(f"me/tokens/{row['id']}/").status_code == 204


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"scopes": ["documents:read", "world:rule"]}, "/scopes/1", "unknown_scope"),
        ({"scopes": []}, "/scopes", "min_length"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at", "past"),
        ({"expires_at": soon(367)}, "/expires_at", "too_late"),
        ({"cidrs": ["10.0.0.0/8", "10.0.0.1/8"]}, "/cidrs/1", "invalid_network"),
        ({"cidrs": ["localhost"]}, "/cidrs/0", "invalid_network"),
        ({"secret": "mine"}, "/secret", "unknown_property"),
        ({"name": ""}, "/name", "blank"),
    ],
)
def test_create_with_a_faulty_cut_names_the_fault(
    me: ApiClient, change: dict[str, Any], pointer: str, code: str
) -> None:
    """Whatever can't be a token is 400, and the fault has its place."""
    answer = me.post("me/tokens/", {**asked(), **change})
    faults = answer.json()["errors"]
    assert answer.status_code == 400
    assert [(fault["pointer"], fault["code"]) for fault in faults] == [(pointer, code)]


@pytest.mark.parametrize("name", ["name", "scopes", "expires_at"])
def test_create_without_a_required_field_is_refused(me: ApiClient, name: str) -> None:
    """An end is required like name and scopes: no token lives for ever."""
    body = asked()
    del body[name]
    answer = me.post("me/tokens/", body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{name}")


def test_create_for_a_hidden_place_is_404(me: ApiClient, client_for: Any) -> None:
    """A token can't be cut to what its maker doesn't see: the answer tells nothing of it."""
    other = client_for()
    room = other.post("workspaces/", {"name": "Room"}).json()["id"]
    page = other.post("documents/", {"workspace": room, "title": "Page"}).json()["id"]
    for place in ({"workspace": room}, {"document": page}, {"workspace": str(uuid.uuid4())}):
        assert me.post("me/tokens/", asked(**place)).status_code == 404


def test_create_twice_under_one_idempotency_key_makes_one(me: ApiClient) -> None:
    """A repeated request gets the same answer, and what is kept of it isn't readable without the key."""
    body = asked()
    first, second = (me.post("me/tokens/", body, Idempotency_Key="abc") for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (201, first.json())
    assert Token.objects.count() == 1


def test_list_shows_own_live_ones(me: ApiClient, django_assert_num_queries: Any) -> None:
    """Two statements: sign-in, page. Ended ones and others' don't show."""
    user = me.user
    assert user
    token_make(user, name="live")
    token_make(user, name="out", expires_at=timezone.now())
    token_make(user, name="revoked", revoked_at=timezone.now(), revoked_reason="revoked")
    token_make(user_make(), name="other")
    me.get("me/")
    with django_assert_num_queries(2):
        answer = me.get("me/tokens/")
    assert [row["name"] for row in answer.json()["results"]] == ["live"]


def test_sign_in_by_token_is_one_query(me: ApiClient, django_assert_num_queries: Any) -> None:
    """Token, user, stamps, epoch and clock in one statement; the second is the list's own."""
    client = ApiClient(token_make(me.user, "jobs:read"))  # type: ignore[arg-type]
    client.get("jobs/")
    with django_assert_num_queries(1 + 1 + 1):  # sign-in, the user's permissions, the page
        assert client.get("jobs/").status_code == 200


@pytest.mark.parametrize("case", ["unknown", "short", "long", "revoked", "expired", "suspended", "elsewhere"])
def test_sign_in_by_a_token_that_does_not_hold_is_one_401(me: ApiClient, case: str) -> None:
    """Whatever the reason, the answer is the same: a thief learns nothing of what he has."""
    user = me.user
    assert user
    changes: dict[str, dict[str, Any]] = {
        "revoked": {"revoked_at": timezone.now(), "revoked_reason": "revoked"},
        "expired": {"expires_at": timezone.now()},
        "elsewhere": {"cidrs": ["192.0.2.0/24", "2001:db8::/32"]},
    }
    secret = token_make(user, **changes.get(case, {}))
    secret = {"unknown": "csp_" + "x" * 43, "short": secret[:-1], "long": secret + "x"}.get(case, secret)
    User.objects.filter(pk=user.pk).update(is_active=case != "suspended")
    answer, unknown = ApiClient(secret).get("me/"), ApiClient("csp_" + "y" * 43).get("me/")
    own = ("request_id", "instance")
    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_token"
    assert {k: v for k, v in answer.json().items() if k not in own} == {
        k: v for k, v in unknown.json().items() if k not in own
    }


def test_sign_in_from_elsewhere_is_on_the_record(me: ApiClient) -> None:
    """A good token at a wrong address is a leak that its owner should learn of."""
    secret = token_make(me.user, cidrs=["192.0.2.0/24"])  # type: ignore[arg-type]
    assert ApiClient(secret).get("me/").status_code == 401
    event = Event.objects.get(action="access.denied")
    assert (event.facts["code"], event.target_uid) == ("token_address", Token.objects.get().uid)


@pytest.mark.parametrize(
    ("cidrs", "address", "status"),
    [
        (["192.0.2.0/24"], "192.0.2.9", 200),
        (["192.0.2.0/24"], "192.0.3.9", 401),
        (["192.0.2.0/24"], "::ffff:192.0.2.9", 200),
        (["192.0.2.0/24"], "::ffff:192.0.3.9", 401),
        (["::ffff:192.0.2.0/120"], "192.0.2.9", 200),
        (["2001:db8::/32"], "2001:db8::1", 200),
        (["2001:db8::/32"], "2001:db9::1", 401),
        (["::/0"], "192.0.2.9", 401),
        (["10.0.0.0/8", "192.0.2.9"], "192.0.2.9", 200),
    ],
)
def test_sign_in_holds_to_the_networks(me: ApiClient, cidrs: list[str], address: str, status: int) -> None:
    """By the vetted client address, IPv4 inside IPv6 being IPv4; a header makes nobody somebody else."""
    made = me.post("me/tokens/", asked("profile:read", cidrs=cidrs)).json()
    client = ApiClient(made["token"], REMOTE_ADDR=address)
    assert client.get("me/", X_Forwarded_For="192.0.2.9").status_code == status


def test_last_use_is_written_behind_once_a_minute(me: ApiClient, django_assert_num_queries: Any) -> None:
    """The first use and where it came from, without a write in the request; not again within a minute."""
    client = ApiClient(token_make(me.user), REMOTE_ADDR="192.0.2.7")  # type: ignore[arg-type]
    client.get("me/")
    token_uses.flush()
    row = Token.objects.get()
    assert row.last_used_at is not None
    assert row.last_used_address == "192.0.2.7"
    ApiClient(client.token, REMOTE_ADDR="192.0.2.8").get("me/")
    with django_assert_num_queries(0):
        token_uses.flush()


def test_revoke_by_session_ends_it_and_its_descendants(me: ApiClient) -> None:
    """From the next request on; what a stolen token minted goes with it, each with its event."""
    one = me.post("me/tokens/", asked("tokens:write", "profile:read")).json()
    weaker = asked("tokens:write", "profile:read", expires_at=soon(5))
    two = ApiClient(one["token"]).post("me/tokens/", weaker).json()
    three = ApiClient(two["token"]).post("me/tokens/", weaker).json()
    other = token_make(me.user)  # type: ignore[arg-type]
    assert me.delete(f"me/tokens/{one['id']}/").status_code == 204
    statuses = [ApiClient(made["token"]).get("me/").status_code for made in (one, two, three)]
    assert statuses == [401, 401, 401]
    assert ApiClient(other).get("me/").status_code == 200
    assert Event.objects.filter(action="token.revoked").count() == 3
    assert me.delete(f"me/tokens/{one['id']}/").status_code == 404


@pytest.mark.usefixtures("redis_gone")
def test_revoke_needs_no_redis(me: ApiClient) -> None:
    """With Redis gone a revoked token is as dead."""
    secret = token_make(me.user)  # type: ignore[arg-type]
    uid = me.get("me/tokens/").json()["results"][0]["id"]
    assert me.delete(f"me/tokens/{uid}/").status_code == 204
    assert ApiClient(secret).get("me/").status_code == 401


def test_revoke_another_persons_is_404(me: ApiClient) -> None:
    """Somebody else's token is absent, and lives on."""
    secret = token_make(user_make())
    uid = Token.objects.get().uid
    assert me.get(f"me/tokens/{uid}/").status_code == 404
    assert me.delete(f"me/tokens/{uid}/").status_code == 404
    assert ApiClient(secret).get("me/").status_code == 200


def test_token_sees_itself_and_what_it_minted(me: ApiClient) -> None:
    """A token is no key to the list of all others."""
    token_make(me.user, name="other")  # type: ignore[arg-type]
    client = ApiClient(token_make(me.user, name="self"))  # type: ignore[arg-type]
    child = client.post("me/tokens/", asked(name="child", expires_at=soon(5))).json()
    names = [row["name"] for row in client.get("me/tokens/").json()["results"]]
    assert names == ["child", "self"]
    other = Token.objects.get(name="other")
    assert client.delete(f"me/tokens/{other.uid}/").status_code == 404
    assert client.delete(f"me/tokens/{child['id']}/").status_code == 204


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"scopes": ["documents:write"]}, ["/scopes"]),
        ({"cidrs": []}, ["/cidrs"]),
        ({"cidrs": ["126.0.0.0/7"]}, ["/cidrs"]),
        ({"cidrs": ["::/0"]}, ["/cidrs"]),
        ({"expires_at": soon(20)}, ["/expires_at"]),
        (
            {"scopes": ["audit:read"], "cidrs": [], "expires_at": soon(20)},
            ["/scopes", "/cidrs", "/expires_at"],
        ),
    ],
)
def test_token_mints_nothing_wider(me: ApiClient, change: dict[str, Any], pointers: list[str]) -> None:
    """Scopes, networks and life of the minted lie within the minter's; 403 names what doesn't."""
    parent = {"cidrs": ["127.0.0.0/8"], "expires_at": timezone.now() + dt.timedelta(days=10)}
    client = ApiClient(token_make(me.user, "documents:read", "tokens:write", **parent))  # type: ignore[arg-type]
    weaker = asked(cidrs=["127.0.0.1/32"], expires_at=soon(5))
    assert client.post("me/tokens/", weaker).status_code == 201
    answer = client.post("me/tokens/", {**weaker, **change})
    assert (answer.status_code, answer.json()["code"]) == (403, "token_too_wide")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == pointers


def test_token_without_the_scope_mints_nothing(me: ApiClient) -> None:
    """Minting is a scope of its own, and the refusal names it."""
    client = ApiClient(token_make(me.user, *(set(SCOPES) - {"tokens:write"})))  # type: ignore[arg-type]
    answer = client.post("me/tokens/", asked())
    assert (answer.status_code, answer.json()["code"], answer.json()["scope"]) == (
        403,
        "missing_scope",
        "tokens:write",
    )


def test_create_beyond_the_most_is_refused(me: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account holds so many live tokens at most; revoking one makes room."""
    monkeypatch.setattr("accounts.services.tokens._MOST_LIVE", 1)
    first = me.post("me/tokens/", asked()).json()
    answer = me.post("me/tokens/", asked())
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_tokens")
    me.delete(f"me/tokens/{first['id']}/")
    assert me.post("me/tokens/", asked()).status_code == 201


def test_token_signs_out_nothing_and_changes_no_password(me: ApiClient) -> None:
    """Sign-in belongs to sessions: no scope opens these routes."""
    client = ApiClient(token_make(me.user))  # type: ignore[arg-type]
    refused = [
        client.post("auth/logout/"),
        client.post("auth/password/change/", {"current_password": "x", "password": "y"}),
        client.get("me/sessions/"),
        client.patch("me/", {"name": "Other"}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "missing_scope")] * 4
    assert {answer.json()["scope"] for answer in refused} == {None}


@pytest.mark.django_db(transaction=True)
def test_revoke_while_it_mints_leaves_no_descendant() -> None:
    """Of a token that mints and is revoked at the same time nothing stays alive, whoever was first."""
    me = client_make()
    made = me.post("me/tokens/", asked("tokens:write", "profile:read")).json()
    start = threading.Barrier(5)

    def mint() -> None:
        start.wait()
        ApiClient(made["token"]).post("me/tokens/", asked("profile:read", expires_at=soon(5)))
        connection.close()

    threads = [threading.Thread(target=mint) for _ in range(4)]
    for thread in threads:
        thread.start()
    start.wait()
    assert me.delete(f"me/tokens/{made['id']}/").status_code == 204
    for thread in threads:
        thread.join()
    assert not Token.objects.filter(revoked_at__isnull=True).exists()
