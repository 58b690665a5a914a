"""Seven in the morning, where people live."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.services.digests import latest_morning


@pytest.mark.parametrize(
    ("now", "timezone", "morning"),
    [
        ("2026-03-04T07:00", "UTC", "2026-03-04T07:00"),
        ("2026-03-04T06:59", "UTC", "2026-03-03T07:00"),
        ("2026-03-04T01:30", "Asia/Kolkata", "2026-03-04T01:30"),
        ("2026-03-04T20:00", "Pacific/Auckland", "2026-03-04T18:00"),
        ("2026-03-04T10:59", "America/New_York", "2026-03-03T12:00"),
        # The night in which clocks go forward, and the one in which they go back.
        ("2026-03-29T05:00", "Europe/Berlin", "2026-03-29T05:00"),
        ("2026-03-29T04:59", "Europe/Berlin", "2026-03-28T06:00"),
        ("2026-10-25T06:00", "Europe/Berlin", "2026-10-25T06:00"),
        ("2026-10-25T05:59", "Europe/Berlin", "2026-10-24T05:00"),
    ],
)
def test_latest_morning(now: str, timezone: str, morning: str) -> None:
    """The last one that has come, by the clocks of the place."""
    found = latest_morning(dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC), timezone)
    assert found == dt.datetime.fromisoformat(morning).replace(tzinfo=dt.UTC)
