"""The file of a backup: a tar of its parts, with a list of them and their SHA-256 at the end.

It is written beside its place and put there when it is whole, so that what lies at that place is a backup or
isn't there. Reading believes nothing that the list doesn't say.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import io
import json
import os
import pathlib
import secrets
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import IO, Any, Self, cast

FORMAT = 1
_LIST = "backup.json"
_PIECE = 1 << 20
# What tarfile and the reading of its members raise at bytes that are no tar.
_BROKEN = (tarfile.TarError, ValueError, OverflowError)
# What file systems without hard links say to one.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


class BackupBroken(Exception):
    """The file is no whole backup; the message says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """One of a backup's files: its name with slashes, its bytes and their SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


class BackupWriter:
    """Writes a backup; leaving the block without `finish`, nothing stays."""

    def __init__(self, path: pathlib.Path) -> None:
        """Begin beside `path`; raises OSError, FileExistsError where something lies at `path`."""
        if path.exists():
            raise FileExistsError(f"{path} is there already")
        self._path = path
        descriptor, self._unfinished = _opened_beside(path)
        self._file = os.fdopen(descriptor, "wb")
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)
        self.parts: list[Part] = []

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Take away what is unfinished."""
        if self._unfinished is not None:
            self._unfinished.unlink(missing_ok=True)
        # What it still holds may be more than the disk does, which was said by then.
        with contextlib.suppress(OSError):
            self._file.close()

    def add(self, name: str, source: IO[bytes], size: int) -> None:
        """Take the next `size` bytes of `source`; raises EOFError where it has fewer."""
        digest = hashlib.sha256()
        self._tar.addfile(_member(name, size), _Hashed(source, size, digest.update))
        # Which it would keep: gigabytes, of a million files.
        cast("Any", self._tar).members.clear()
        self.parts.append(Part(name, size, digest.hexdigest()))

    def add_file(self, name: str, path: pathlib.Path) -> None:
        """Take a file as long as it is now; one that is gone by now is left out."""
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return
        with source:
            self.add(name, source, os.fstat(source.fileno()).st_size)

    def finish(self, about: Mapping[str, Any]) -> None:
        """Write the list, with what `about` says of the whole, and put the file in its place, durably."""
        listed = [dataclasses.asdict(part) for part in self.parts]
        text = json.dumps({"format": FORMAT, **about, "parts": listed}, indent=1).encode()
        self._tar.addfile(_member(_LIST, len(text)), io.BytesIO(text))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            self._put_in_place(folder)
            os.fsync(folder)
        except FileExistsError as error:
            raise FileExistsError(f"{self._path} is there already") from error
        finally:
            os.close(folder)

    def _put_in_place(self, folder: int) -> None:
        # Unlike a rename, a link doesn't replace what somebody else has put there meanwhile.
        if self._unfinished is None:
            # By a folder's descriptor, without which Python doesn't have it follow the link of /proc.
            os.link(f"/proc/self/fd/{self._file.fileno()}", self._path, src_dir_fd=folder)
            return
        try:
            os.link(self._unfinished, self._path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # The place is taken by an empty file first.
            self._path.touch(0o600, exist_ok=False)
            self._unfinished.replace(self._path)


class BackupReader:
    """Reads a backup."""

    def __init__(self, path: pathlib.Path) -> None:
        """Read the list; raises BackupBroken, and OSError where the file can't be had."""
        self._file = path.open("rb")
        try:
            self._places = dict(_places(self._file))
        except _BROKEN as error:
            raise BackupBroken(f"{path} is no backup: {error}") from error
        if _LIST not in self._places:
            raise BackupBroken(f"{path} is no whole backup: it has no list of its parts")
        try:
            self.about: dict[str, Any] = json.loads(b"".join(self._pieces(_LIST)))
            self.parts = {part["name"]: Part(**part) for part in self.about.pop("parts")}
            self.keys = {str(key) for key in self.about.get("keys", ())}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BackupBroken(f"{path}: its list can't be read") from error
        if self.about.get("format") != FORMAT:
            raise BackupBroken(f"{path} has a form that this version doesn't know")

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Close the file."""
        self._file.close()

    def check(self) -> None:
        """See that every part is there and is what the list says; raises BackupBroken."""
        for name in self.parts:
            for _ in self.pieces(name):
                pass

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a part; raises BackupBroken at their end where they aren't those that were written."""
        if name not in self.parts:
            raise BackupBroken(f"{name} is missing in the list of the backup")
        part, digest, size = self.parts[name], hashlib.sha256(), 0
        for piece in self._pieces(name):
            digest.update(piece)
            size += len(piece)
            yield piece
        if (size, digest.hexdigest()) != (part.size, part.sha256):
            raise BackupBroken(f"{name} in the backup is not what was written")

    def extract(self, name: str, target: pathlib.Path) -> None:
        """Write a part to a file that isn't there yet, its owner's alone; raises BackupBroken, OSError."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in self.pieces(name):
                file.write(piece)
            file.flush()
            os.fsync(descriptor)

    def _pieces(self, name: str) -> Iterator[bytes]:
        if name not in self._places:
            raise BackupBroken(f"{name} is missing in the backup")
        start, size = self._places[name]
        end = start + size
        while start < end:
            # Somebody else may read another part meanwhile.
            self._file.seek(start)
            piece = self._file.read(min(_PIECE, end - start))
            if not piece:
                raise BackupBroken(f"{name} in the backup is cut short")
            start += len(piece)
            yield piece


class _Hashed(io.RawIOBase):
    """So many bytes of a file, told to `update` as they are read."""

    def __init__(self, source: IO[bytes], size: int, update: Callable[[bytes], None]) -> None:
        self._source = source
        self._left = size
        self._update = update

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        piece = self._source.read(wanted)
        if len(piece) < wanted:
            raise EOFError("a file became shorter while it was read")
        self._left -= len(piece)
        self._update(piece)
        return piece


def _places(file: IO[bytes]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each plain file of a tar: its name, where its bytes begin and how many they are."""
    tar = tarfile.TarFile(fileobj=file)
    while (member := tar.next()) is not None:
        # As at writing.
        cast("Any", tar).members.clear()
        if member.type in {tarfile.REGTYPE, tarfile.AREGTYPE} and not member.issparse():
            yield member.name, (member.offset_data, member.size)


def _opened_beside(path: pathlib.Path) -> tuple[int, pathlib.Path | None]:
    """A new file in the folder, without a name where that can be: then nothing stays of a killed process.

    It holds keys and everything else: its owner's alone from the first byte on.
    """
    if hasattr(os, "O_TMPFILE") and os.access("/proc/self/fd", os.X_OK):
        with contextlib.suppress(OSError):
            return os.open(path.parent, os.O_WRONLY | os.O_TMPFILE, 0o600), None
    named = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    return os.open(named, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), named


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, time.time()
    return member
