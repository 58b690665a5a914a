"""auth/mfa/…: authenticator apps and recovery codes, and sign-in by them."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.mailed_tokens import PASSWORD_RESET, mailed_token
from accounts.mails import mail_of
from accounts.models import PasswordReset, RecoveryCode, RolePolicy, Session, SignInFailure, TotpDevice
from accounts.services import limiter
from audit.models import Event
from cloudscribe.jobs.models import Job
from tests.accounts.api.test_step_up import proof_age
from tests.accounts.factor_tools import code_at, login, recovery_codes_make, totp_make
from tests.accounts.factories import PASSWORD, token_make, user_make
from tests.fixtures import ApiClient


def mails() -> list[str]:
    """Which mails were asked for."""
    return sorted(job.payload["message"] for job in Job.objects.filter(kind="mail.send"))


def enroll(client: Any) -> tuple[str, list[str]]:
    """Set an app up as its owner does; the secret and the recovery codes."""
    secret = client.post("auth/mfa/totp/").json()["secret"]
    answer = client.post("auth/mfa/totp/confirm/", {"code": code_at(secret)})
    assert answer.status_code == 200, answer.content
    return secret, answer.json()["recovery_codes"]


def test_totp_setup_by_member(client_for: Any) -> None:
    """Begun, the secret is given in three forms; confirmed, it counts, and ten codes are shown once."""
    client = client_for()
    begun = client.post("auth/mfa/totp/")
    assert begun.status_code == 200, begun.content
    body = begun.json()
    assert set(body) == {"secret", "uri", "qr"}
    assert body["uri"].startswith("otpauth://totp/CloudScribe:")
    assert f"secret={body['secret']}" in body["uri"]
    assert body["qr"].startswith("data:image/svg+xml")
    assert client.get("auth/mfa/").json() == {
        "enrolled": False,
        "required": False,
        "totp": False,
        "passkeys": 0,
        "recovery_codes": 0,
    }
    done = client.post("auth/mfa/totp/confirm/", {"code": code_at(body["secret"])})
    assert len(set(done.json()["recovery_codes"])) == 10
    assert done.headers["Cache-Control"] == "no-store"
    assert client.get("auth/mfa/").json() == {
        "enrolled": True,
        "required": False,
        "totp": True,
        "passkeys": 0,
        "recovery_codes": 10,
    }
    assert Event.objects.filter(action="mfa.enabled").count() == 1
    assert mails() == ["second_factor_added"]


def test_totp_secrets_lie_sealed(client_for: Any) -> None:
    """Neither the secret nor a recovery code lies in the database in clear."""
    secret, codes = enroll(client_for())
    device = TotpDevice.objects.get()
    assert secret.encode() not in bytes(device.secret)
    hashes = b"".join(bytes(row.code_hash) for row in RecoveryCode.objects.all())
    assert not any(code.replace("-", "").encode() in hashes for code in codes)


def test_totp_confirm_ends_other_sessions(client_for: Any) -> None:
    """Sessions that have not shown what is asked for from now on end; the one at hand has shown it."""
    client = client_for()
    other = client_for(client.user)
    enroll(client)
    assert other.get("me/").status_code == 401
    assert client.get("me/").status_code == 200
    assert Session.objects.get(uid=client.credentials.session.uid).factors == ["otp", "pwd"]


def test_totp_confirm_wrong_code(client_for: Any) -> None:
    """A wrong code confirms nothing and points at itself."""
    client = client_for()
    secret = client.post("auth/mfa/totp/").json()["secret"]
    for code in ("000000" if code_at(secret) != "000000" else "000001", code_at(secret, 5), "abc", "٣" * 6):
        answer = client.post("auth/mfa/totp/confirm/", {"code": code})
        assert (answer.status_code, answer.json()["code"]) == (400, "wrong_code")
    assert not client.get("auth/mfa/").json()["enrolled"]


def test_totp_confirm_without_start_or_twice(client_for: Any) -> None:
    """There has to be something to confirm, and it is confirmed once."""
    client = client_for()
    assert client.post("auth/mfa/totp/confirm/", {"code": "123456"}).json()["code"] == "mfa_missing"
    secret, _ = enroll(client)
    again = client.post("auth/mfa/totp/confirm/", {"code": code_at(secret, 1)})
    assert (again.status_code, again.json()["code"]) == (409, "mfa_exists")
    assert client.post("auth/mfa/totp/").json()["code"] == "mfa_exists"


def test_totp_start_anew_replaces_the_secret(client_for: Any) -> None:
    """The code of a secret that was begun before confirms nothing."""
    client = client_for()
    first = client.post("auth/mfa/totp/").json()["secret"]
    client.post("auth/mfa/totp/")
    assert client.post("auth/mfa/totp/confirm/", {"code": code_at(first)}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "auth/mfa/totp/", None),
        ("POST", "auth/mfa/totp/confirm/", {"code": "123456"}),
        ("DELETE", "auth/mfa/totp/", None),
        ("POST", "auth/mfa/recovery-codes/", None),
    ],
)
@pytest.mark.parametrize("case", ["old", "without_factor"])
def test_totp_change_needs_a_fresh_proof(
    client_for: Any, method: str, path: str, body: Any, case: str
) -> None:
    """With an old proof, or without the factor that the person has, nothing is changed."""
    client = client_for()
    if case == "old":
        proof_age(client, 1000)
    else:
        totp_make(client.user)
    answer = client.call(method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "reauth_required")
    assert answer.json()["error_type"] == "AuthError"


def test_totp_remove_by_owner(client_for: Any) -> None:
    """Turned off, sign-in asks for the password alone; its owner is told, the codes are gone."""
    client = client_for()
    enroll(client)
    assert client.delete("auth/mfa/totp/").status_code == 204
    assert login(ApiClient(), client.user).status_code == 200
    assert not RecoveryCode.objects.exists()
    assert Event.objects.filter(action="mfa.disabled").count() == 1
    assert mails() == ["second_factor_added", "second_factor_removed"]
    assert client.delete("auth/mfa/totp/").json()["code"] == "mfa_missing"


def test_login_asks_for_the_code_after_the_password(anonymous: Any) -> None:
    """Without a code 401 mfa_required, which names what can be shown; nothing is counted as failed."""
    user = user_make()
    secret = totp_make(user)
    answer = login(anonymous, user)
    body = answer.json()
    assert (answer.status_code, body["code"], body["error_type"]) == (401, "mfa_required", "AuthError")
    assert body["factors"] == ["totp"]
    assert not SignInFailure.objects.exists()
    done = login(anonymous, user, code_at(secret))
    assert done.status_code == 200, done.content
    assert Session.objects.get().factors == ["pwd", "otp"]


def test_login_wrong_password_does_not_tell_of_the_factor(anonymous: Any) -> None:
    """Who doesn't know the password doesn't learn that there is a second factor, nor tries codes."""
    user = user_make()
    secret = totp_make(user)
    for otp in (None, code_at(secret)):
        answer = login(anonymous, user, otp, password="not-the-password-77")
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
        assert answer.json()["detail"] == "The address or the password is wrong."
    assert login(anonymous, user, code_at(secret)).status_code == 200


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_login_takes_the_neighbouring_steps(anonymous: Any, steps: int) -> None:
    """The clock of a telephone may be half a minute off."""
    user = user_make()
    assert login(anonymous, user, code_at(totp_make(user), steps)).status_code == 200


@pytest.mark.parametrize("steps", [-3, 3])
def test_login_refuses_codes_of_other_times(anonymous: Any, steps: int) -> None:
    """A code of a minute and a half ago, or ahead, is wrong."""
    user = user_make()
    assert login(anonymous, user, code_at(totp_make(user), steps)).status_code == 401


def test_login_code_is_good_once(anonymous: Any) -> None:
    """A code that somebody looked at over the shoulder is worth nothing, nor is an earlier one."""
    user = user_make()
    secret = totp_make(user)
    code, before = code_at(secret), code_at(secret, -1)
    assert login(anonymous, user, code).status_code == 200
    for replayed in (code, before):
        answer = login(anonymous, user, replayed)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


def test_login_wrong_code_is_limited(anonymous: Any) -> None:
    """Wrong codes count like wrong passwords, although the password was right each time."""
    user = user_make()
    secret = totp_make(user)
    wrong = "000000" if code_at(secret) != "000000" else "000001"
    assert login(anonymous, user, wrong).status_code == 401
    assert SignInFailure.objects.filter(pending=False).count() == 1
    failure = SignInFailure.objects.get()
    SignInFailure.objects.bulk_create(
        SignInFailure(account=failure.account, source=failure.source) for _ in range(limiter.PAIR_LIMIT)
    )
    login(anonymous, user)
    answer = login(anonymous, user, code_at(secret))
    assert (answer.status_code, answer.json()["code"]) == (429, "sign_in_limited")


def test_login_code_of_somebody_else(anonymous: Any) -> None:
    """Everybody's app has its own secret, and recovery codes belong to their owner."""
    user, other = user_make(), user_make()
    totp_make(user)
    stranger = totp_make(other)
    codes = recovery_codes_make(other)
    assert login(anonymous, user, code_at(stranger)).status_code == 401
    assert login(anonymous, user, codes[0]).status_code == 401


def test_login_by_recovery_code_once(anonymous: Any) -> None:
    """A recovery code stands in for the app once, however it is typed; its use is told and on the record."""
    user = user_make()
    totp_make(user)
    codes = recovery_codes_make(user)
    answer = login(anonymous, user, codes[0].upper().replace("-", " "))
    assert answer.status_code == 200, answer.content
    assert Session.objects.get().factors == ["pwd", "recovery"]
    assert login(anonymous, user, codes[0]).status_code == 401
    assert mails() == ["recovery_code_used"]
    event = Event.objects.get(action="mfa.recovery_code_used")
    assert event.facts["left"] == 9


def test_login_by_recovery_code_under_a_retired_key(anonymous: Any, settings: Any) -> None:
    """A new key in the ring leaves the codes and the app good."""
    user = user_make()
    secret = totp_make(user)
    codes = recovery_codes_make(user)
    settings.KEY_RING = settings.KEY_RING.rotated(None)
    assert login(anonymous, user, codes[0]).status_code == 200
    assert login(anonymous, user, code_at(secret)).status_code == 200


def test_recovery_codes_anew(client_for: Any) -> None:
    """New codes make the old ones worthless; without a factor there are none to get."""
    client = client_for()
    assert client.post("auth/mfa/recovery-codes/").json()["code"] == "mfa_missing"
    _, codes = enroll(client)
    fresh = client.post("auth/mfa/recovery-codes/").json()["recovery_codes"]
    assert not set(codes) & set(fresh)
    assert login(ApiClient(), client.user, codes[0]).status_code == 401
    assert login(ApiClient(), client.user, fresh[0]).status_code == 200


def test_login_otp_without_a_factor_is_passed_over(anonymous: Any) -> None:
    """Who has no second factor may send a code: it is neither asked for nor looked at."""
    assert login(anonymous, user_make(), "123456").status_code == 200


def test_step_up_with_a_factor(client_for: Any) -> None:
    """Who has a factor shows it: the password alone isn't enough, the code alone is."""
    client = client_for()
    secret = totp_make(client.user)
    answer = client.post("auth/step-up/", {"password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "mfa_required")
    assert client.delete("auth/mfa/totp/").status_code == 403
    code = code_at(secret)
    assert client.post("auth/step-up/", {"password": "wrong-password-7", "otp": code}).status_code == 401
    answer = client.post("auth/step-up/", {"otp": code})
    assert answer.status_code == 200, answer.content
    assert answer.json()["factors"] == ["otp", "pwd"]
    assert client.post("auth/step-up/", {"otp": code}).status_code == 401
    assert client.delete("auth/mfa/totp/").status_code == 204


@pytest.mark.usefixtures("redis_gone")
def test_login_by_code_without_redis(anonymous: Any) -> None:
    """Codes are used up in PostgreSQL: without Redis they are good, and still only once."""
    user = user_make()
    code = code_at(totp_make(user))
    assert login(anonymous, user, code).status_code == 200
    assert login(anonymous, user, code).status_code == 401


def at_once(act: Any, times: int) -> list[Any]:
    """What `act` gives to each of several threads that do it at the same time."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db(transaction=True)
def test_login_one_code_manyat_once() -> None:
    """Of several that sign in with one code at once a single one gets in."""
    user = user_make()
    code = code_at(totp_make(user))
    answers = at_once(lambda: login(ApiClient(), user, code).status_code, 5)
    assert sorted(answers) == [200, 401, 401, 401, 401]


@pytest.mark.django_db(transaction=True)
def test_totp_confirm_twiceat_once(client_for: Any) -> None:
    """Of two that confirm at once one gets recovery codes, and those are the ones that hold."""
    client = client_for()
    secret = client.post("auth/mfa/totp/").json()["secret"]
    body = {"code": code_at(secret)}
    answers = at_once(lambda: ApiClient(client.token).post("auth/mfa/totp/confirm/", body), 2)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    codes = next(answer.json()["recovery_codes"] for answer in answers if answer.status_code == 200)
    assert login(ApiClient(), client.user, codes[0]).status_code == 200


def policy(role: str) -> None:
    """Have the role demand a second factor."""
    group = user_make(role=role).groups.get()
    RolePolicy.objects.filter(group=group).update(second_factor=True)


def test_policy_shuts_everything_but_the_way_in(client_for: Any) -> None:
    """While a role demands a factor that isn't there, only setting it up is open, from now on."""
    client, other = client_for(), client_for(user_make(role="guest"))
    policy("member")
    answer = client.get("documents/")
    assert (answer.status_code, answer.json()["code"]) == (403, "mfa_enrollment_required")
    assert answer.json()["error_type"] == "AuthError"
    for method, path in (
        ("GET", "me/sessions/"),
        ("POST", "workspaces/"),
        ("GET", "search/?q=a"),
        ("POST", "auth/password/change/"),
    ):
        assert client.call(method, path).json()["code"] == "mfa_enrollment_required"
    assert client.get("me/").status_code == 200
    assert client.get("auth/mfa/").json()["required"] is True
    assert other.get("documents/").status_code == 200
    enroll(client)
    assert client.get("documents/").status_code == 200
    assert client.post("auth/logout/").status_code == 204


def test_policy_and_logout(client_for: Any) -> None:
    """One may sign out, and in again, without the factor."""
    client = client_for()
    policy("member")
    assert client.post("auth/step-up/", {"password": PASSWORD}).status_code == 200
    assert client.post("auth/logout/").status_code == 204
    assert login(ApiClient(), client.user).status_code == 200


def test_policy_of_an_unconfirmed_app(client_for: Any) -> None:
    """A secret that was never confirmed is no factor."""
    client = client_for()
    policy("member")
    client.post("auth/mfa/totp/")
    assert client.get("documents/").status_code == 403


def test_policy_costs_no_query(client_for: Any, django_assert_num_queries: Any) -> None:
    """The sign-in query brings it along."""
    client = client_for()
    policy("guest")
    # 1 session, user, stamps and policy; 2 the person; 3 their roles
    with django_assert_num_queries(3):
        assert client.get("me/").status_code == 200


def test_policy_holds_for_tokens(client_for: Any) -> None:
    """A token doesn't get around what its person's role demands."""
    client = client_for()
    holder = ApiClient(token_make(client.user))
    policy("member")
    assert holder.get("documents/").json()["code"] == "mfa_enrollment_required"
    totp_make(client.user)
    assert holder.get("documents/").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "auth/mfa/"),
        ("POST", "auth/mfa/totp/"),
        ("DELETE", "auth/mfa/totp/"),
        ("POST", "auth/mfa/recovery-codes/"),
        ("POST", "auth/mfa/passkeys/options/"),
        ("POST", "auth/step-up/"),
    ],
)
def test_factors_are_for_sessions_alone(client_for: Any, method: str, path: str) -> None:
    """No token, whatever its scopes, touches how its person signs in."""
    client = client_for()
    answer = ApiClient(token_make(client.user)).call(method, path)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


def test_password_reset_leaves_the_factor(client_for: Any, anonymous: Any) -> None:
    """Whoever reads the mailbox still has to show the factor."""
    user = user_make()
    secret = totp_make(user)
    row = PasswordReset.objects.create(
        user=user, email_key=user.email_key, expires_at=timezone.now() + dt.timedelta(hours=1)
    )
    token, fresh = mailed_token(PASSWORD_RESET, row.uid), "a-wholly-new-battery-43"
    assert anonymous.post("auth/password/reset/", {"token": token, "password": fresh}).status_code == 200
    assert login(anonymous, user, password=fresh).json()["code"] == "mfa_required"
    assert login(anonymous, user, code_at(secret), password=fresh).status_code == 200


def test_mails_about_factors_are_rendered(client_for: Any) -> None:
    """Each says what happened, in text and HTML, and none holds a code or a secret."""
    client = client_for()
    secret, codes = enroll(client)
    for message in ("second_factor_added", "second_factor_removed", "recovery_code_used"):
        mail = mail_of(message, client.user.uid, "reference")
        assert mail is not None
        text = mail.body + str(mail.alternatives[0][0])
        assert client.user.name in text
        assert "If it was not you" in text
        assert not any(word in text for word in (secret, *codes))
