"""Signing in to the admin: the same service, a session of ours beside Django's."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session as StoredSession
from django.test import Client

from accounts.models import Session, SignInFailure
from accounts.services import limiter
from audit.models import Event
from cloudscribe.jobs.models import Job
from tests.accounts.factories import PASSWORD, user_make


def staff_client(user: Any, password: str = PASSWORD) -> tuple[Client, Any]:
    """A browser that tried to sign in, and the answer."""
    client = Client()
    answer = client.post("/admin/login/?next=/admin/", {"username": user.email, "password": password})
    return client, answer


def staff_make() -> Any:
    """An administrator."""
    return user_make(role="administrator", is_staff=True, is_superuser=True)


@pytest.mark.django_db
def test_admin_staff_signs_in_by_a_session_of_ours() -> None:
    """The right password makes a session of kind admin, with its event."""
    client, answer = staff_client(staff_make())
    assert answer.status_code == 302, answer.content
    assert client.get("/admin/").status_code == 200
    assert Session.objects.get().kind == "admin"
    assert Event.objects.filter(action="session.created").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("case", ["member", "wrong_password"])
def test_admin_refused_without_a_session(case: str) -> None:
    """Who isn't staff or doesn't know the password gets neither session; the try counts."""
    user = user_make() if case == "member" else staff_make()
    client, answer = staff_client(user, PASSWORD if case == "member" else "wrong-password-9")
    assert answer.status_code == 200
    assert "The address or the password is wrong." in answer.content.decode()
    assert not Session.objects.exists()
    assert SignInFailure.objects.count() == 1
    assert client.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_admin_sign_in_over_the_limit_is_429_with_the_form() -> None:
    """What stands between, and what counts towards a block, reads the status; people read the page."""
    user = staff_make()
    staff_client(user, "wrong-password-9")
    failure = SignInFailure.objects.get()
    SignInFailure.objects.bulk_create(
        [SignInFailure(account=failure.account, source=failure.source) for _ in range(limiter.PAIR_LIMIT)]
    )
    _, answer = staff_client(user)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many failed sign-ins." in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["revoked", "suspended", "forged"])
def test_admin_session_ends_with_ours(how: str) -> None:
    """Django's session lives on in its store, but without ours it opens nothing on the next request."""
    user = staff_make()
    client, _ = staff_client(user)
    if how == "revoked":
        Session.objects.update(revoked_at="2026-01-01T00:00:00Z", revoked_reason="test")
    if how == "suspended":
        user.is_active = False
        user.save()
    if how == "forged":
        client = Client()
        client.force_login(user, backend="accounts.backends.PasswordBackend")
    answer = client.get("/admin/")
    assert answer.status_code == 302
    assert "/admin/login/" in answer.headers["Location"]


@pytest.mark.django_db
def test_admin_sign_out_ends_our_session() -> None:
    """Signing out there revokes the session here."""
    client, _ = staff_client(staff_make())
    client.post("/admin/logout/")
    assert Session.objects.get().revoked_reason == "signed_out"


@pytest.mark.django_db
def test_admin_copy_of_the_table_of_sessions_opens_nothing() -> None:
    """The row is found by the cookie's value and doesn't hold it; signing out removes it."""
    browser, _ = staff_client(staff_make())
    (kept,) = StoredSession.objects.values_list("session_key", flat=True)
    thief = Client()
    thief.cookies["sessionid"] = kept
    assert thief.get("/admin/").status_code == 302
    assert browser.get("/admin/").status_code == 200
    browser.post("/admin/logout/")
    assert not StoredSession.objects.filter(session_key=kept).exists()


@pytest.mark.django_db
def test_admin_session_is_ended_from_the_api(client_for: Any) -> None:
    """The list of one's sessions holds the admin's, too, and can end it."""
    user = staff_make()
    browser, _ = staff_client(user)
    api = client_for(user)
    rows = api.get("me/sessions/").json()["results"]
    (staff,) = [row for row in rows if row["kind"] == "admin"]
    assert api.delete(f"me/sessions/{staff['id']}/").status_code == 204
    assert browser.get("/admin/").status_code == 302


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_gone")
def test_admin_works_without_redis() -> None:
    """Django's sessions lie in the database, too; the cache in front of them may be gone."""
    client, answer = staff_client(staff_make())
    assert answer.status_code == 302
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
def test_admin_access_token_of_a_staff_session_opens_no_api(client_for: Any) -> None:
    """A session of kind admin is not one of the API."""
    client = client_for(staff_make())
    Session.objects.update(kind="admin")
    assert client.get("me/").status_code == 401


@pytest.mark.django_db
def test_admin_password_change_is_the_services(client_for: Any) -> None:
    """It ends the other sessions, keeps the one at hand, tells the owner and is audited."""
    user = staff_make()
    api = client_for(user)
    browser, _ = staff_client(user)
    form = {"old_password": PASSWORD, "new_password1": "Another-one-71", "new_password2": "Another-one-71"}
    assert browser.post("/admin/password_change/", form).status_code == 302
    assert api.get("me/").status_code == 401
    assert browser.get("/admin/").status_code == 200
    assert Event.objects.filter(action="user.password_changed").count() == 1
    assert Job.objects.filter(payload__message="password_changed").count() == 1


@pytest.mark.django_db
def test_admin_password_change_with_a_wrong_password_counts_as_a_guess() -> None:
    """A stolen browser is no place to guess in."""
    browser, _ = staff_client(staff_make())
    form = {"old_password": "nope", "new_password1": "Another-one-71", "new_password2": "Another-one-71"}
    assert "This is not your password." in browser.post("/admin/password_change/", form).content.decode()
    assert SignInFailure.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "accounts/user/?password__startswith=argon2",
        "accounts/session/?secret_hash__gt=a",
        "accounts/session/?user__password__startswith=argon2",
    ],
)
def test_admin_list_is_not_filtered_by_a_column_that_is_not_offered(path: str) -> None:
    """Who may see a list must not guess secrets letter by letter."""
    browser, _ = staff_client(staff_make())
    assert browser.get(f"/admin/{path}").status_code == 400
    assert browser.get("/admin/accounts/user/?is_active__exact=1&kind__exact=person").status_code == 200


@pytest.mark.django_db
def test_admin_search_finds_pages() -> None:
    """The sidebar's search names the pages that hold the term, also the second time."""
    browser, _ = staff_client(staff_make())
    for _ in range(2):
        assert b"/admin/accounts/session/" in browser.get("/admin/search/?s=sess").content
    assert browser.get("/admin/search/?s=").content == b""
