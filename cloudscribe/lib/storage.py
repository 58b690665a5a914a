"""Where uploaded and made files lie; what is written is there as a whole or not at all.

A name is taken as it is given, and a second file of the same name replaces the first. Files are read in
pieces from any place, so that nothing is ever held as a whole. What a storage can't do is one of two
refusals, whichever storage it is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage

from cloudscribe.lib.errors import ServiceUnavailable, StorageFull

_PIECE = 256 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class StorageUnavailable(ServiceUnavailable):
    """The storage of files doesn't answer, or has lost the file."""

    code = "storage_unavailable"
    title = "The storage of files is not answering"
    detail = "The file can't be had at this moment. Try again."


class FileStorage(Protocol):
    """What is asked of a storage of ours, beyond Django's own."""

    def pieces(self, name: str, start: int, length: int) -> Iterator[bytes]:
        """So many bytes of a file from `start` on; raises FileNotFoundError at once where there is none."""


@contextlib.contextmanager
def storage_trouble() -> Iterator[None]:
    """What goes wrong with files within, as the refusal it is: StorageFull or StorageUnavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull from error
        raise StorageUnavailable from error


def file_exists(name: str) -> bool:
    """Whether there is a file of that name; raises StorageUnavailable."""
    with storage_trouble():
        return default_storage.exists(name)


def file_save(name: str, content: BinaryIO) -> None:
    """Store a file from its beginning, whole or not at all; raises StorageFull, StorageUnavailable."""
    content.seek(0)
    with storage_trouble():
        default_storage.save(name, File(content))


def file_remove(name: str) -> None:
    """Remove a file, if there is one; raises StorageUnavailable."""
    with storage_trouble():
        default_storage.delete(name)


def file_size(name: str) -> int:
    """How long a file is, in bytes; raises StorageUnavailable also where there is none."""
    with storage_trouble():
        return int(default_storage.size(name))


def file_pieces(name: str, start: int, length: int) -> Iterator[bytes]:
    """So many bytes of a file from `start` on, piece by piece; raises StorageUnavailable before the first."""
    with storage_trouble():
        return cast("FileStorage", default_storage).pieces(name, start, length)


def files_are_here() -> bool:
    """Whether files lie on a disk of this machine's, below MEDIA_ROOT."""
    return isinstance(default_storage, LocalStorage)


def incoming_folder() -> pathlib.Path:
    """The folder of files that are not whole yet: on the disk of the data, since /tmp may be memory."""
    folder = pathlib.Path(settings.MEDIA_ROOT) / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def temporary_file() -> BinaryIO:
    """A file without a name, which is gone as soon as it is closed, or its process ends however it does."""
    return cast("BinaryIO", tempfile.TemporaryFile(dir=incoming_folder(), buffering=_PIECE))


@contextlib.contextmanager
def temporary_folder() -> Iterator[pathlib.Path]:
    """An empty folder on the disk of the data, which is gone with all that is in it at the end.

    What a process leaves that is killed meanwhile is the sweeper's.
    """
    with tempfile.TemporaryDirectory(dir=incoming_folder(), ignore_cleanup_errors=True) as folder:
        yield pathlib.Path(folder)


def incoming_sweep(*, older_than: float) -> int:
    """Remove what crashes left in the folder of unfinished files more than so many seconds ago; how many.

    By the clock of whatever holds the files, which need not be this machine's.
    """
    removed, folder = 0, incoming_folder()
    with tempfile.TemporaryFile(dir=folder) as newest:
        border = os.fstat(newest.fileno()).st_mtime - older_than
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < border:
                _remove(path)
                removed += 1
    return removed


def _remove(path: pathlib.Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def pieces_of(file: BinaryIO, length: int) -> Iterator[bytes]:
    """The next `length` bytes of an open file, which is closed at the end; OSError where it ends before."""
    with file:
        while length > 0:
            piece = file.read(min(_PIECE, length))
            if not piece:
                raise OSError(errno.EIO, "the file is shorter than it was")
            length -= len(piece)
            yield piece


class LocalStorage(FileSystemStorage):
    """Files below MEDIA_ROOT, on the disk before anybody is told that they are stored."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself."""
        return name

    def _save(self, name: str, content: Any) -> str:
        final = pathlib.Path(self.path(name))
        part = incoming_folder() / secrets.token_hex(16)
        try:
            with part.open("xb") as file:
                for chunk in content.chunks(_PIECE):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            final.parent.mkdir(parents=True, exist_ok=True)
            part.replace(final)
        finally:
            part.unlink(missing_ok=True)
        _folder_sync(final.parent)
        return name

    def pieces(self, name: str, start: int, length: int) -> Iterator[bytes]:
        """See FileStorage."""
        file = pathlib.Path(self.path(name)).open("rb")  # noqa: SIM115 (closed by whoever reads it to the end)
        file.seek(start)
        return pieces_of(file, length)


def _folder_sync(folder: pathlib.Path) -> None:
    """Have the disk know the names in a folder, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
