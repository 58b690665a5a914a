"""auth/mfa/passkeys/…, auth/passkeys/… and step-up by a passkey, against a device in software."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db.models import F

from accounts.models import Ceremony, Passkey, RecoveryCode, Session, SignInFailure, User
from audit.models import Event
from cloudscribe.jobs.models import Job
from tests.accounts.api.test_step_up import proof_age
from tests.accounts.api.test_totp import at_once, policy
from tests.accounts.authenticator import PRESENT, Authenticator, decoded, encoded
from tests.accounts.factor_tools import code_at, login, totp_make
from tests.accounts.factories import PASSWORD, user_make
from tests.fixtures import ApiClient


@pytest.fixture
def device(settings: Any) -> Authenticator:
    """A device with no key, on the site's own origin."""
    settings.PUBLIC_URL = "http://localhost:8000"
    return Authenticator()


def options(client: Any, path: str = "auth/mfa/passkeys/options/") -> dict[str, Any]:
    """What the client's device is asked."""
    answer = client.post(path)
    assert answer.status_code == 200, answer.content
    return dict(answer.json()["public_key"])


def add(client: Any, device: Authenticator, name: str = "Laptop") -> Any:
    """The answer to a new passkey."""
    credential = device.create(options(client))
    return client.post("auth/mfa/passkeys/", {"name": name, "credential": credential})


def sign_in_options() -> dict[str, Any]:
    """What a stranger's device is asked."""
    return options(ApiClient(), "auth/passkeys/options/")


def sign_in(credential: dict[str, Any]) -> Any:
    """One try to sign in by a passkey."""
    return ApiClient().post("auth/passkeys/login/", {"credential": credential})


def refused(answer: Any, status: int = 401, code: str = "invalid_credentials") -> bool:
    """Whether the answer is that refusal."""
    return (answer.status_code, answer.json()["code"]) == (status, code)


def test_passkey_add_by_member(client_for: Any, device: Authenticator) -> None:
    """Added, it is listed and counts as second factor; as the first one it brings recovery codes."""
    client = client_for()
    other = client_for(client.user)
    answer = add(client, device)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert len(body["recovery_codes"]) == 10
    assert (body["name"], body["transports"]) == ("Laptop", ["hybrid", "internal"])
    shown = client.get(answer.headers["Location"]).json()
    assert shown == {name: value for name, value in body.items() if name != "recovery_codes"}
    assert client.get("auth/mfa/passkeys/").json()["results"] == [shown]
    assert client.get("auth/mfa/").json()["enrolled"] is True
    assert other.get("me/").status_code == 401
    assert Event.objects.filter(action="passkey.added").count() == 1
    assert Job.objects.get(kind="mail.send").payload["message"] == "second_factor_added"
    assert refused(login(ApiClient(), client.user), 401, "mfa_required")
    assert login(ApiClient(), client.user, body["recovery_codes"][0]).status_code == 200


def test_passkey_list_costs_two_queries(
    client_for: Any, device: Authenticator, django_assert_num_queries: Any
) -> None:
    """1 session, user, stamps; 2 the passkeys, however many."""
    client = client_for()
    add(client, device)
    add(client, device, "Telephone")
    with django_assert_num_queries(2):
        names = [row["name"] for row in client.get("auth/mfa/passkeys/").json()["results"]]
    assert names == ["Telephone", "Laptop"]


def test_passkey_second_one_brings_no_codes(client_for: Any, device: Authenticator) -> None:
    """Whoever has a factor keeps their recovery codes and their other sessions."""
    client = client_for()
    add(client, device)
    before = set(RecoveryCode.objects.values_list("pk", flat=True))
    again = add(client, device, "Telephone")
    assert again.json()["recovery_codes"] == []
    assert set(RecoveryCode.objects.values_list("pk", flat=True)) == before
    assert encoded(device.keys[0].id) in str(options(client)["excludeCredentials"])


def test_passkey_sign_in(client_for: Any, device: Authenticator) -> None:
    """A passkey alone signs in, as two factors: acts of consequence are open to its session."""
    client = client_for()
    add(client, device)
    asked = sign_in_options()
    assert (asked["userVerification"], asked.get("allowCredentials", [])) == ("required", [])
    answer = sign_in(device.get(asked))
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert set(body) == {"access", "refresh", "access_expires_in", "session", "user"}
    assert body["user"]["id"] == str(client.user.uid)
    assert Session.objects.get(uid=body["session"]["id"]).factors == ["passkey"]
    signed_in = ApiClient(body["access"])
    assert signed_in.post("auth/mfa/recovery-codes/").status_code == 200
    assert not SignInFailure.objects.exists()
    assert Passkey.objects.get().last_used_at is not None


def test_passkey_sign_in_by_policy(client_for: Any, device: Authenticator) -> None:
    """A passkey satisfies a role that demands a second factor."""
    client = client_for()
    policy("member")
    assert client.get("documents/").status_code == 403
    add(client, device)
    assert client.get("documents/").status_code == 200


def test_passkey_answer_is_good_once(client_for: Any, device: Authenticator) -> None:
    """An answer that somebody listened to is worth nothing a second time."""
    add(client_for(), device)
    credential = device.get(sign_in_options())
    assert sign_in(credential).status_code == 200
    assert refused(sign_in(credential))


def test_passkey_challenge_expires(client_for: Any, device: Authenticator) -> None:
    """A challenge is good until its moment, by the database's clock."""
    client = client_for()
    add(client, device)
    credential, created = device.get(sign_in_options()), device.create(options(client))
    Ceremony.objects.update(expires_at=F("expires_at") - dt.timedelta(seconds=301))
    assert refused(sign_in(credential))
    answer = client.post("auth/mfa/passkeys/", {"name": "Late", "credential": created})
    assert refused(answer, 400, "invalid_passkey")


def test_passkey_challenge_of_our_own_making_only(client_for: Any, device: Authenticator) -> None:
    """A challenge that was never given, or was given for something else, is answered in vain."""
    client = client_for()
    add(client, device)
    assert refused(sign_in(device.get({"challenge": encoded(b"x" * 32), "rpId": "localhost"})))
    step_up = options(client, "auth/step-up/options/")
    assert refused(sign_in(device.get(step_up)))
    assert refused(client.post("auth/step-up/", {"passkey": device.get(sign_in_options())}))
    asked = {**options(client), "challenge": sign_in_options()["challenge"]}
    answer = client.post("auth/mfa/passkeys/", {"name": "Crossed", "credential": device.create(asked)})
    assert refused(answer, 400, "invalid_passkey")


@pytest.mark.parametrize("case", ["origin", "rp_id", "unverified", "signature", "count", "handle", "unknown"])
def test_passkey_sign_in_refused_alike(client_for: Any, device: Authenticator, case: str) -> None:
    """Another site's answer, an unverified person, a copied key, another's handle: one answer for all."""
    add(client_for(), device)
    key = device.keys[0]
    key.count = 5
    assert sign_in(device.get(sign_in_options())).status_code == 200
    device.origin = "https://evil.example" if case == "origin" else device.origin
    device.rp_id = "evil.example" if case == "rp_id" else None
    device.flags = PRESENT if case == "unverified" else device.flags
    key.count = 3 if case == "count" else key.count
    key.user_handle = user_make().uid.bytes if case == "handle" else key.user_handle
    key.id = b"somebody else's" if case == "unknown" else key.id
    credential = device.get(sign_in_options())
    if case == "signature":
        right = decoded(credential["response"]["signature"])
        credential["response"]["signature"] = encoded(right[:-1] + bytes([right[-1] ^ 1]))
    answer = sign_in(credential)
    assert refused(answer)
    assert answer.json()["detail"] == "The passkey isn't known here, or its answer doesn't hold."
    assert SignInFailure.objects.filter(pending=False).count() == 1


@pytest.mark.parametrize("case", ["origin", "rp_id", "unverified"])
def test_passkey_add_refused(client_for: Any, device: Authenticator, case: str) -> None:
    """A key that was made for another site, or for nobody in particular, is not kept."""
    device.origin = "https://evil.example" if case == "origin" else device.origin
    device.rp_id = "evil.example" if case == "rp_id" else None
    device.flags = PRESENT if case == "unverified" else device.flags
    assert refused(add(client_for(), device), 400, "invalid_passkey")
    assert not Passkey.objects.exists()


def test_passkey_of_an_authenticator_without_a_counter(client_for: Any, device: Authenticator) -> None:
    """Synchronised passkeys always say 0, which is no regression."""
    add(client_for(), device)
    for _ in range(2):
        device.keys[0].count = -1
        assert sign_in(device.get(sign_in_options())).status_code == 200


def test_passkey_of_a_suspended_person(client_for: Any, device: Authenticator) -> None:
    """Who is kept out is kept out by every door."""
    client = client_for()
    add(client, device)
    User.objects.filter(pk=client.user.pk).update(is_active=False)
    assert refused(sign_in(device.get(sign_in_options())))


def test_passkey_add_on_another_session(client_for: Any, device: Authenticator) -> None:
    """The challenge is the session's that asked, and nobody else's; it stays good for that one."""
    client = client_for()
    same_person, stranger = client_for(client.user), client_for()
    body = {"name": "Taken", "credential": device.create(options(client))}
    for other in (same_person, stranger):
        assert refused(other.post("auth/mfa/passkeys/", body), 400, "invalid_passkey")
    assert client.post("auth/mfa/passkeys/", body).status_code == 201
    assert refused(client.post("auth/mfa/passkeys/", body), 400, "invalid_passkey")


def test_passkey_belongs_to_one_person(client_for: Any, device: Authenticator) -> None:
    """A credential that somebody has can't be added by another person."""
    first, second = client_for(), client_for()
    add(first, device)
    device.next_id = device.keys[0].id
    assert refused(add(second, device), 409, "passkey_exists")
    assert Passkey.objects.get().user_id == first.user.pk


def test_passkey_remove(client_for: Any, device: Authenticator) -> None:
    """Removed, it opens nothing; with the last factor the recovery codes go, and the owner is told."""
    client, stranger = client_for(), client_for()
    path = f"auth/mfa/passkeys/{add(client, device).json()['id']}/"
    assert stranger.delete(path).status_code == 404
    assert stranger.get(path).status_code == 404
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404
    assert refused(sign_in(device.get(sign_in_options())))
    assert not RecoveryCode.objects.exists()
    assert login(ApiClient(), client.user).status_code == 200
    assert Event.objects.filter(action="passkey.removed").count() == 1


@pytest.mark.parametrize("case", ["old", "without_factor"])
def test_passkey_change_needs_a_fresh_proof(client_for: Any, device: Authenticator, case: str) -> None:
    """With an old proof, or without the factor that the person has, nothing is changed."""
    client = client_for()
    path = f"auth/mfa/passkeys/{add(client, device).json()['id']}/"
    if case == "old":
        proof_age(client, 1000)
    else:
        Session.objects.update(factors=["pwd"])
    for method, route in (
        ("POST", "auth/mfa/passkeys/options/"),
        ("POST", "auth/mfa/passkeys/"),
        ("DELETE", path),
    ):
        assert refused(client.call(method, route), 403, "reauth_required")
    assert client.get(path).status_code == 200


def test_step_up_by_passkey(client_for: Any, device: Authenticator) -> None:
    """A passkey's answer to the session's own challenge renews the proof; the password alone doesn't."""
    client = client_for()
    path = f"auth/mfa/passkeys/{add(client, device).json()['id']}/"
    proof_age(client, 1000)
    assert refused(client.post("auth/step-up/", {"password": PASSWORD}), 401, "mfa_required")
    asked = options(client, "auth/step-up/options/")
    assert [entry["id"] for entry in asked["allowCredentials"]] == [encoded(device.keys[0].id)]
    answer = client.post("auth/step-up/", {"passkey": device.get(asked)})
    assert answer.status_code == 200, answer.content
    assert client.delete(path).status_code == 204


def test_step_up_by_somebody_elses_passkey(client_for: Any, device: Authenticator) -> None:
    """Another person's passkey proves nothing here, whichever challenge it answers."""
    client, other = client_for(), client_for()
    totp_make(client.user)
    add(other, device)
    mine, theirs = options(client, "auth/step-up/options/"), options(other, "auth/step-up/options/")
    for asked in (mine, theirs):
        assert refused(client.post("auth/step-up/", {"passkey": device.get(asked)}))
    assert client.get("me/").status_code == 200


def test_step_up_by_passkey_and_a_wrong_code(client_for: Any, device: Authenticator) -> None:
    """Whatever is shown has to be right."""
    client = client_for()
    add(client, device)
    secret = totp_make(client.user)
    asked = options(client, "auth/step-up/options/")
    body = {"passkey": device.get(asked), "otp": code_at(secret, 9)}
    assert refused(client.post("auth/step-up/", body))


SPOILT = ("", "!!!", "AAAA", 7, None, [], encoded(b"\xa1\x63fmt"), encoded(b"\x00" * 200), "A" * 9000)
NO_CREDENTIALS = (
    {},
    {"id": 7},
    [],
    "x",
    None,
    {"id": "x", "response": []},
    {"response": {"clientDataJSON": "e30"}},
)


@pytest.mark.parametrize(
    ("path", "asked", "name", "extra"),
    [
        ("auth/passkeys/login/", "auth/passkeys/options/", "credential", {}),
        ("auth/mfa/passkeys/", "auth/mfa/passkeys/options/", "credential", {"name": "Odd"}),
        ("auth/step-up/", "auth/step-up/options/", "passkey", {}),
    ],
)
def test_passkey_nonsense_is_a_refusal(
    client_for: Any, device: Authenticator, path: str, asked: str, name: str, extra: dict[str, str]
) -> None:
    """Whatever stands in place of a credential, or of a part of it, is refused; none is an error of ours."""
    client = client_for()
    add(client, device)
    make = device.create if "mfa" in path else device.get
    members = ("attestationObject", "clientDataJSON", "authenticatorData", "signature", "userHandle")
    bodies: list[Any] = list(NO_CREDENTIALS)
    for member in set(members) & set(make(options(client, asked))["response"]):
        for value in SPOILT:
            odd = make(options(client, asked))
            odd["response"][member] = value
            # Where the person is known already their handle may be left out.
            bodies += [] if "step-up" in path and member == "userHandle" and value is None else [odd]
    for credential in bodies:
        SignInFailure.objects.all().delete()
        answer = client.post(path, {name: credential, **extra})
        assert answer.status_code in {400, 401}, (credential, answer.content)


@pytest.mark.usefixtures("redis_gone")
def test_passkey_sign_in_without_redis(client_for: Any, device: Authenticator) -> None:
    """Challenges lie in PostgreSQL."""
    add(client_for(), device)
    credential = device.get(sign_in_options())
    assert sign_in(credential).status_code == 200
    assert refused(sign_in(credential))


@pytest.mark.django_db(transaction=True)
def test_passkey_one_answer_many_at_once(client_for: Any, device: Authenticator) -> None:
    """Of several that send one answer at once a single one gets in."""
    add(client_for(), device)
    credential = device.get(sign_in_options())
    statuses = at_once(lambda: sign_in(credential).status_code, 4)
    assert sorted(statuses) == [200, 401, 401, 401]
