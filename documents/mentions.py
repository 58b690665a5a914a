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
        if uid not in names:
            return match[0]
        # Of a name that is nothing but brackets nothing would be left, and it would be a mention no more.
        fit = _UNFIT.sub(" ", names[uid]).strip() or match["name"]
        return f"@[{fit}](user:{uid})"

    return _MENTION.sub(name, body)


def without_ids(body: str) -> str:
    """The body with `@Name` in place of each mention."""
    return _MENTION.sub(lambda match: f"@{match['name']}", body)
