"""POST auth/login/."""

from __future__ import annotations

from typing import Any

from tests.accounts.factories import PASSWORD, user_make


def test_login_member_right_password(anonymous: Any) -> None:
    """The right password gives both tokens, the session and the person."""
    user = user_make("Ann@Example.org", name="Ann")
    answer = anonymous.post("auth/login/", {"email": "ann@example.ORG", "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert set(body) == {"access", "refresh", "access_expires_in", "session", "user"}
    assert body["access_expires_in"] == 600
    assert body["user"]["id"] == str(user.uid)
    assert body["user"]["roles"] == ["member"]
    assert body["session"]["current"] is True
    assert answer.headers["Cache-Control"] == "no-store"
