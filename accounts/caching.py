"""What accounts puts off, and what it keeps: last uses of sessions and tokens, names of people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection

from accounts.selectors import SignedIn, SignedInByToken, people_by_key
from cloudscribe.lib.caching import WriteBehind
from cloudscribe.lib.stamped_rows import StampedRows

# A session that was seen within the last minute need not be written again: its idle end is days away.
_COARSE = dt.timedelta(seconds=60)
_WRITE = """
UPDATE accounts_session s SET last_used_at = greatest(s.last_used_at, u.at)
FROM unnest(%s::bigint[], %s::timestamptz[]) AS u(id, at) WHERE s.id = u.id
"""


def _write(seen: dict[int, dt.datetime]) -> None:
    # In the order of the keys: two processes that write the same sessions must not deadlock.
    keys = sorted(seen)
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [keys, [seen[key] for key in keys]])


last_uses: WriteBehind[int, dt.datetime] = WriteBehind("session_last_used", _write, merge=max)


def session_used(signed_in: SignedIn) -> None:
    """Note that the session was used; at most ten seconds of that are lost with a process."""
    if signed_in.actor.now - signed_in.last_used_at > _COARSE:
        last_uses.add(signed_in.session_pk, signed_in.actor.now)


_WRITE_TOKENS = """
UPDATE accounts_token t
SET last_used_at = greatest(t.last_used_at, u.at), last_used_address = nullif(u.address, '')::inet
FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS u(id, at, address) WHERE t.id = u.id
"""


def _write_tokens(seen: dict[int, tuple[dt.datetime, str]]) -> None:
    keys = sorted(seen)
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_TOKENS, [keys, *([seen[key][side] for key in keys] for side in (0, 1))])


token_uses: WriteBehind[int, tuple[dt.datetime, str]] = WriteBehind(
    "token_last_used", _write_tokens, merge=max
)


def token_used(signed_in: SignedInByToken, address: str) -> None:
    """Note that the token was used, and from where; as of a session, no more than once a minute."""
    now, last = signed_in.actor.now, signed_in.last_used_at
    if last is None or now - last > _COARSE:
        token_uses.add(signed_in.token_pk, (now, address))


_people: StampedRows[dict[str, Any]] = StampedRows(size=10_000)


def people_named(stamp: int | None, keys: Collection[int]) -> Mapping[int, dict[str, Any]]:
    """References to people by their keys, with the names that they had under this `PeopleStamp` or later.

    They are shared, so never to be changed.
    """
    return _people.get(stamp, keys, people_by_key)
