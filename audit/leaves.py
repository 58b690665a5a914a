"""What is sealed of an event: its columns as one canonical text, which an outsider can make again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

# The text's members, and how SQL writes them; an event's own detail is sealed by its hash alone.
_COLUMNS = {
    "sequence": "e.sequence",
    "epoch": "e.epoch",
    "xid": "e.xid",
    "at": """to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "actor_kind": "e.actor_kind",
    "actor_uid": "e.actor_uid::text",
    "on_behalf_of": "e.on_behalf_of::text",
    "credential_kind": "e.credential_kind",
    "credential_uid": "e.credential_uid::text",
    "request_id": "e.request_id",
    "action": "e.action",
    "target_type": "e.target_type",
    "target_uid": "e.target_uid::text",
    "workspace_uid": "e.workspace_uid::text",
    "facts": "e.facts::text",
    "count": "e.count",
    "log_entry": "e.log_entry",
    "detail_hash": "encode(e.detail_hash, 'hex')",
}
LEAF_SQL = ", ".join(_COLUMNS.values())
_FACTS = list(_COLUMNS).index("facts")
_NAMES = tuple(_COLUMNS)


def leaf_data(row: Sequence[Any]) -> bytes:
    """The data of an event's leaf, given what `LEAF_SQL` selects: JSON with sorted members and no spaces.

    As RFC 8785 has it, with nothing left out.
    """
    values = dict(zip(_NAMES, row, strict=True))
    values["facts"] = orjson.loads(row[_FACTS])
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
