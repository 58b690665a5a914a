"""The mails of notifications, one at once or a day's as a digest; what they say is looked up as they go."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
import zoneinfo
from collections.abc import Sequence
from typing import Any

from accounts.actors import reader_of
from accounts.mails import Message
from accounts.models import Channel, Notification, User
from accounts.notices import Notice, notices_shown

_ELSEWHERE = "Other news"
# A longer one is not read; the inbox has the rest.
_MOST_IN_DIGEST = 100


def notice_message(uid: uuid.UUID) -> Message | None:
    """The mail of one notification; None where it was read, mailed or removed, or may not be shown."""
    rows = _unread(Channel.EMAIL).filter(uid=uid, mailed_at__isnull=True)
    row = rows.select_related("user").first()
    shown = _shown(row.user, [row]) if row else []
    if row is None or not shown:
        return None
    line = shown[0].line
    return _message(row.user, "notice", line.rstrip("."), {"line": line, "kind": row.kind})


def digest_message(user: uuid.UUID, collected_at: dt.datetime) -> Message | None:
    """The digest that was collected for a person at that moment; None where nothing of it may be shown."""
    rows = _unread(Channel.DIGEST).filter(user__uid=user, mailed_at=collected_at)
    found = list(rows.select_related("user").order_by("-pk")[: _MOST_IN_DIGEST + 1])
    reader = found[0].user if found else None
    shown = _shown(reader, found) if reader else []
    if reader is None or not shown:
        return None
    count = len(shown[:_MOST_IN_DIGEST])
    title = f"{count} notification{'s' if count > 1 else ''}"
    values = {"groups": _groups(reader, shown[:_MOST_IN_DIGEST]), "more": len(shown) > _MOST_IN_DIGEST}
    return _message(reader, "digest", title, values)


def _unread(channel: Channel) -> Any:
    return Notification.objects.filter(
        channel=channel, read_at__isnull=True, user__is_active=True, user__kind=User.Kind.PERSON
    )


def _shown(user: User, rows: Sequence[Notification]) -> list[Notice]:
    """Those that say something to the user as of now."""
    reader = reader_of(user.uid)
    return [notice for notice in notices_shown(reader, rows) if notice.line] if reader else []


def _groups(user: User, shown: Sequence[Notice]) -> list[dict[str, Any]]:
    """The lines by workspace, the oldest first, with the times of the reader's zone; the rest at the end."""
    zone = zoneinfo.ZoneInfo(user.timezone)

    def place(notice: Notice) -> tuple[bool, str, str]:
        return notice.workspace_uid is None, notice.workspace_name or "", str(notice.workspace_uid)

    in_order = sorted(shown, key=lambda notice: (place(notice), notice.row.pk))
    groups = []
    for (is_rest, name, _), notices in itertools.groupby(in_order, key=place):
        lines = [
            {"at": f"{notice.row.created_at.astimezone(zone):%Y-%m-%d %H:%M}", "text": notice.line}
            for notice in notices
        ]
        groups.append({"title": _ELSEWHERE if is_rest else name, "lines": lines})
    return groups


def _message(user: User, template: str, title: str, values: dict[str, Any]) -> Message:
    return Message(user.email, user.name, user.locale, template, title, values)
