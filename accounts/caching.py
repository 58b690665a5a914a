"""What accounts puts off: the time of a session's last use."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from accounts.selectors import SignedIn
from cloudscribe.lib.caching import WriteBehind

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
