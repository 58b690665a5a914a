"""Where webhooks may lead to, and one attempt to get there. Asks the database nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import email.utils
import time
import uuid
from collections.abc import Mapping

from django.conf import settings

from cloudscribe.lib.errors import InvalidInput
from documents import limits
from documents.webhook_signing import signed_headers
from security.destinations import PORTS, Openings, parse_allowed
from security.outgoing import OutgoingRefused, Reason, fetch, url_check

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
    """One attempt at a delivery: what is sent where, and when by the database's clock.

    `fence` is the number of the attempt.
    """

    pk: int
    fence: int
    webhook_pk: int
    at: dt.datetime
    uid: uuid.UUID
    url: str
    body: bytes = dataclasses.field(repr=False)
    secrets: tuple[str, ...] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: the status of the answer, or why there was none.

    `retry_after` is how many seconds the receiver wants to be left alone.
    """

    seconds: float
    status: int | None = None
    reason: str = ""
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300


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


def parcel_send(parcel: Parcel) -> Outcome:
    """Post it once, within CLOUDSCRIBE_WEBHOOK_TIMEOUT seconds; never raises for what the receiver does."""
    begun = time.monotonic()
    headers = {
        "content-type": "application/json",
        "user-agent": "CloudScribe-Webhooks/1.0",
        **signed_headers(
            uid=str(parcel.uid),
            # Receivers refuse what is minutes off, and this machine's clock may be.
            timestamp=int(parcel.at.timestamp()),
            body=parcel.body,
            signing_secrets=parcel.secrets,
        ),
    }
    try:
        answer = fetch(
            "POST",
            parcel.url,
            headers=headers,
            body=parcel.body,
            most_bytes=_MOST_BYTES,
            most_seconds=settings.WEBHOOK_TIMEOUT,
            plain=True,
            openings=openings(),
        )
    except OutgoingRefused as refused:
        return Outcome(time.monotonic() - begun, reason=refused.reason.value)
    waits = _retry_after(answer.headers, parcel.at) if answer.status in {429, 503} else None
    reason = "" if 200 <= answer.status < 300 else "status"
    return Outcome(time.monotonic() - begun, answer.status, reason, waits)


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
