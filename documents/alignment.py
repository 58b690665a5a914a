"""Which lines of two texts differ, as git sees it: libgit2 holds git's own diff."""

from __future__ import annotations

from collections.abc import Sequence

from pygit2 import Patch
from pygit2.enums import DiffOption

from documents.matching import matching_blocks

# Where lines start and end in the old text and in the new one, from 0.
Change = tuple[int, int, int, int]

# As `git diff` and `git blame` have it; a body has no NUL, so nothing is taken for binary.
_FLAGS = DiffOption.FORCE_TEXT | DiffOption.INDENT_HEURISTIC
_BLOCK = 1024
# Half a second for the worst lines found; beyond, the search takes seconds.
MAX_ITEMS = 100_000


def lines_of(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one."""
    parts = [part + "\n" for part in text.split("\n")]
    parts[-1] = parts[-1][:-1]
    return parts if parts[-1] else parts[:-1]


def line_count(body: bytes) -> int:
    """How many lines `lines_of` finds in the text of these bytes."""
    return body.count(b"\n") + (bool(body) and not body.endswith(b"\n"))


def changes(old: bytes, new: bytes) -> list[Change]:
    """What git says changed, in order, none where the texts are equal; very long texts by patience diff."""
    if old == new:
        return []
    kept = _shared_tail(old, new)
    old, new = old[: len(old) - kept], new[: len(new) - kept]
    if max(line_count(old), line_count(new)) > MAX_ITEMS:
        return _changes_by_patience(lines_of(old.decode()), lines_of(new.decode()))
    return _changes_by_git(old, new, _FLAGS)


def changes_between(a: Sequence[str], b: Sequence[str]) -> list[Change]:
    """The same for items of any text without NUL; for no more than MAX_ITEMS on each side."""
    return _changes_by_git(_as_lines(a), _as_lines(b), DiffOption.FORCE_TEXT)


def _as_lines(items: Sequence[str]) -> bytes:
    return "".join(item.replace("\n", "\0") + "\n" for item in items).encode()


def _changes_by_patience(a: Sequence[str], b: Sequence[str]) -> list[Change]:
    found, old, new = [], 0, 0
    for start, other, size in matching_blocks(a, b):
        if (old, new) != (start, other):
            found.append((old, start, new, other))
        old, new = start + size, other + size
    return found


def _changes_by_git(old: bytes, new: bytes, flags: DiffOption) -> list[Change]:
    patch = Patch.create_from(old, new, flag=flags, context_lines=0, interhunk_lines=0)
    found = []
    for hunk in patch.hunks:
        # A side without lines names the line before it.
        start = hunk.old_start - bool(hunk.old_lines)
        other = hunk.new_start - bool(hunk.new_lines)
        found.append((start, start + hunk.old_lines, other, other + hunk.new_lines))
    return found


def _shared_tail(old: bytes, new: bytes) -> int:
    """How many bytes at the end git leaves out before it compares: whole blocks, cut to whole lines."""
    kept, shortest = 0, min(len(old), len(new))
    while kept + _BLOCK <= shortest and _block(old, kept) == _block(new, kept):
        kept += _BLOCK
    if not kept:
        return 0
    line_end = old.find(b"\n", len(old) - kept)
    return 0 if line_end < 0 else len(old) - line_end - 1


def _block(text: bytes, kept: int) -> bytes:
    return text[len(text) - kept - _BLOCK : len(text) - kept]
