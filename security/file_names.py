"""Names of files as strangers give them, made so that no system or person is misled. Pure."""

from __future__ import annotations

import re
import unicodedata

MOST_BYTES = 255  # what file systems take, in UTF-8
_LONGEST_SUFFIX = 32
_READ = 4096  # characters, from the end: what normalises a run of marks takes time with the square of it
UNNAMED = "unnamed"

# Windows takes none of them; the slashes part paths.
_FORBIDDEN = re.compile(r'[<>:"|?*]')
# Devices of Windows, whatever follows after a dot.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)", re.IGNORECASE)
# Controls, surrogates, private ones, and formats, which turn the direction of what follows.
_DROPPED = frozenset({"Cc", "Cf", "Co", "Cs"})
# Formats that words need: Persian ones, and emoji of several parts.
_JOINERS = "\u200c\u200d"


def name_safe(name: str) -> str:
    """The name without path, controls, marks of direction and what systems refuse; NFC, 1 to 255 bytes.

    The suffix stays, of two both: what a file is never hangs on it. A safe name is left as it is.
    """
    name = unicodedata.normalize("NFC", name[-_READ:])
    # Controls first: one between two dots or before a slash would hide them.
    name = "".join(filter(_is_kept, name))
    name = re.split(r"[/\\]", name)[-1]
    name = _FORBIDDEN.sub("_", " ".join(name.split()))
    name = unicodedata.normalize("NFC", name).strip(". " + _JOINERS)
    if _RESERVED.match(name):
        name = f"_{name}"
    return _shortened(name) or UNNAMED


def _is_kept(char: str) -> bool:
    # Unassigned ones stay, since later versions of Unicode assign them; what is no character goes.
    if char in _JOINERS:
        return True
    no_character = ord(char) & 0xFFFE == 0xFFFE or "\ufdd0" <= char <= "\ufdef"
    return not no_character and unicodedata.category(char) not in _DROPPED


def _shortened(name: str) -> str:
    if len(name.encode()) <= MOST_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) >= _LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    end = dot + suffix
    kept = stem.encode()[: MOST_BYTES - len(end.encode())].decode("utf-8", "ignore")
    return kept.rstrip(". " + _JOINERS) + end
