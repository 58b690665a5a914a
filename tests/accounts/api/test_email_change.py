"""POST auth/email/change/ and auth/email/confirm/, and the mails between and after them."""

from __future__ import annotations

import datetime as dt
import re
import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.models import EmailChange, PasswordReset, User
from accounts.services.expiry import expired_purge
from audit.models import Event, EventDetail
from cloudscribe.jobs.models import Job
from tests.accounts.api.test_registration import mailed, token_in
from tests.accounts.api.test_step_up import proof_age
from tests.accounts.factories import PASSWORD, token_make, user_make
from tests.fixtures import ApiClient

NEW = "New.Ann@Example.org"


def asked(client: ApiClient, email: str = NEW) -> str:
    """The token that the mail to the new address brings."""
    assert client.post("auth/email/change/", {"email": email}).status_code == 202
    return token_in(mailed())


def confirm(client: ApiClient, token: str) -> Any:
    """The answer to showing the token."""
    return client.post("auth/email/confirm/", {"token": token})


def test_change_then_confirm(client_for: Any, anonymous: ApiClient) -> None:
    """Nothing is changed until the new address is proven; then it alone signs in, and sessions stay."""
    client, other = client_for(user_make("ann@example.org")), ApiClient()
    token = asked(client)
    assert mailed().to == [NEW]
    assert client.get("me/").json()["email"] == "ann@example.org"
    assert confirm(anonymous, token).status_code == 200
    assert client.get("me/").json()["email"] == NEW
    login = {"email": NEW.lower(), "password": PASSWORD}
    assert other.post("auth/login/", login).status_code == 200
    assert other.post("auth/login/", {**login, "email": "ann@example.org"}).status_code == 401


def test_confirm_tells_the_old_address(client_for: Any, anonymous: ApiClient) -> None:
    """The mail goes where the owner was reachable before, names the new address and says what to do."""
    client = client_for(user_make("ann@example.org", name="Ann <b>"))
    confirm(anonymous, asked(client))
    mail = mailed()
    assert mail.to == ["ann@example.org"]
    assert NEW in mail.body
    assert "end all other sessions" in mail.body
    assert "Ann &lt;b&gt;" in mail.alternatives[0].content


def test_confirm_is_on_the_record_with_addresses_in_the_detail(client_for: Any, anonymous: ApiClient) -> None:
    """Both addresses stand where a person's data can be erased, and nowhere else in the event."""
    client = client_for(user_make("ann@example.org"))
    confirm(anonymous, asked(client))
    event = Event.objects.get(action="email.changed")
    assert (event.actor_uid, event.target_uid) == (client.user.uid, client.user.uid)
    detail = str(EventDetail.objects.get(event_id=event.sequence).body)
    assert f'"email":{{"after":"{NEW}","before":"ann@example.org"}}' in detail
    assert "example.org" not in str(Event.objects.filter(sequence=event.sequence).values().get())


def test_change_to_a_taken_address_is_the_same_and_tells_its_owner(client_for: Any) -> None:
    """Answer, statements and jobs are equal; the mail goes to the owner and carries no token."""
    client = client_for()
    client.post("auth/email/change/", {"email": "warm@example.org"})
    with CaptureQueriesContext(connection) as free:
        first = client.post("auth/email/change/", {"email": "free@example.org"})
    user_make("taken@example.org")
    with CaptureQueriesContext(connection) as taken:
        second = client.post("auth/email/change/", {"email": "TAKEN@example.org"})
    assert (first.status_code, first.content) == (second.status_code, second.content) == (202, b"")
    assert "Location" not in second.headers
    shapes = [[re.sub(r"'[^']*'|\d+", "?", q["sql"] or "")[:60] for q in found] for found in (free, taken)]
    assert shapes[0] == shapes[1]
    mail = mailed()
    assert mail.to == ["taken@example.org"]
    assert "nothing was changed" in mail.body
    assert "token" not in mail.body


def test_change_to_another_spelling_of_the_own_address(client_for: Any, anonymous: ApiClient) -> None:
    """The own address is not taken."""
    client = client_for(user_make("ann@example.org"))
    assert confirm(anonymous, asked(client, "Ann@Example.org")).status_code == 200
    assert client.get("me/").json()["email"] == "Ann@Example.org"


def test_confirm_an_address_that_was_taken_meanwhile(client_for: Any, anonymous: ApiClient) -> None:
    """An address belongs to one account: 409, and nothing is changed."""
    client = client_for(user_make("ann@example.org"))
    token = asked(client)
    user_make(NEW)
    answer = confirm(anonymous, token)
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert client.get("me/").json()["email"] == "ann@example.org"
    assert not Event.objects.filter(action="email.changed").exists()


@pytest.mark.parametrize("spoil", ["used", "expired", "changed", "replaced", "suspended", "nonsense"])
def test_confirm_bad_token_is_400(client_for: Any, anonymous: ApiClient, spoil: str) -> None:
    """A token works once, in its time, while it is the newest and its owner may sign in."""
    client = client_for()
    token = asked(client)
    if spoil == "used":
        confirm(anonymous, token)
    if spoil == "expired":
        EmailChange.objects.update(expires_at=F("created_at") - dt.timedelta(seconds=1))
    if spoil == "changed":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    if spoil == "replaced":
        asked(client, "third@example.org")
    if spoil == "suspended":
        User.objects.filter(pk=client.user.pk).update(is_active=False)
    answer = confirm(anonymous, "x.y" if spoil == "nonsense" else token)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")


def test_change_asks_for_a_fresh_proof(client_for: Any) -> None:
    """Whoever finds an open session can't take the account away by it."""
    client = client_for()
    proof_age(client, 1000)
    answer = client.post("auth/email/change/", {"email": NEW})
    assert (answer.status_code, answer.json()["code"]) == (403, "reauth_required")
    assert not EmailChange.objects.exists()


def test_change_by_a_token_is_refused(client_for: Any) -> None:
    """Sessions only, whatever scopes a token has."""
    client = ApiClient(token_make(user_make()))
    answer = client.post("auth/email/change/", {"email": NEW})
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"email": "no address"}, "/email"), ({}, "/email"), ({"email": NEW, "user": "x"}, "/user")],
)
def test_change_unacceptable_is_named(client_for: Any, body: dict[str, Any], pointer: str) -> None:
    """Every fault is 400 and names its field."""
    answer = client_for().post("auth/email/change/", body)
    assert answer.status_code == 400
    assert pointer in {fault["pointer"] for fault in answer.json()["errors"]}


def test_confirm_voids_tokens_that_the_old_mailbox_holds(client_for: Any, anonymous: ApiClient) -> None:
    """Whoever reads the old mailbox can't get the account back by a forgotten password."""
    client = client_for(user_make("ann@example.org"))
    anonymous.post("auth/password/forgot/", {"email": "ann@example.org"})
    reset = token_in(mailed())
    anonymous.post("auth/password/forgot/", {"email": "ann@example.org"})  # whose mail is still to be sent
    confirm(anonymous, asked(client))
    body = {"token": reset, "password": "a-fresh-password-2026"}
    assert anonymous.post("auth/password/reset/", body).status_code == 400
    assert not PasswordReset.objects.exists()


@pytest.mark.parametrize("act", ["password", "others", "the session"])
def test_confirm_after_the_owner_threw_a_thief_out_is_400(
    client_for: Any, anonymous: ApiClient, act: str
) -> None:
    """A wish of a stolen session dies with what the owner does against the thief."""
    owner = client_for(user_make("ann@example.org"))
    thief = client_for(owner.user)
    token = asked(thief, "thief@example.org")
    if act == "password":
        body = {"current_password": PASSWORD, "password": "a-fresh-password-2026"}
        assert owner.post("auth/password/change/", body).status_code == 200
    if act == "others":
        assert owner.delete("me/sessions/").status_code == 204
    if act == "the session":
        assert owner.delete(f"me/sessions/{thief.credentials.session.uid}/").status_code == 204
    assert confirm(anonymous, token).status_code == 400
    assert owner.get("me/").json()["email"] == "ann@example.org"


@pytest.mark.django_db(transaction=True)
def test_change_that_waits_for_the_end_of_its_session_is_refused(client_for: Any) -> None:
    """A thief's request that was under way when the owner threw them out leaves no wish behind."""
    user = user_make()
    owner, thief = client_for(user), client_for(user)
    statuses: list[int] = []

    def wish() -> None:
        statuses.append(thief.post("auth/email/change/", {"email": NEW}).status_code)
        connection.close()

    thread = threading.Thread(target=wish)
    with transaction.atomic():
        assert owner.delete("me/sessions/").status_code in {200, 204}
        thread.start()
        thread.join(0.5)
    thread.join()
    assert statuses == [401]
    assert not EmailChange.objects.exists()


def test_confirm_after_signing_out(client_for: Any, anonymous: ApiClient) -> None:
    """Leaving by oneself gives nothing up."""
    client = client_for()
    token = asked(client)
    assert client.post("auth/logout/").status_code == 204
    assert confirm(anonymous, token).status_code == 200


def test_mail_of_a_void_wish_is_not_sent(client_for: Any) -> None:
    """What was replaced, confirmed or has run out when the mail is due is not asked any more."""
    client = client_for()
    client.post("auth/email/change/", {"email": NEW})
    EmailChange.objects.update(expires_at=F("created_at") - dt.timedelta(seconds=1))
    assert mailed() is None


def test_purge_removes_what_ran_out(client_for: Any) -> None:
    """Addresses that nobody confirmed don't stay."""
    client_for().post("auth/email/change/", {"email": NEW})
    assert expired_purge()["email_changes"] == 0
    EmailChange.objects.update(expires_at=F("created_at") - dt.timedelta(seconds=1))
    assert expired_purge()["email_changes"] == 1


def test_row_and_job_hold_no_token(client_for: Any) -> None:
    """Whoever reads the database finds no token: it is derived when the mail is written."""
    tag = asked(client_for()).rpartition(".")[2]
    assert tag not in str(EmailChange.objects.values().get())
    assert tag not in str(Job.objects.values().latest("id"))


def test_page_asks_before_it_acts(client_for: Any, anonymous: ApiClient) -> None:
    """Following the link shows a form and changes nothing; only its button confirms."""
    client = client_for(user_make("ann@example.org"))
    token = asked(client)
    page = anonymous.get(f"/account/email/?token={token}")
    assert page.status_code == 200
    assert token in page.content.decode()
    assert client.get("me/").json()["email"] == "ann@example.org"
    form = {"raw": f"token={token}".encode(), "Content-Type": "application/x-www-form-urlencoded"}
    done = anonymous.call("POST", "/account/email/", **form)
    assert (done.status_code, done.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert client.get("me/").json()["email"] == NEW
    again = anonymous.call("POST", "/account/email/", **form)
    assert again.status_code == 400
    assert 'role="alert"' in again.content.decode()


@pytest.mark.usefixtures("redis_gone")
def test_change_and_confirm_without_redis(client_for: Any, anonymous: ApiClient) -> None:
    """Nothing of it needs Redis."""
    assert confirm(anonymous, asked(client_for())).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_confirm_one_address_at_once(client_for: Any) -> None:
    """Of two accounts that want the same address one gets it, whoever of them it is."""
    tokens = [asked(client_for()), asked(client_for())]
    start, statuses = threading.Barrier(2), []

    def show(token: str) -> None:
        start.wait(5)
        statuses.append(confirm(ApiClient(), token).status_code)
        connection.close()

    threads = [threading.Thread(target=show, args=[token]) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(statuses) == [200, 409]
    assert User.objects.filter(email=NEW).count() == 1
