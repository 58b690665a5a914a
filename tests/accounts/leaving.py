"""What holds on the next request once an account is closed or deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import Client

from tests.accounts.factories import PASSWORD, token_make, user_make
from tests.fixtures import ApiClient, client_make


def leaving_ends_all(leave: Callable[[ApiClient], Any]) -> None:
    """Session, access token, refresh token, personal token, the admin's page, the password: none goes on."""
    user = user_make(is_staff=True)
    client, token, browser = client_make(user), ApiClient(token_make(user)), Client()
    browser.post("/admin/login/?next=/admin/", {"username": user.email, "password": PASSWORD})
    assert browser.get("/admin/").status_code == 200
    assert leave(client).status_code == 204
    assert client.get("me/").status_code == 401
    assert token.get("me/").status_code == 401
    assert browser.get("/admin/").status_code == 302
    refresh = {"refresh": client.credentials.refresh if client.credentials else ""}
    assert ApiClient().post("auth/refresh/", refresh).status_code == 401
    login = {"email": user.email, "password": PASSWORD}
    assert ApiClient().post("auth/login/", login).json()["code"] == "invalid_credentials"
