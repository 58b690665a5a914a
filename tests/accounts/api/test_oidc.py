"""auth/oidc/… and me/identities/ with a real provider of another make, in a process of its own."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import F

from accounts.models import (
    Ceremony,
    Identity,
    Notification,
    Passkey,
    Registration,
    Session,
    SignInFailure,
    User,
)
from audit.models import Event
from cloudscribe.jobs.models import Job
from tests.accounts.api.test_registration import mailed
from tests.accounts.api.test_step_up import proof_age
from tests.accounts.factor_tools import code_at, totp_make
from tests.accounts.factories import user_make
from tests.fixtures import ApiClient
from tests.oidc.tools import Trip, browse, travel

pytestmark = pytest.mark.slow

CALLBACK = "auth/oidc/callback/"


def refused(answer: Any, status: int, code: str) -> bool:
    """Whether the answer is that refusal."""
    return (answer.status_code, answer.json()["code"]) == (status, code)


def link(client: ApiClient, user: str, **person: str) -> Any:
    """The answer to linking with somebody there."""
    trip = travel(client, user, path="auth/oidc/link/", **person)
    return client.post("auth/oidc/link/callback/", trip.body)


def test_oidc_tells_whether_there_is_a_provider(anonymous: Any, real: str, settings: Any) -> None:
    """For a button, without a sign-in."""
    assert anonymous.get("auth/oidc/").json() == {"configured": True, "name": "Acme"}
    settings.OIDC_ISSUER = ""
    assert anonymous.get("auth/oidc/").json() == {"configured": False, "name": ""}
    assert refused(anonymous.post("auth/oidc/start/"), 404, "not_found")


def test_oidc_start_keeps_nothing_that_answers(anonymous: Any, real: str) -> None:
    """The browser is sent with state, nonce and PKCE; the database knows a hash."""
    answer = anonymous.post("auth/oidc/start/")
    assert answer.headers["Cache-Control"] == "no-store"
    begun = answer.json()
    query = {name: values[0] for name, values in parse_qs(urlsplit(begun["authorization_url"]).query).items()}
    assert query["state"] == begun["state"]
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert query["scope"] == "openid email profile"
    derived = {begun["binding"], query["nonce"], query["code_challenge"], begun["state"]}
    assert len(derived) == 4
    assert all(len(text) >= 43 for text in derived)
    row = Ceremony.objects.get()
    assert (row.kind, row.user_id, len(row.secret_hash)) == ("oidc_sign_in", None, 32)


def test_oidc_sign_in_of_somebody_new(anonymous: Any, real: str) -> None:
    """With a verified address and open registration they get an account, are a member and signed in."""
    Registration.objects.create(
        email="ann@example.org",
        email_key="ann@example.org",
        name="A",
        password="x",
        expires_at="2099-01-01T00:00Z",
    )
    answer = anonymous.post(CALLBACK, travel(anonymous, "ann").body)
    assert answer.status_code == 200, answer.content
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"access", "refresh", "access_expires_in", "session", "user"}
    user = body["user"]
    assert (user["email"], user["name"], user["roles"], user["email_verified"]) == (
        "ann@example.org",
        "Ann",
        ["member"],
        True,
    )
    assert ApiClient(body["access"]).get("me/").status_code == 200
    assert anonymous.post("auth/refresh/", {"refresh": body["refresh"]}).status_code == 200
    assert Session.objects.get().factors == ["oidc"]
    assert not User.objects.get().has_usable_password()
    actions = ["user.registered", "identity.linked", "session.created"]
    assert [Event.objects.filter(action=action).count() for action in actions] == [1, 1, 1]
    assert not Ceremony.objects.exists()
    assert not Registration.objects.exists()
    assert not SignInFailure.objects.exists()


def test_oidc_sign_in_again_by_the_identity(anonymous: Any, real: str) -> None:
    """The second time it is the same account, whatever address either side says by then."""
    first = anonymous.post(CALLBACK, travel(anonymous, "bea").body).json()
    User.objects.update(email="other@example.org", email_key="other@example.org")
    again = anonymous.post(CALLBACK, travel(anonymous, "bea").body)
    assert again.json()["user"]["id"] == first["user"]["id"]
    assert User.objects.count() == 1
    assert Identity.objects.get().last_used_at is not None


def test_oidc_known_address_is_never_linked_silently(anonymous: Any, real: str) -> None:
    """An account with that address stays its owner's until they prove that side, too."""
    user_make("CEC@example.org")
    answer = anonymous.post(CALLBACK, travel(anonymous, "cec").body)
    assert refused(answer, 409, "link_required")
    assert not Identity.objects.exists()
    assert not Session.objects.exists()


@pytest.mark.parametrize("verified", ["no", ""])
def test_oidc_unverified_address(anonymous: Any, real: str, verified: str) -> None:
    """Whoever types somebody's address into a provider's form is not that person."""
    user = f"dan{verified}"
    trip = travel(anonymous, user, email="dan@example.org", verified=verified)
    assert refused(anonymous.post(CALLBACK, trip.body), 403, "email_unverified")
    assert not User.objects.exists()


@pytest.mark.parametrize("mode", ["closed", "invite"])
def test_oidc_of_somebody_new_where_registration_is_not_open(
    anonymous: Any, real: str, settings: Any, mode: str
) -> None:
    """A provider lets nobody in whom the mode keeps out; whoever is linked still signs in."""
    anonymous.post(CALLBACK, travel(anonymous, "eve").body)
    settings.REGISTRATION = mode
    assert refused(anonymous.post(CALLBACK, travel(anonymous, "fay").body), 403, "registration_closed")
    assert anonymous.post(CALLBACK, travel(anonymous, "eve").body).status_code == 200


def test_oidc_of_somebody_invited(anonymous: Any, client_for: Any, real: str, settings: Any) -> None:
    """An invitation to the verified address opens the door and is taken up, as by registering."""
    owner = client_for()
    room = owner.post("workspaces/", {"name": "Room"}).json()["id"]
    owner.post(f"workspaces/{room}/members/", {"email": "ike@example.org", "role": "editor"})
    settings.REGISTRATION = "invite"
    body = anonymous.post(CALLBACK, travel(anonymous, "ike").body).json()
    assert ApiClient(body["access"]).get(f"workspaces/{room}/").json()["role"] == "editor"


def test_oidc_suspended(anonymous: Any, real: str) -> None:
    """Suspended is suspended, by whatever door; the failure is on the record."""
    anonymous.post(CALLBACK, travel(anonymous, "gil").body)
    User.objects.update(is_active=False)
    assert refused(anonymous.post(CALLBACK, travel(anonymous, "gil").body), 401, "invalid_credentials")
    assert Event.objects.get(action="login.failed").target_uid == User.objects.get().uid
    assert SignInFailure.objects.filter(pending=False).count() == 1


def test_oidc_replayed_return(anonymous: Any, real: str) -> None:
    """A state is good once."""
    trip = travel(anonymous, "hal")
    assert anonymous.post(CALLBACK, trip.body).status_code == 200
    assert refused(anonymous.post(CALLBACK, trip.body), 400, "invalid_state")
    assert Session.objects.count() == 1


def test_oidc_code_twice(anonymous: Any, real: str) -> None:
    """A code that was spent is refused by the provider, under a new state, too."""
    first, second = travel(anonymous, "ida"), travel(anonymous, "ida")
    assert anonymous.post(CALLBACK, first.body).status_code == 200
    assert refused(anonymous.post(CALLBACK, {**second.body, "code": first.code}), 401, "oidc_refused")


def test_oidc_code_of_another_sign_in(anonymous: Any, real: str) -> None:
    """A stolen code is worth nothing under one's own state: PKCE, which this provider checks."""
    victim, thief = travel(anonymous, "jan"), travel(anonymous, "kai")
    assert refused(anonymous.post(CALLBACK, {**thief.body, "code": victim.code}), 401, "oidc_refused")
    assert anonymous.post(CALLBACK, victim.body).status_code == 200


def test_oidc_return_in_another_browser(anonymous: Any, real: str) -> None:
    """Whoever did not begin can't finish: nobody signs somebody else in as themselves. It uses nothing up."""
    mine, theirs = travel(anonymous, "lea"), travel(anonymous, "max")
    for binding in (mine.binding, "x" * 43, "\u00e4"):
        answer = anonymous.post(CALLBACK, {**theirs.body, "binding": binding})
        assert refused(answer, 400, "invalid_state")
    assert anonymous.post(CALLBACK, theirs.body).status_code == 200


@pytest.mark.parametrize("state", ["none", "k.short", "." + "a" * 43, "nokey." + "a" * 43, "a" * 200])
def test_oidc_state_of_nobody(anonymous: Any, real: str, state: str) -> None:
    """What is no state of ours opens nothing and asks nobody."""
    body = {"code": "x", "state": state, "binding": "x"}
    assert refused(anonymous.post(CALLBACK, body), 400, "invalid_state")


def test_oidc_expired_state(anonymous: Any, real: str) -> None:
    """Within minutes, by the database's clock."""
    trip = travel(anonymous, "nel")
    Ceremony.objects.update(expires_at=F("expires_at") - dt.timedelta(minutes=10))
    assert refused(anonymous.post(CALLBACK, trip.body), 400, "invalid_state")


def test_oidc_state_of_the_other_kind(anonymous: Any, client_for: Any, real: str) -> None:
    """What began as linking doesn't sign in, and the other way round."""
    client = client_for()
    linking = travel(client, "oda", path="auth/oidc/link/")
    assert refused(anonymous.post(CALLBACK, linking.body), 400, "invalid_state")
    signing = travel(anonymous, "oda")
    assert refused(client.post("auth/oidc/link/callback/", signing.body), 400, "invalid_state")
    assert not Identity.objects.exists()


def test_oidc_rotated_keys_between(anonymous: Any, real: str, settings: Any) -> None:
    """A sign-in under way outlives a new active key."""
    trip = travel(anonymous, "pia")
    settings.KEY_RING = settings.KEY_RING.rotated(dt.datetime.now(dt.UTC))
    assert anonymous.post(CALLBACK, trip.body).status_code == 200


def test_oidc_asks_for_the_second_factor(anonymous: Any, real: str) -> None:
    """The provider is one factor; whoever has an app here is asked for its code, and may mistype it."""
    anonymous.post(CALLBACK, travel(anonymous, "quin").body)
    user = User.objects.get()
    secret = totp_make(user)
    paused = anonymous.post(CALLBACK, travel(anonymous, "quin").body)
    assert refused(paused, 401, "mfa_required")
    assert paused.headers["Cache-Control"] == "no-store"
    assert paused.json()["factors"] == ["totp"]
    rest = {name: paused.json()[name] for name in ("state", "binding")}
    wrong = anonymous.post(CALLBACK, {**rest, "otp": "000000"})
    assert refused(wrong, 401, "invalid_credentials")
    other = anonymous.post(CALLBACK, {**rest, "binding": "x" * 43, "otp": code_at(secret)})
    assert refused(other, 400, "invalid_state")
    answer = anonymous.post(CALLBACK, {**rest, "otp": code_at(secret)})
    assert answer.status_code == 200, answer.content
    assert Session.objects.get(uid=answer.json()["session"]["id"]).factors == ["oidc", "otp"]
    assert refused(anonymous.post(CALLBACK, {**rest, "otp": code_at(secret, 1)}), 400, "invalid_state")


def test_oidc_second_factor_is_limited_as_a_password(anonymous: Any, real: str) -> None:
    """Codes can't be tried out here either."""
    anonymous.post(CALLBACK, travel(anonymous, "rob").body)
    totp_make(User.objects.get())
    paused = anonymous.post(CALLBACK, travel(anonymous, "rob").body).json()
    body = {"state": paused["state"], "binding": paused["binding"], "otp": "000000"}
    statuses = [anonymous.post(CALLBACK, body).status_code for _ in range(12)]
    assert statuses[:5] == [401] * 5
    assert statuses[-1] == 429


def test_oidc_second_factor_of_who_was_suspended_or_unlinked(anonymous: Any, real: str) -> None:
    """What changed while the code was typed counts."""
    anonymous.post(CALLBACK, travel(anonymous, "sue").body)
    secret = totp_make(User.objects.get())
    paused = anonymous.post(CALLBACK, travel(anonymous, "sue").body).json()
    body = {"state": paused["state"], "binding": paused["binding"], "otp": code_at(secret)}
    User.objects.update(is_active=False)
    assert refused(anonymous.post(CALLBACK, body), 401, "invalid_credentials")
    User.objects.update(is_active=True)
    Identity.objects.all().delete()
    assert refused(anonymous.post(CALLBACK, body), 400, "invalid_state")


def test_oidc_bad_body(anonymous: Any, real: str) -> None:
    """What is wrong with the body is 400, and no try is counted."""
    good = {"code": "x", "state": "x", "binding": "x"}
    for change in ({"code": 7}, {"otp": "123456"}, {"more": 1}, {"code": ""}, {"state": "x" * 201}):
        assert anonymous.post(CALLBACK, good | change).status_code == 400
    assert anonymous.post(CALLBACK, {"state": "x", "binding": "x"}).json()["errors"][0]["pointer"] == "/code"
    assert not SignInFailure.objects.exists()


def test_oidc_provider_that_is_gone(anonymous: Any, real: str, settings: Any) -> None:
    """503 with a time to come back, nothing counted against anybody; other doors don't notice."""
    settings.OIDC_ISSUER, settings.OUTGOING_ALLOW = "http://127.0.0.1:9", ["127.0.0.1/32:9"]
    answer = anonymous.post("auth/oidc/start/")
    assert refused(answer, 503, "oidc_unavailable")
    assert answer.headers["Retry-After"]
    assert not Ceremony.objects.exists()
    assert not SignInFailure.objects.exists()


def test_link_by_member(client_for: Any, anonymous: Any, real: str) -> None:
    """Proven from both sides the account is linked: listed, told by mail, on the record, and it lets in."""
    client = client_for()
    answer = link(client, "tom", email="elsewhere@example.org")
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["issuer"], body["email"], body["last_used_at"]) == (real, "elsewhere@example.org", None)
    assert client.get(answer.headers["Location"]).json() == body
    assert Job.objects.latest("id").payload["message"] == "identity_linked"
    assert Event.objects.get(action="identity.linked").actor_uid == client.user.uid
    assert Notification.objects.filter(kind="identity.linked", user=client.user).count() == 1
    signed_in = anonymous.post(CALLBACK, travel(anonymous, "tom").body)
    assert signed_in.json()["user"]["id"] == str(client.user.uid)
    assert link(client, "tom").json()["id"] == body["id"]
    assert Identity.objects.count() == 1


def test_link_mail_has_both_parts(client_for: Any, real: str) -> None:
    """It names the provider as people do."""
    client = client_for()
    link(client, "tim")
    mail = mailed()
    assert mail.to == [client.user.email]
    assert "Acme" in mail.body
    assert "Acme" in mail.alternatives[0][0]


def test_link_of_an_unverified_address(client_for: Any, real: str) -> None:
    """The identity is what counts; an address that nobody verified is not shown as one."""
    assert link(client_for(), "una", verified="no").json()["email"] == ""


def test_link_of_somebody_elses_identity(client_for: Any, real: str) -> None:
    """An identity is one account's."""
    link(client_for(), "val")
    assert refused(link(client_for(), "val"), 409, "identity_taken")


def test_link_needs_a_fresh_proof_and_the_same_session(client_for: Any, real: str) -> None:
    """A stolen access token adds no way in, nor does another session finish it."""
    client = client_for()
    trip = travel(client, "wim", path="auth/oidc/link/")
    for stranger in (client_for(client.user), client_for()):
        answer = stranger.post("auth/oidc/link/callback/", trip.body)
        assert refused(answer, 400, "invalid_state")
    assert client.post("auth/oidc/link/callback/", trip.body).status_code == 201
    proof_age(client, 1000)
    assert refused(client.post("auth/oidc/link/"), 403, "reauth_required")


def test_identities_of_oneself_alone(client_for: Any, real: str) -> None:
    """Others' are not there."""
    owner, other = client_for(), client_for()
    path = f"me/identities/{link(owner, 'xia').json()['id']}/"
    assert other.get("me/identities/").json()["results"] == []
    assert other.get(path).status_code == 404
    assert other.delete(path).status_code == 404
    assert owner.get(path).status_code == 200


def test_identities_list_costs_two_queries(
    client_for: Any, real: str, django_assert_num_queries: Any
) -> None:
    """1 session, user, stamps; 2 the identities, however many."""
    client = client_for()
    for number in range(3):
        Identity.objects.create(user=client.user, issuer=real, subject=f"s{number}")
    with django_assert_num_queries(2):
        assert len(client.get("me/identities/").json()["results"]) == 3
    path = f"me/identities/{Identity.objects.latest('pk').uid}/"
    with django_assert_num_queries(2):
        assert client.get(path).status_code == 200


def test_unlink_by_member(client_for: Any, anonymous: Any, real: str) -> None:
    """It lets nobody in from then on; the owner is told, and a fresh proof is due."""
    client = client_for()
    path = f"me/identities/{link(client, 'yan', email=client.user.email).json()['id']}/"
    proof_age(client, 1000)
    assert refused(client.delete(path), 403, "reauth_required")
    proof_age(client, -1000)
    assert client.delete(path).status_code == 204
    assert Job.objects.latest("id").payload["message"] == "identity_unlinked"
    assert Event.objects.filter(action="identity.unlinked").count() == 1
    assert refused(anonymous.post(CALLBACK, travel(anonymous, "yan").body), 409, "link_required")


def test_unlink_of_the_last_way_in(anonymous: Any, real: str) -> None:
    """Whoever came by the provider needs a password or a passkey first."""
    client = ApiClient(anonymous.post(CALLBACK, travel(anonymous, "zoe").body).json()["access"])
    path = f"me/identities/{Identity.objects.get().uid}/"
    assert refused(client.delete(path), 409, "last_way_in")
    Passkey.objects.create(user=User.objects.get(), name="Key", credential_id=b"1", public_key=b"1")
    Session.objects.update(factors=["oidc", "passkey"])
    assert client.delete(path).status_code == 204


def test_unlink_at_a_provider_of_before(anonymous: Any, real: str, settings: Any) -> None:
    """What lets nobody in can always go."""
    client = ApiClient(anonymous.post(CALLBACK, travel(anonymous, "abe").body).json()["access"])
    settings.OIDC_ISSUER = "https://another.example"
    assert client.delete(f"me/identities/{Identity.objects.get().uid}/").status_code == 204


def test_page_shows_what_came_back(anonymous: Any) -> None:
    """Escaped, kept by no cache, told to no other site."""
    answer = anonymous.get("/account/oidc/?code=abc&state=%3Cscript%3E")
    assert b'value="abc"' in answer.content
    assert b"&lt;script&gt;" in answer.content
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert b"access_denied" in anonymous.get("/account/oidc/?error=access_denied").content
    assert b"nothing to finish" in anonymous.get("/account/oidc/").content
    assert anonymous.post("/account/oidc/").status_code == 405


@pytest.mark.usefixtures("redis_gone")
def test_oidc_without_redis(anonymous: Any, real: str) -> None:
    """Nothing of it is Redis' business."""
    assert anonymous.post(CALLBACK, travel(anonymous, "bob").body).status_code == 200


def test_oidc_is_denied_there(anonymous: Any, real: str) -> None:
    """A provider that asks for PKCE refuses whoever strips it off the address."""
    begun = anonymous.post("auth/oidc/start/").json()
    stripped = begun["authorization_url"].replace("code_challenge", "x")
    back = browse(stripped, "cal")
    assert back["error"] == "invalid_request"
    trip = Trip(begun["state"], begun["binding"], "made-up")
    assert refused(anonymous.post(CALLBACK, trip.body), 401, "oidc_refused")
