"""Access tokens without a server: what was verified once still ends at its time."""

from __future__ import annotations

import time
import uuid

import pytest
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from accounts.access_tokens import SessionAccessToken


def test_token_verified_before_still_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeping a verdict never lengthens a token's life."""
    text = SessionAccessToken.issue(user=uuid.uuid4(), session=uuid.uuid4())
    token = SessionAccessToken(text)  # type: ignore[arg-type]
    monkeypatch.setattr(time, "time", lambda: token["exp"])
    with pytest.raises(ExpiredTokenError):
        SessionAccessToken(text)  # type: ignore[arg-type]


def test_token_verified_before_leaves_its_claims_as_they_were() -> None:
    """Whoever changes the claims of one reading doesn't change those of the next."""
    text = SessionAccessToken.issue(user=uuid.uuid4(), session=uuid.uuid4())
    first = SessionAccessToken(text)  # type: ignore[arg-type]
    session = first.session_uid
    first["sid"] = str(uuid.uuid4())
    assert SessionAccessToken(text).session_uid == session  # type: ignore[arg-type]


def test_token_with_a_signature_of_another_is_refused_also_after_the_right_one() -> None:
    """A verdict belongs to the whole text."""
    texts = [SessionAccessToken.issue(user=uuid.uuid4(), session=uuid.uuid4()) for _ in range(2)]
    for text in texts:
        SessionAccessToken(text)  # type: ignore[arg-type]
    head, _, signature = texts[0].rpartition(".")
    forged = f"{head}.{texts[1].rpartition('.')[2]}"
    assert signature not in forged
    with pytest.raises(TokenError):
        SessionAccessToken(forged)  # type: ignore[arg-type]
