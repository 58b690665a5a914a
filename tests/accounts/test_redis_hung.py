"""Redis takes connections and never answers: sign-in and sessions don't wait for it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.accounts.factories import PASSWORD, user_make


@pytest.mark.usefixtures("redis_hung")
def test_hung_redis_costs_one_wait_and_nothing_else(anonymous: Any, client_for: Any) -> None:
    """At most half a second once, then the breaker; a revocation holds on the next request all the same."""
    user = user_make()
    answer = anonymous.post("auth/login/", {"email": user.email, "password": PASSWORD})
    assert answer.status_code == 200
    client = client_for(user)
    started = time.monotonic()
    assert client.get("me/").status_code == 200
    assert time.monotonic() - started < 2
    assert client.post("auth/logout/").status_code == 204
    assert client.get("me/").status_code == 401
