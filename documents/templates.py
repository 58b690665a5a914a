"""Placeholders of templates, `{{name}}`, and what takes their place. Pure: no query."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What every document made from a template knows by itself.
BUILT_IN = frozenset({"author", "date", "title"})
_PLACEHOLDER = re.compile(r"\{\{[ \t]*([A-Za-z][A-Za-z0-9_]{0,63})[ \t]*\}\}")


def variables_of(content: str) -> list[str]:
    """The names that a template's body declares by using them, without the built-in ones, in their order."""
    names = dict.fromkeys(found[1] for found in _PLACEHOLDER.finditer(content))
    return [name for name in names if name not in BUILT_IN]


def filled(content: str, values: Mapping[str, str]) -> str:
    """The body with each placeholder replaced by its value, once: what a value says is left as it is."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), content)


def filled_bytes(content: str, values: Mapping[str, str]) -> int:
    """How long the filled body would be, in bytes of UTF-8, without making it.

    Five characters may stand for ten thousand: of a body of 2 MB would come several GB.
    """
    sizes = {name: len(value.encode()) for name, value in values.items()}
    found = (place for place in _PLACEHOLDER.finditer(content) if place[1] in sizes)
    return len(content.encode()) + sum(sizes[place[1]] - len(place[0]) for place in found)
