"""POST auth/register/ and auth/verify-email/, and the mails between them."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.jobs import send_mail
from accounts.mails import mail_of
from accounts.models import Registration, User
from audit.models import Event
from cloudscribe.jobs.models import Job
from documents.models import Invitation
from tests.accounts.factories import PASSWORD, user_make

ANN = {"email": "Ann@Example.org", "password": PASSWORD, "name": "Ann"}


def mailed() -> Any:
    """The mail that the newest job of the kind would send."""
    job = Job.objects.filter(kind="mail.send").latest("id")
    return mail_of(job.payload["message"], uuid.UUID(job.payload["subject"]), str(job.uid))


def token_in(mail: Any) -> str:
    """The token of the mail's link."""
    match = re.search(r"\?token=([\w.\-]+)", mail.body)
    assert match, mail.body
    return match[1]


def test_register_then_verify_then_sign_in(anonymous: Any) -> None:
    """Registering makes a wish, the mailed token a verified member."""
    assert anonymous.post("auth/register/", ANN).status_code == 202
    assert not User.objects.exists()
    mail = mailed()
    assert mail.to == ["Ann@Example.org"]
    assert (
        anonymous.post("auth/login/", {"email": "ann@example.org", "password": PASSWORD}).status_code == 401
    )
    assert anonymous.post("auth/verify-email/", {"token": token_in(mail)}).status_code == 200
    answer = anonymous.post("auth/login/", {"email": "ann@example.org", "password": PASSWORD})
    assert answer.status_code == 200
    user = answer.json()["user"]
    assert (user["email"], user["name"], user["roles"], user["email_verified"]) == (
        "Ann@Example.org",
        "Ann",
        ["member"],
        True,
    )
    assert Event.objects.filter(action="user.registered").count() == 1


def test_register_known_address_answers_the_same_and_tells_its_owner(
    anonymous: Any, django_assert_num_queries: Any
) -> None:
    """The answer, its headers and the statements are the same; the mail goes to the owner and says so."""
    anonymous.post("auth/register/", {**ANN, "email": "warm@example.org"})  # which reads the rate limits
    with CaptureQueriesContext(connection) as unknown:
        first = anonymous.post("auth/register/", ANN)
    user_make("ann@example.org", name="The owner")
    with CaptureQueriesContext(connection) as known:
        second = anonymous.post("auth/register/", {**ANN, "email": "ANN@example.org"})
    assert (first.status_code, first.content) == (second.status_code, second.content) == (202, b"")
    shapes = [[re.sub(r"'[^']*'|\d+", "?", q["sql"])[:60] for q in found] for found in (unknown, known)]
    assert shapes[0] == shapes[1]
    mail = mailed()
    assert mail.to == ["ann@example.org"]
    assert "There is one already" in mail.body
    assert "token" not in mail.body


def test_register_mail_has_both_parts(anonymous: Any) -> None:
    """Text and HTML, both with the link."""
    anonymous.post("auth/register/", {**ANN, "name": "Ann <b>& Co"})
    mail = mailed()
    html = mail.alternatives[0].content
    assert token_in(mail) in html
    assert "Ann <b>& Co" in mail.body
    assert "Ann &lt;b&gt;&amp; Co" in html


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"password": "short"}, "/password"),
        ({"password": "12345678901"}, "/password"),
        ({"password": "password123"}, "/password"),
        ({"password": "x" * 129}, "/password"),
        ({"email": "not an address"}, "/email"),
        ({"name": ""}, "/name"),
        ({"name": "two\nlines"}, "/name"),
        ({"admin": True}, "/admin"),
    ],
)
def test_register_unacceptable_is_named(anonymous: Any, change: dict[str, Any], pointer: str) -> None:
    """Every fault is 400, names its field and leaves nothing behind."""
    answer = anonymous.post("auth/register/", {**ANN, **change})
    assert answer.status_code == 400
    assert pointer in {fault["pointer"] for fault in answer.json()["errors"]}
    assert not Registration.objects.exists()
    assert not Job.objects.exists()


def test_register_closed_is_403_for_all_alike(client_for: Any, anonymous: Any, settings: Any) -> None:
    """Where registration is closed nobody comes in by the front door, invited, known or neither."""
    settings.REGISTRATION = "closed"
    invitation_make(client_for(), "ann@example.org")
    user_make("known@example.org")
    for email in ("ann@example.org", "known@example.org", "stranger@example.org"):
        answer = anonymous.post("auth/register/", {**ANN, "email": email})
        assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")
    assert not Registration.objects.exists()


def invitation_make(owner: Any, email: str) -> str:
    """The path of a new invitation to a workspace of the owner's."""
    room = owner.post("workspaces/", {"name": "Room"}).json()["id"]
    body = {"email": email, "role": "viewer"}
    made = owner.post(f"workspaces/{room}/members/", body)
    assert made.status_code == 202
    return f"workspaces/{room}/invitations/{made.json()['id']}/"


def test_register_by_invitation_alone(client_for: Any, anonymous: Any, settings: Any) -> None:
    """Who is invited joins as usual and is a member at once."""
    settings.REGISTRATION = "invite"
    path = invitation_make(client_for(), "ann@example.org")
    assert anonymous.post("auth/register/", ANN).status_code == 202
    assert anonymous.post("auth/verify-email/", {"token": token_in(mailed())}).status_code == 200
    person = client_for(User.objects.get(email_key="ann@example.org"))
    assert person.get(path.partition("invitations/")[0]).json()["role"] == "viewer"


def test_register_uninvited_answers_the_same_and_mails_nothing(
    client_for: Any, anonymous: Any, settings: Any
) -> None:
    """Answer and statements tell no stranger who is invited; there is no mail and no account."""
    settings.REGISTRATION = "invite"
    anonymous.post("auth/register/", {**ANN, "email": "warm@example.org"})
    invitation_make(client_for(), "ann@example.org")
    found, answers = [], []
    for email in ("ann@example.org", "stranger@example.org"):
        with CaptureQueriesContext(connection) as captured:
            answers.append(anonymous.post("auth/register/", {**ANN, "email": email}))
        found.append([re.sub(r"'[^']*'|\d+", "?", query["sql"])[:60] for query in captured])
    assert answers[0].content == answers[1].content == b""
    assert answers[0].status_code == answers[1].status_code == 202
    assert found[0] == found[1]
    assert mailed() is None


@pytest.mark.parametrize("end", ["revoked", "expired", "inviter suspended", "closed"])
def test_verify_after_the_invitation_ended_is_400(
    client_for: Any, anonymous: Any, settings: Any, end: str
) -> None:
    """What let somebody register must still hold when they come in."""
    settings.REGISTRATION = "invite"
    owner = client_for()
    path = invitation_make(owner, "ann@example.org")
    anonymous.post("auth/register/", ANN)
    token = token_in(mailed())
    if end == "revoked":
        assert owner.delete(path).status_code == 204
    if end == "expired":
        Invitation.objects.update(expires_at=F("created_at") - dt.timedelta(seconds=1))
    if end == "inviter suspended":
        User.objects.filter(pk=owner.user.pk).update(is_active=False)
    if end == "closed":
        settings.REGISTRATION = "closed"
    answer = anonymous.post("auth/verify-email/", {"token": token})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")
    assert not User.objects.filter(email_key="ann@example.org").exists()


def test_register_known_address_by_invitation_alone_tells_its_owner(anonymous: Any, settings: Any) -> None:
    """Who has an account needs no invitation to be told so."""
    settings.REGISTRATION = "invite"
    user_make("ann@example.org")
    assert anonymous.post("auth/register/", ANN).status_code == 202
    assert "There is one already" in mailed().body


@pytest.mark.parametrize("spoil", ["used", "expired", "changed", "nonsense", "other_purpose"])
def test_verify_bad_token_is_400(anonymous: Any, spoil: str) -> None:
    """A token works once, in its time, for its purpose."""
    anonymous.post("auth/register/", ANN)
    token = token_in(mailed())
    if spoil == "used":
        anonymous.post("auth/verify-email/", {"token": token})
    if spoil == "expired":
        Registration.objects.update(expires_at=F("created_at") - dt.timedelta(seconds=1))
    if spoil == "changed":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    if spoil == "nonsense":
        token = "x.y"
    if spoil == "other_purpose":
        answer = anonymous.post("auth/password/reset/", {"token": token, "password": PASSWORD})
    else:
        answer = anonymous.post("auth/verify-email/", {"token": token})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")


def test_verify_second_registration_of_one_address_loses(anonymous: Any) -> None:
    """The first confirmed registration makes the account; the other's password opens nothing."""
    anonymous.post("auth/register/", ANN)
    first = token_in(mailed())
    anonymous.post(
        "auth/register/", {**ANN, "email": "ann@EXAMPLE.org", "password": "another-fine-password-1"}
    )
    second = token_in(mailed())
    assert anonymous.post("auth/verify-email/", {"token": first}).status_code == 200
    assert anonymous.post("auth/verify-email/", {"token": second}).status_code == 400
    assert User.objects.count() == 1


def test_verify_page_asks_before_it_acts(anonymous: Any) -> None:
    """Following the link shows a form and changes nothing; only its button confirms."""
    anonymous.post("auth/register/", ANN)
    token = token_in(mailed())
    page = anonymous.get(f"/account/verify/?token={token}")
    assert page.status_code == 200
    assert token in page.content.decode()
    assert not User.objects.exists()
    form = f"token={token}".encode()
    done = anonymous.call(
        "POST", "/account/verify/", raw=form, **{"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert done.status_code == 200
    assert User.objects.count() == 1
    assert done.headers["Referrer-Policy"] == "no-referrer"
    assert "script-src 'self'" in done.headers["Content-Security-Policy"]


def test_mail_of_a_vanished_registration_is_not_sent(anonymous: Any, mailoutbox: list[Any]) -> None:
    """What is no longer there when the mail is due is no error."""
    anonymous.post("auth/register/", ANN)
    job = Job.objects.latest("id")
    Registration.objects.all().delete()

    class Run:
        payload = job.payload

    Run.job = job  # type: ignore[attr-defined]
    assert send_mail(Run()) == {"sent": False}  # type: ignore[arg-type]
    assert not mailoutbox


def test_registration_row_and_job_hold_no_token(anonymous: Any) -> None:
    """Whoever reads the database finds no token: it is derived when the mail is written."""
    anonymous.post("auth/register/", ANN)
    token = token_in(mailed())
    tag = token.rpartition(".")[2]
    assert tag not in str(Registration.objects.values().get())
    assert tag not in str(Job.objects.values().latest("id"))
