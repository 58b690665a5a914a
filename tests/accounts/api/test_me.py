"""GET and PATCH me/."""

from __future__ import annotations

from typing import Any

import pytest
from auditlog.models import LogEntry

from accounts.models import User
from audit.models import Event
from tests.accounts.factories import user_make


def test_me_shows_the_signed_in_person(client_for: Any, django_assert_num_queries: Any) -> None:
    """The whole body; three statements: sign-in, user, roles."""
    user = user_make("ann@example.org", name="Ann")
    client = client_for(user)
    with django_assert_num_queries(3):
        answer = client.get("me/")
    user.refresh_from_db()
    body = answer.json()
    assert {name: value for name, value in body.items() if not name.endswith("_at")} == {
        "id": str(user.uid),
        "email": "ann@example.org",
        "name": "Ann",
        "locale": "en",
        "timezone": "UTC",
        "roles": ["member"],
        "email_verified": True,
    }
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_me_anonymous_is_401(anonymous: Any) -> None:
    """Without a credential: who are you."""
    answer = anonymous.get("me/")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_me_patch_changes_the_named_fields(client_for: Any) -> None:
    """Name, locale and time zone can be changed; the event says from what to what, with auditlog's entry."""
    client = client_for(user_make(name="Ann"))
    answer = client.patch("me/", {"name": "Ann B", "timezone": "Europe/Berlin"})
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["timezone"], answer.json()["locale"]) == (
        "Ann B",
        "Europe/Berlin",
        "en",
    )
    event = Event.objects.get(action="user.updated")
    assert event.detail.content["changes"] == {
        "name": {"before": "Ann", "after": "Ann B"},
        "timezone": {"before": "UTC", "after": "Europe/Berlin"},
    }
    assert event.log_entry == LogEntry.objects.latest("pk").pk


@pytest.mark.parametrize(
    "name", ["\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0915\u094d\u200d\u0937", "👩\u200d👧"]
)
def test_me_patch_takes_a_name_whose_letters_are_joined(client_for: Any, name: str) -> None:
    """What joins or parts the letters of Persian and Hindi belongs to the name."""
    answer = client_for(user_make(name="Ann")).patch("me/", {"name": name})
    assert (answer.status_code, answer.json().get("name")) == (200, name)


def test_me_patch_of_nothing_makes_no_event(client_for: Any) -> None:
    """A change that changes nothing is no change."""
    client = client_for(user_make(name="Ann"))
    assert client.patch("me/", {"name": "Ann"}).status_code == 200
    assert not Event.objects.filter(action="user.updated").exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": "new@example.org"}, "/email"),
        ({"is_staff": True}, "/is_staff"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"locale": "en_US; DROP"}, "/locale"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": ["Ann"]}, "/name"),
        ({"name": "Ann\nBoleyn"}, "/name"),
        ({"name": "\u202eAnn"}, "/name"),
        ({"name": "A\u200bnn"}, "/name"),
        ({"name": "A\u200dnn"}, "/name"),
        ({"name": "\u200d\u200d"}, "/name"),
    ],
)
def test_me_patch_refused_is_named(client_for: Any, body: dict[str, Any], pointer: str) -> None:
    """What can't be changed here or isn't acceptable is named and nothing is changed."""
    client = client_for(user_make(name="Ann"))
    answer = client.patch("me/", body)
    assert answer.status_code == 400
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert User.objects.get().name == "Ann"
