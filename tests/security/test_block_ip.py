"""manage.py block_ip."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import Event
from security.models import IPRule

pytestmark = pytest.mark.django_db


def said(*words: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("block_ip", *words, stdout=out)
    return out.getvalue()


def refused(*words: str) -> int:
    """The exit code of a command that ends with an error."""
    with pytest.raises(CommandError) as error:
        said(*words)
    return error.value.returncode


def lifetime(row: IPRule) -> dt.timedelta:
    """How long the rule holds from its making on."""
    assert row.expires_at
    return row.expires_at - row.created_at


def test_block_stands_until_it_is_removed() -> None:
    """Exit code 0, a rule of the command's, an event."""
    assert said("192.0.2.7", "--reason", "Scrapes") == "192.0.2.7/32 is blocked until it is removed.\n"
    row = IPRule.objects.get()
    assert (row.network, row.effect, row.origin, row.reason) == (
        "192.0.2.7/32",
        "block",
        "command",
        "Scrapes",
    )
    assert Event.objects.get(action="ip_rule.created").actor_kind == "command"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600)],
)
def test_block_for_a_duration(text: str, seconds: int) -> None:
    """Seconds unless a letter says otherwise."""
    said("2001:db8::/64", "--expires", text)
    assert abs(lifetime(IPRule.objects.get()).total_seconds() - seconds) < 5


def test_block_until_a_moment() -> None:
    """RFC 3339 with its offset."""
    said("192.0.2.7", "--expires", "2099-01-31T12:00:00+01:00")
    assert IPRule.objects.get().expires_at == dt.datetime(2099, 1, 31, 11, tzinfo=dt.UTC)


def test_block_again_changes_it() -> None:
    """One rule, whose expiry is the last one said."""
    said("192.0.2.0/24", "--reason", "Scrapes", "--expires", "1h")
    said("192.0.2.99/24", "--expires", "2d")
    row = IPRule.objects.get()
    assert row.reason == "Scrapes"
    assert lifetime(row) > dt.timedelta(days=1)


def test_remove_takes_the_block_away() -> None:
    """Exit code 0; a second time there is none: 1."""
    said("192.0.2.7")
    assert said("192.0.2.7", "--remove") == "192.0.2.7/32 is no longer blocked.\n"
    assert not IPRule.objects.exists()
    assert refused("192.0.2.7", "--remove") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["nowhere"],
        ["192.0.2.7", "--expires", "soon"],
        ["192.0.2.7", "--expires", "2020-01-01T00:00:00Z"],
        ["192.0.2.7", "--expires", "2099-01-01T00:00:00"],
        ["192.0.2.7", "--expires", "2099-13-01T00:00:00Z"],
        ["192.0.2.7", "--expires", "999999999w"],
        ["192.0.2.7", "--remove", "--reason", "x"],
        ["0.0.0.0/0"],
    ],
)
def test_block_used_wrongly_is_2(words: list[Any]) -> None:
    """Nothing is made."""
    assert refused(*words) == 2
    assert not IPRule.objects.exists()


def test_block_of_a_very_wide_network_takes_force() -> None:
    """Who means it says so."""
    said("10.0.0.0/8", "--force")
    assert IPRule.objects.get().network == "10.0.0.0/8"
