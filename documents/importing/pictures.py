"""Pictures that a text shows by HTML: raw HTML is shown as text here, so they become Markdown's own.

Only pictures of the tree itself are touched. A tag that stands within other HTML, where Markdown means
nothing, keeps its form and gets the new address.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from documents.markdown.outline import lines_outside_code

_TAG = re.compile(r"<img\b(?:[^<>\"']|\"[^\"]{0,5000}\"|'[^']{0,5000}'){0,200}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(src|alt)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_MEANINGFUL = re.compile(r"[\\\[\]`*_<]")


def with_pictures(text: str, address_of: Callable[[str], str | None]) -> str:
    """The text with its `<img>` tags made images of Markdown, where `address_of` knows their source."""
    if "<img" not in text.lower():
        return text
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    plain = {starts[number] for number, _ in lines_outside_code(text)}

    def replace(tag: re.Match[str]) -> str:
        start = text.rfind("\n", 0, tag.start()) + 1
        before = text[start : tag.start()]
        if start not in plain or before.count("`") % 2 or before.startswith(("    ", "\t")):
            return tag[0]
        found = {name.lower(): html.unescape(a or b) for name, a, b in _ATTRIBUTE.findall(tag[0])}
        address = address_of(found.get("src", ""))
        if address is None:
            return tag[0]
        if before.lstrip().startswith("<"):
            return _ATTRIBUTE.sub(lambda each: _with_source(each, address), tag[0])
        alt = _MEANINGFUL.sub(r"\\\g<0>", " ".join(found.get("alt", "").split()))
        return f"![{alt}]({address})"

    return _TAG.sub(replace, text)


def _with_source(attribute: re.Match[str], address: str) -> str:
    return f'{attribute[1]}="{address}"' if attribute[1].lower() == "src" else attribute[0]
