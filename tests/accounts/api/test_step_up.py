"""POST auth/step-up/ and the acts that ask for it."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from rest_framework.test import APIRequestFactory

from accounts.exceptions import ReauthenticationRequired
from accounts.models import Session, SignInFailure
from accounts.permissions import SteppedUp
from accounts.selectors import session_signed_in
from accounts.services import limiter
from audit.models import Event
from tests.accounts.factories import PASSWORD, user_make
from tests.fixtures import ApiClient

WRONG = "not-the-password-77"


def proof_age(client: ApiClient, seconds: int) -> None:
    """Make the last proof of the client's session that old."""
    assert client.credentials is not None
    Session.objects.filter(uid=client.credentials.session.uid).update(
        authenticated_at=F("authenticated_at") - dt.timedelta(seconds=seconds)
    )


def stepped_up(client: ApiClient) -> bool:
    """Whether the client's session is let through to an act of consequence."""
    assert client.credentials is not None
    signed_in = session_signed_in(client.credentials.session.uid, Session.Kind.USER)
    assert signed_in is not None
    request: Any = APIRequestFactory().post("/")
    request.auth = signed_in.actor
    try:
        return SteppedUp().has_permission(request, object())  # type: ignore[arg-type]
    except ReauthenticationRequired:
        return False


def test_step_up_member_right_password(client_for: Any) -> None:
    """The right password makes an old proof new, on this session alone, and is on the record."""
    client = client_for()
    other = client_for(client.user)
    proof_age(client, 1000)
    proof_age(other, 1000)
    answer = client.post("auth/step-up/", {"password": PASSWORD})
    assert answer.status_code == 200, answer.content
    assert answer.json()["session"] == str(client.credentials.session.uid)
    assert answer.json()["factors"] == ["pwd"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert (stepped_up(client), stepped_up(other)) == (True, False)
    event = Event.objects.get(action="session.stepped_up")
    assert event.target_uid == client.credentials.session.uid


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (890, True), (910, False)])
def test_step_up_needed_after_a_quarter_of_an_hour(client_for: Any, age: int, fresh: bool) -> None:
    """A sign-in counts as proof for CLOUDSCRIBE_STEP_UP_LIFETIME, by the database's clock."""
    client = client_for()
    proof_age(client, age)
    assert stepped_up(client) is fresh


def test_step_up_wrong_password_ends_nothing(client_for: Any) -> None:
    """A wrong password is refused, counted and recorded; the session and its proof of before live on."""
    client = client_for(REMOTE_ADDR="192.0.2.31")
    answer = client.post("auth/step-up/", {"password": WRONG})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert client.get("me/").status_code == 200
    assert stepped_up(client)
    assert SignInFailure.objects.filter(pending=False).count() == 1
    assert Event.objects.filter(action="session.step_up_failed").count() == 1


def test_step_up_is_limited_like_sign_in(client_for: Any) -> None:
    """After ten wrong ones even the right password has to wait, and the session still lives."""
    client = client_for()
    attempt = limiter.attempt_open(email_key=client.user.email_key, address="127.0.0.1")
    SignInFailure.objects.bulk_create(
        [SignInFailure(account=attempt.account, source=attempt.source) for _ in range(limiter.PAIR_LIMIT - 1)]
    )
    answer = client.post("auth/step-up/", {"password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (429, "sign_in_limited")
    assert client.get("me/").status_code == 200


def test_step_up_by_another_persons_password(client_for: Any) -> None:
    """The password is that of the session's person."""
    client, other = client_for(), user_make(password=user_make().password)
    type(other).objects.filter(pk=client.user.pk).update(password="!unusable")
    assert client.post("auth/step-up/", {"password": PASSWORD}).status_code == 401


def test_step_up_anonymous_and_ended(anonymous: Any, client_for: Any) -> None:
    """Without a live session there is nothing to step up."""
    assert anonymous.post("auth/step-up/", {"password": PASSWORD}).status_code == 401
    client = client_for()
    client.post("auth/logout/")
    assert client.post("auth/step-up/", {"password": PASSWORD}).status_code == 401


@pytest.mark.parametrize("body", [{}, {"password": 7}, {"password": ""}, {"password": PASSWORD, "x": 1}])
def test_step_up_bad_body(client_for: Any, body: dict[str, Any]) -> None:
    """What is wrong with the body is 400, and no try is counted."""
    assert client_for().post("auth/step-up/", body).status_code == 400
    assert not SignInFailure.objects.exists()


@pytest.mark.usefixtures("redis_gone")
def test_step_up_works_without_redis(client_for: Any) -> None:
    """The proof is PostgreSQL's business alone."""
    assert client_for().post("auth/step-up/", {"password": PASSWORD}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_step_up_many_wrong_at_once_do_not_slip_through(client_for: Any) -> None:
    """Guesses at the same time are counted one after the other."""
    token = client_for().token
    statuses: list[int] = []

    def guess() -> None:
        try:
            statuses.append(ApiClient(token).post("auth/step-up/", {"password": WRONG}).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(401) <= limiter.PAIR_LIMIT
    assert statuses.count(401) + statuses.count(429) == 12
