"""What is sealed of an event: its columns as one canonical text, which an outsider can make again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import orjson

# The text's members and the columns they come from; its own detail is sealed by its hash alone.
LEAF_COLUMNS = (
    *("sequence", "epoch", "xid", "at", "actor_kind", "actor_uid", "on_behalf_of", "credential_kind"),
    *("credential_uid", "request_id", "action", "target_type", "target_uid", "workspace_uid", "facts"),
    *("count", "log_entry", "detail_hash"),
)
_AT, _DETAIL_HASH = LEAF_COLUMNS.index("at"), LEAF_COLUMNS.index("detail_hash")


def leaf_data(row: Sequence[Any]) -> bytes:
    """The data of an event's leaf, given its `LEAF_COLUMNS`: JSON with sorted members and no spaces.

    As RFC 8785 has it. `at` is in UTC with six digits of a second, `detail_hash` in hexadecimal, nothing left
    out.
    """
    values = dict(zip(LEAF_COLUMNS, row, strict=True))
    values["at"] = row[_AT].astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    values["detail_hash"] = bytes(row[_DETAIL_HASH]).hex()
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
