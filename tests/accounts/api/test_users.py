"""GET users/{id}/, POST users/{id}/suspend/ and unsuspend/."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.roles import ADMINISTRATOR
from accounts.selectors import session_signed_in
from accounts.services import sign_in
from audit.models import Event
from cloudscribe.jobs.runner import job_run
from tests.accounts.factories import PASSWORD, token_make, user_make
from tests.fixtures import ApiClient, client_make
from tests.jobs.factories import job_make
from tests.jobs.kinds import kind

pytestmark = pytest.mark.django_db


def administrator(**fields: Any) -> ApiClient:
    """A client of a person in the role `administrator`."""
    return client_make(user_make(role=ADMINISTRATOR, **fields))


@pytest.fixture
def boss() -> ApiClient:
    """An administrator."""
    return administrator()


def path(user: User | uuid.UUID, action: str = "") -> str:
    """The address of a person or of what is done to them."""
    uid = user.uid if isinstance(user, User) else user
    return f"users/{uid}/" + (f"{action}/" if action else "")


def test_retrieve_by_holder_of_the_permission(boss: ApiClient, django_assert_num_queries: Any) -> None:
    """Four statements: sign-in, permissions, person, roles."""
    user = user_make(name="Ann")
    with django_assert_num_queries(4):
        answer = boss.get(path(user))
    body = answer.json()
    assert (body["id"], body["name"], body["email"]) == (str(user.uid), "Ann", user.email)
    assert (body["is_active"], body["suspended_at"], body["roles"]) == (True, None, ["member"])
    assert boss.get(path(user), If_None_Match=answer.headers["ETag"]).status_code == 304


def test_retrieve_by_others_and_of_the_absent_is_one_404(boss: ApiClient) -> None:
    """Who may not look at people learns nothing of who there is, not even of themselves."""
    client = client_make()
    answers = [client.get(path(client.user)), client.get(path(uuid.uuid4())), boss.get(path(uuid.uuid4()))]
    bodies = [
        {key: value for key, value in answer.json().items() if key not in {"request_id", "instance"}}
        for answer in answers
    ]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["status"] == 404


def _assert_suspension_holds(boss: ApiClient) -> None:
    """What the person holds is dead on the next request: session, refresh, and the admin's session."""
    user = user_make(is_staff=True)
    client = client_make(user)
    browser = Client()
    form = {"username": user.email, "password": PASSWORD}
    assert browser.post("/admin/login/?next=/admin/", form).status_code == 302
    assert browser.get("/admin/").status_code == 200
    answer = boss.post(path(user, "suspend"), {"reason": "Left the house"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["is_active"] is False
    assert answer.json()["suspended_at"] is not None
    assert client.get("me/").status_code == 401
    refresh = {"refresh": client.credentials.refresh if client.credentials else ""}
    assert ApiClient().post("auth/refresh/", refresh).status_code == 401
    assert browser.get("/admin/").status_code == 302
    login = {"email": user.email, "password": PASSWORD}
    assert ApiClient().post("auth/login/", login).json()["code"] == "invalid_credentials"
    assert set(Session.objects.filter(user=user).values_list("revoked_reason", flat=True)) == {"suspended"}


def test_suspend_holds_on_the_next_request(boss: ApiClient) -> None:
    """With Redis up."""
    _assert_suspension_holds(boss)


@pytest.mark.usefixtures("redis_gone")
def test_suspend_holds_without_redis(boss: ApiClient) -> None:
    """With Redis gone."""
    _assert_suspension_holds(boss)


@pytest.mark.usefixtures("redis_hung")
def test_suspend_holds_while_redis_hangs(boss: ApiClient) -> None:
    """With a Redis that answers nothing."""
    _assert_suspension_holds(boss)


def test_suspend_writes_one_event_with_the_reason(boss: ApiClient) -> None:
    """A second time changes nothing and says nothing."""
    user = user_make()
    assert boss.post(path(user, "suspend"), {"reason": "Spam"}).status_code == 200
    assert boss.post(path(user, "suspend"), {"reason": "Again"}).status_code == 200
    event = Event.objects.get(action="user.suspended")
    assert event.target_uid == user.uid
    assert event.detail.content["reason"] == "Spam"
    assert event.detail.content["changes"] == {"is_active": {"before": True, "after": False}}
    user.refresh_from_db()
    assert user.suspended_reason == "Spam"


def test_unsuspend_lets_in_again_and_brings_no_session_back(boss: ApiClient) -> None:
    """Sessions of before stay ended; a new sign-in works."""
    client = client_make()
    assert client.user
    boss.post(path(client.user, "suspend"), {})
    answer = boss.post(path(client.user, "unsuspend"), {"reason": "A mistake"})
    assert (answer.status_code, answer.json()["is_active"], answer.json()["suspended_at"]) == (
        200,
        True,
        None,
    )
    assert client.get("me/").status_code == 401
    assert client_make(client.user).get("me/").status_code == 200
    assert boss.post(path(client.user, "unsuspend")).status_code == 200
    assert Event.objects.filter(action="user.unsuspended").count() == 1


def test_suspend_needs_the_permission() -> None:
    """Without it 403, for people that are there and for those that aren't."""
    client = client_make()
    for user in (user_make().uid, uuid.uuid4()):
        for action in ("suspend", "unsuspend"):
            assert client.post(path(user, action), {}).status_code == 403
    assert not Event.objects.filter(action="user.suspended").exists()


def test_suspend_needs_a_fresh_proof(boss: ApiClient) -> None:
    """An old sign-in doesn't do."""
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    answer = boss.post(path(user_make(), "suspend"), {})
    assert (answer.status_code, answer.json()["code"]) == (403, "reauth_required")


def test_suspend_of_the_absent_oneself_or_with_bad_input(boss: ApiClient) -> None:
    """404, 409 and 400, and nobody is out."""
    assert boss.user
    assert boss.post(path(uuid.uuid4(), "suspend"), {}).status_code == 404
    administrator()
    answer = boss.post(path(boss.user, "suspend"), {})
    assert (answer.status_code, answer.json()["code"]) == (409, "own_account")
    other = user_make()
    for body in ({"reason": 5}, {"reason": "x" * 501}, {"why": "x"}):
        assert boss.post(path(other, "suspend"), body).status_code == 400
    assert not User.objects.filter(is_active=False).exists()


def test_suspend_of_somebody_with_more_rights_is_forbidden(boss: ApiClient) -> None:
    """An administrator by role doesn't lock a superuser out, nor let one in."""
    root = user_make(role=ADMINISTRATOR, is_superuser=True)
    for action in ("suspend", "unsuspend"):
        assert boss.post(path(root, action), {}).status_code == 403
    root.refresh_from_db()
    assert root.is_active


def test_suspend_of_the_last_active_administrator() -> None:
    """Whoever is left must be able to let others in; a suspended administrator doesn't count."""
    root = client_make(user_make(role=None, is_superuser=True))
    only, off = user_make(role=ADMINISTRATOR), user_make(role=ADMINISTRATOR)
    assert root.post(path(off, "suspend"), {}).status_code == 200
    answer = root.post(path(only, "suspend"), {})
    assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")


@pytest.mark.django_db(transaction=True)
def test_suspend_each_other_leaves_one_administrator() -> None:
    """Two at once: the second finds itself out or the other one alone."""
    pair = [administrator(), administrator()]
    start, statuses = threading.Barrier(2), []

    def suspend(client: ApiClient, other: ApiClient) -> None:
        assert other.user
        start.wait(5)
        statuses.append(client.post(path(other.user, "suspend"), {}).status_code)
        connection.close()

    threads = [threading.Thread(target=suspend, args=args) for args in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert min(statuses) == 200
    assert max(statuses) in {401, 409}
    assert User.objects.filter(is_active=True).count() == 1


def test_job_of_a_suspended_person_fails(boss: ApiClient) -> None:
    """What the person had asked for is not done after."""
    user = user_make()
    found = sign_in(email=user.email, password=PASSWORD, address="127.0.0.1", device="tests")
    with kind(lambda run: {}):
        signed_in = session_signed_in(found.session.uid, "user")
        assert signed_in
        job = job_make(signed_in.actor)
        boss.post(path(user, "suspend"), {})
        job_run("fast", str(job.uid))
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "credential_revoked")


def test_suspend_stops_tokens_and_unsuspend_lets_them_go_on(boss: ApiClient) -> None:
    """A token signs in only while its person may; a mistake is undone without a new token."""
    user = user_make()
    token = ApiClient(token_make(user, "profile:read"))
    assert token.get("me/").status_code == 200
    boss.post(path(user, "suspend"), {})
    assert token.get("me/").status_code == 401
    boss.post(path(user, "unsuspend"), {})
    assert token.get("me/").status_code == 200


def test_retrieve_by_a_token_cut_to_a_workspace_is_not_found(boss: ApiClient) -> None:
    """People are in no place: the scope alone reaches them, cut to one it doesn't."""
    assert boss.user
    room = {"workspace_pk": 1, "workspace_uid": uuid.uuid4()}
    whole = ApiClient(token_make(boss.user, "users:read"))
    cut = ApiClient(token_make(boss.user, "users:read", **room))
    for address, status in ((path(boss.user), 404), (path(boss.user, "roles"), 403)):
        assert (whole.get(address).status_code, cut.get(address).status_code) == (200, status)
