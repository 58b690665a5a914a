"""Where webhooks may lead to, and attempts to get there. Asks the database nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import email.utils
import time
import uuid
from collections.abc import Mapping, Sequence

from django.conf import settings

from cloudscribe.lib.errors import InvalidInput
from documents import limits
from documents.webhook_signing import signed_headers
from security.destinations import PORTS, Openings, parse_allowed
from security.outgoing import Line, OutgoingRefused, Reason, url_check

_TOLD = {
    Reason.ADDRESS: "Requests to this address are not allowed.",
    Reason.HOST: "The host is neither a name nor an address in its usual spelling.",
    Reason.MALFORMED: "This is no URL.",
    Reason.PORT: "Requests to this port are not allowed.",
    Reason.SCHEME: "The URL must begin with https:// or http://.",
    Reason.USERINFO: "The URL may hold no user and no password.",
}
# Nothing of an answer is kept; whoever sends more is cut off.
_MOST_BYTES = 64 * 1024
_LONGEST_RETRY_AFTER = 86_400.0


@dataclasses.dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery of a handful: what is sent under which id.

    `asked_at` tells this attempt from one that somebody asks for meanwhile, `judged_by` is what it was let go
    by: see `standings`.
    """

    pk: int
    uid: uuid.UUID
    asked_at: dt.datetime
    document_uid: uuid.UUID | None
    judged_by: Sequence[object]
    body: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Handful:
    """What one webhook is sent one after another: where, and the moment of that by the database's clock.

    `lease_until` is its fence, too: no two handfuls of a webhook have the same. `begun` is the moment by the
    monotonic clock.
    """

    webhook_pk: int
    lease_until: dt.datetime
    at: dt.datetime
    begun: float
    url: str
    parcels: Sequence[Parcel]
    secrets: Sequence[str] = dataclasses.field(repr=False)

    @property
    def age(self) -> float:
        """Seconds since it was taken, at least: the clock was read before the database was asked."""
        return time.monotonic() - self.begun

    @property
    def now(self) -> dt.datetime:
        """This moment by the database's clock. Receivers refuse what is minutes off, as ours may be."""
        return self.at + dt.timedelta(seconds=self.age)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt that began `at`: the status of the answer, or why there was none.

    `retry_after` is how many seconds the receiver wants to be left alone.
    """

    at: dt.datetime
    seconds: float = 0.0
    status: int | None = None
    reason: str = ""
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def ended_at(self) -> dt.datetime:
        """When it was over."""
        return self.at + dt.timedelta(seconds=self.seconds)


def openings() -> Openings:
    """What operators have opened to webhooks; not what they have opened to other requests of ours."""
    ports = PORTS | {int(port) for port in settings.WEBHOOK_ALLOWED_PORTS}
    return Openings(parse_allowed(tuple(settings.WEBHOOK_ALLOWED_CIDRS)), ports)


def address_check(url: str) -> None:
    """Raise InvalidInput that names `url` where the text alone tells that requests may not go there.

    What a name leads to is judged at each attempt: it may change.
    """
    try:
        url_check(url, plain=True, openings=openings())
    except OutgoingRefused as refused:
        code = f"forbidden_{refused.reason}"
        raise InvalidInput.field("/url", code, _TOLD[refused.reason]) from None
    if len(url) > limits.WEBHOOK_URL_LENGTH:
        raise InvalidInput.field("/url", "max_length", "The URL is too long.")


class Round:
    """The way of one handful: one connection, as long as the receiver keeps it."""

    def __init__(self, handful: Handful) -> None:
        """Nothing is connected yet."""
        self._handful = handful
        self._line: Line | None = None

    def send(self, parcel: Parcel) -> Outcome:
        """Post it once, within CLOUDSCRIBE_WEBHOOK_TIMEOUT seconds; never raises for what the receiver does.

        One at a time, by whatever thread.
        """
        begun, at = time.monotonic(), self._handful.now
        headers = {
            "content-type": "application/json",
            "user-agent": "CloudScribe-Webhooks/1.0",
            **signed_headers(
                uid=str(parcel.uid),
                timestamp=int(at.timestamp()),
                body=parcel.body,
                signing_secrets=self._handful.secrets,
            ),
        }
        try:
            if self._line is None:
                self._line = Line(self._handful.url, plain=True, openings=openings())
            # That it may ask twice is no matter: receivers know ids that they had.
            answer = self._line.ask(
                "POST",
                headers=headers,
                body=parcel.body,
                most_bytes=_MOST_BYTES,
                most_seconds=settings.WEBHOOK_TIMEOUT,
            )
        except OutgoingRefused as refused:
            return Outcome(at, time.monotonic() - begun, reason=refused.reason.value)
        waits = _retry_after(answer.headers, at) if answer.status in {429, 503} else None
        reason = "" if 200 <= answer.status < 300 else "status"
        return Outcome(at, time.monotonic() - begun, answer.status, reason, waits)

    def close(self) -> None:
        """Hang up, if there is somebody on the line."""
        if self._line is not None:
            self._line.close()


def _retry_after(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """The seconds of a Retry-After, which is a number or a date (RFC 9110, section 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        seconds = float(text[:12])
    else:
        try:
            at = email.utils.parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
        seconds = (at - now).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)
