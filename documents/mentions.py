"""Mentions in comments, `@[Name](user:<id>)`: the id counts, the name is that of when it was written."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

MOST = 50
_MENTION = re.compile(
    r"@\[(?P<name>[^\[\]\n]{1,200})\]\(user:(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)"
)
_UNFIT = re.compile(r"[\[\]\s]+")


def mentioned(body: str) -> list[uuid.UUID]:
    """Who is named, in order, each once; beyond `MOST` names are text."""
    found = dict.fromkeys(uuid.UUID(match["id"]) for match in _MENTION.finditer(body))
    return list(found)[:MOST]


def renamed(body: str, names: Mapping[uuid.UUID, str]) -> str:
    """The body with the names that these people have now."""

    def name(match: re.Match[str]) -> str:
        uid = uuid.UUID(match["id"])
        return f"@[{_UNFIT.sub(' ', names[uid]).strip()}](user:{uid})" if uid in names else match[0]

    return _MENTION.sub(name, body)


def without_ids(body: str) -> str:
    """The body with `@Name` in place of each mention."""
    return _MENTION.sub(lambda match: f"@{match['name']}", body)
