"""The addresses that people read and pass on: `/d/{slug}-{short id}`.

The short id is the document's own in digits that no two of which look alike, so nothing has to be looked up
to find it; the slug follows the title and only helps who reads it. Pure: no query.
"""

from __future__ import annotations

import functools
import re
import unicodedata
import uuid

from documents import limits

# Base 58: without 0, O, I and l.
_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
# Every hot read gives an address: two digits at a time halve the divisions of a long number.
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
SHORT_ID_LENGTH = 22
SHORT_ID = f"[{_DIGITS}]{{{SHORT_ID_LENGTH}}}"
_DROPPED = re.compile(r"[^a-z0-9_\s-]+")
_GAPS = re.compile(r"[\s_-]+")
_NAMED = re.compile(rf"(?:.*-)?({SHORT_ID})")


def slug_of(name: str, *, otherwise: str) -> str:
    """A slug made from a name: its letters without accents, in lower case, joined by hyphens.

    `otherwise` where none of them can be written in ASCII.
    """
    plain = name if name.isascii() else unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = _GAPS.sub("-", _DROPPED.sub("", plain.lower())).strip("-")
    return slug[: limits.SLUG_LENGTH].strip("-") or otherwise


def short_id(uid: uuid.UUID) -> str:
    """A document's id as 22 digits of base 58."""
    pairs, rest = [], uid.int
    for _ in range(SHORT_ID_LENGTH // 2):
        rest, pair = divmod(rest, len(_PAIRS))
        pairs.append(_PAIRS[pair])
    return "".join(reversed(pairs))


def document_path(uid: uuid.UUID, title: str) -> str:
    """The path of a document's address under its title of today."""
    return f"/d/{slug_of(title, otherwise='document')}-{short_id(uid)}"


@functools.lru_cache(maxsize=10_000)
def document_url(uid: uuid.UUID | str, title: str, public_url: str) -> str:
    """The whole address of a document, on the server that the public reaches at `public_url`."""
    known = uid if isinstance(uid, uuid.UUID) else uuid.UUID(uid)
    return public_url.rstrip("/") + document_path(known, title)


def document_named(name: str) -> uuid.UUID | None:
    """The id in the last part of such an address, whatever its slug; None where there is none."""
    found = _NAMED.fullmatch(name)
    if found is None:
        return None
    number = 0
    for digit in found[1]:
        number = number * len(_DIGITS) + _VALUES[digit]
    return uuid.UUID(int=number) if number < 1 << 128 else None
