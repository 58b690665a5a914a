"""A zip of a folder that a stranger sent, unpacked into an empty folder or refused as a whole.

Nothing in it is believed: not the sizes that it tells, nor its names, nor what kind of file an entry is. Only
entries whose end on the disk can't be anything but a regular file below the folder are written.
"""

from __future__ import annotations

import dataclasses
import errno
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from documents.importing.reading import MAX_FILES, SUFFIXES
from documents.limits import DEPTH

# A whole archive and an empty one begin so; one with something in front of it is no upload of a folder.
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")

_CHUNK = 256 * 1024
# The directory is read as a whole, before a single entry is counted: two hundred bytes for each.
_DIRECTORY_BYTES = 200 * MAX_FILES
# The folder that holds everything, the deepest document's, and its index.
_DEEPEST = DEPTH + 2
_PATH_LENGTH = 800
_PART_BYTES = 255
# Text is deflated to a tenth, pictures hardly; small archives may do better.
_MOST_RATIO = 100
_RATIO_FROM = 4 * 1024 * 1024
# Texts are held in the memory, all at once.
_TEXT_SHARE = 8
_UTF_8 = 0x800
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_KINDS = frozenset({0, stat.S_IFREG, stat.S_IFDIR})
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What a broken archive makes of the library that reads it.
_BROKEN = (
    EOFError,
    IndexError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


class ArchiveRefused(Exception):
    """The archive is not unpacked; the text says why, for whoever sent it."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Entry:
    info: zipfile.ZipInfo
    parts: tuple[str, ...]


class _Directory:
    """The archive as it is opened: its directory is read at once, as long as it says that it is."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """The next bytes, a bounded number of them; without a number the end is near."""
        if size > _DIRECTORY_BYTES:
            raise ArchiveRefused("Its directory is longer than that of any folder which is taken.")
        return self._file.read(size if size >= 0 else _DIRECTORY_BYTES)


def archive_unpack(file: BinaryIO, into: Path, *, most_bytes: int) -> None:
    """Write the files of a zip into the folder `into`, which is empty, `most_bytes` of them in all at most.

    Where everything lies in one folder that one is left away; so is what is hidden, and what macOS adds.
    Raises ArchiveRefused; what was written by then is the caller's to remove. Raises OSError of the disk.
    """
    archive_size = file.seek(0, 2)
    try:
        with zipfile.ZipFile(_Directory(file)) as archive:
            entries = _without_folder(_taken(archive.infolist()))
            _write(archive, entries, into, _Room(most_bytes, archive_size))
    except _BROKEN as error:
        raise ArchiveRefused(f"The archive is broken: {str(error)[:200] or type(error).__name__}") from error
    except OSError as error:
        # A place before the file's beginning; everything else is the disk's.
        if error.errno != errno.EINVAL:
            raise
        raise ArchiveRefused("The archive is broken.") from error


def _taken(infos: list[zipfile.ZipInfo]) -> list[_Entry]:
    """The files to be written, each entry checked whether or not it is one."""
    if len(infos) > MAX_FILES:
        raise ArchiveRefused(f"More than {MAX_FILES} entries.")
    entries = []
    files: set[tuple[str, ...]] = set()
    folders: set[tuple[str, ...]] = set()
    for info in infos:
        parts = _parts(info)
        if any(part.startswith(".") for part in parts) or parts[0] == "__MACOSX":
            continue
        folders.update(parts[:length] for length in range(1, len(parts)))
        if info.is_dir():
            folders.add(parts)
            continue
        if parts in files:
            raise _refusal(info, "It is there twice.")
        files.add(parts)
        entries.append(_Entry(info, parts))
    for both in files & folders:
        raise ArchiveRefused(f"{'/'.join(both)[:200]!r}: A file and a folder at once.")
    return entries


def _parts(info: zipfile.ZipInfo) -> tuple[str, ...]:
    """The parts of an entry's path; raises ArchiveRefused for any that is not a plain file's or folder's."""
    name = _name(info)
    parts = tuple(name.removesuffix("/").split("/"))
    if "\\" in name or _CONTROL.search(name):
        raise _refusal(info, "Its name holds a backslash or a control character.")
    if name.startswith("/") or _DRIVE.match(name):
        raise _refusal(info, "Its path is not a relative one.")
    if not set(parts).isdisjoint(("", ".", "..")):
        raise _refusal(info, "Its path is not a plain one.")
    if len(parts) > _DEEPEST:
        raise _refusal(info, f"Nested more than {DEPTH} deep.")
    if len(name) > _PATH_LENGTH or any(len(part.encode()) > _PART_BYTES for part in parts):
        raise _refusal(info, "Its name is too long.")
    if stat.S_IFMT(info.external_attr >> 16) not in _KINDS:
        raise _refusal(info, "A link, a device or another thing that is no file.")
    if info.flag_bits & _ENCRYPTED:
        raise _refusal(info, "It is encrypted.")
    if info.compress_type not in _METHODS:
        raise _refusal(info, "It is compressed by a method other than deflate.")
    return parts


def _name(info: zipfile.ZipInfo) -> str:
    """An entry's name: UTF-8 also where the archive doesn't say so, as macOS writes it."""
    if info.flag_bits & _UTF_8:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode()
    except UnicodeError:
        return info.orig_filename


def _refusal(info: zipfile.ZipInfo, reason: str) -> ArchiveRefused:
    return ArchiveRefused(f"{_name(info)[:200]!r}: {reason}")


def _without_folder(entries: list[_Entry]) -> list[_Entry]:
    """The entries as they lie in the one folder that holds them all, or as they are."""
    tops = {entry.parts[0] for entry in entries}
    if len(tops) != 1 or any(len(entry.parts) == 1 for entry in entries):
        return entries
    return [_Entry(entry.info, entry.parts[1:]) for entry in entries]


class _Room:
    """What may be written yet, by the bytes that come out and those that came in."""

    def __init__(self, most_bytes: int, archive_size: int) -> None:
        self._most, self._archive = most_bytes, archive_size
        self._written = self._texts = 0

    def take(self, size: int, *, text: bool) -> None:
        """Take so much of it; raises ArchiveRefused where it is used up."""
        self._written += size
        self._texts += size if text else 0
        if self._written > self._most:
            raise ArchiveRefused(f"Unpacked it has more than {self._most} bytes.")
        if self._texts > self._most // _TEXT_SHARE:
            raise ArchiveRefused(f"Its texts have more than {self._most // _TEXT_SHARE} bytes.")
        if self._written > max(_RATIO_FROM, _MOST_RATIO * self._archive):
            raise ArchiveRefused(f"Unpacked it has more than {_MOST_RATIO} times the archive's bytes.")


def _write(archive: zipfile.ZipFile, entries: Iterable[_Entry], into: Path, room: _Room) -> None:
    for entry in entries:
        path = into.joinpath(*entry.parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        is_text = entry.parts[-1].lower().endswith(SUFFIXES)
        # The checksum is looked at where the entry ends.
        with archive.open(entry.info) as packed, path.open("xb") as file:
            while piece := packed.read(_CHUNK):
                room.take(len(piece), text=is_text)
                file.write(piece)
