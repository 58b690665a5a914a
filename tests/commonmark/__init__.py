"""The examples of CommonMark's specification."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import shutil
from collections.abc import Iterator

import pytest

from tests.npm import npm_tools

HERE = pathlib.Path(__file__).parent
_EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$|^#{1,6} +([^\n]*)$", re.MULTILINE | re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A text and what it is to become."""

    number: int
    section: str
    markdown: str
    html: str


def examples() -> list[Example]:
    """All of them in their order; skips where npm isn't there to get them."""
    if shutil.which("npm") is None:
        pytest.skip("the specification comes by npm, which is not installed")
    path = npm_tools(HERE, "commonmark") / "commonmark-spec/spec.txt"
    return list(_read(path.read_text(encoding="utf-8").partition("<!-- END TESTS -->")[0]))


def _read(text: str) -> Iterator[Example]:
    number, section = 0, ""
    for found in _EXAMPLE.finditer(text.replace("→", "\t")):
        if found[3] is not None:
            section = found[3]
            continue
        number += 1
        yield Example(number, section, found[1], found[2])
