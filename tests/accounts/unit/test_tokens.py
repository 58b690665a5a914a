"""The forms of tokens and addresses; no database."""

from __future__ import annotations

import uuid

import pytest
from django.core.exceptions import ValidationError

from accounts.mailed_tokens import PASSWORD_RESET, REGISTRATION, mailed_token, mailed_token_uid
from accounts.refresh_tokens import RefreshToken
from accounts.validators import MaximumLengthValidator, validate_timezone
from cloudscribe.lib.emails import canonical_email

UID = uuid.UUID("01900000-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("Ann@Example.ORG", "ann@example.org"),
        ("  ann@example.org ", "ann@example.org"),
        ("\uff46ull@example.org", "full@example.org"),
        ("straße@example.org", "strasse@example.org"),
        ("\uff41nn\uff20\uff45xample.org", "ann@example.org"),
        ("ann@STRASSE.de", "ann@strasse.de"),
        ("ann@straße.de", "ann@straße.de"),
        ("ann@STRA\u1e9eE.de", "ann@straße.de"),
        ("ann@BÜCHER.de", "ann@bücher.de"),
        ("ann@no zone.ß", "ann@no zone.ss"),
        ("straße", "straße"),
        ("E\u0301va@example.org", "\u00e9va@example.org"),
        ("İ@example.org", "i\u0307@example.org"),
    ],
)
def test_canonical_email(given: str, canonical: str) -> None:
    """One form for every spelling, and a fixed point."""
    assert canonical_email(given) == canonical
    assert canonical_email(canonical) == canonical


def test_refresh_token_reads_what_it_writes() -> None:
    """Text and back."""
    token = RefreshToken.first(UID)
    assert RefreshToken.parse(str(token)) == token
    assert str(token).count(".") == 4


def test_refresh_token_successor_is_derived() -> None:
    """The same each time, another for another token, never the secret itself."""
    token = RefreshToken.first(UID)
    following = token.successor(token.kid)
    assert following == token.successor(token.kid)
    assert following != RefreshToken.first(UID).successor(token.kid)
    assert (following.counter, following.session) == (1, UID)


@pytest.mark.parametrize("position", range(5))
def test_refresh_token_any_changed_part_is_refused(position: int) -> None:
    """The tag covers all parts."""
    parts = str(RefreshToken.first(UID)).split(".")
    other = str(RefreshToken.first(uuid.uuid4()).successor(parts[0])).split(".")
    parts[position] = other[position] if position else parts[0] + "x"
    assert RefreshToken.parse(".".join(parts)) is None


def test_refresh_token_does_not_show_its_secret() -> None:
    """Not in its repr, which may land in a log."""
    token = RefreshToken.first(UID)
    assert "secret" not in repr(token)


def test_mailed_token_is_for_one_purpose() -> None:
    """A registration's token resets no password."""
    token = mailed_token(REGISTRATION, UID)
    assert mailed_token_uid(REGISTRATION, token) == UID
    assert mailed_token_uid(PASSWORD_RESET, token) is None
    assert mailed_token_uid(REGISTRATION, token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert mailed_token_uid(REGISTRATION, "") is None


def test_password_may_have_128_characters() -> None:
    """And not one more."""
    MaximumLengthValidator(128).validate("x" * 128)
    with pytest.raises(ValidationError):
        MaximumLengthValidator(128).validate("x" * 129)


def test_timezone_is_of_the_iana_database() -> None:
    """No path, no offset."""
    validate_timezone("Europe/Berlin")
    for name in ("../etc/passwd", "+02:00", "Mars/Olympus"):
        with pytest.raises(ValidationError):
            validate_timezone(name)
