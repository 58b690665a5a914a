"""The files beside the Markdown of a tree that its texts link to: pictures first of all."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from documents.importing.reading import SUFFIXES, Problem

_CHUNK = 1024 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the tree: `key` is its path below the root, the rest is what was read of it."""

    key: str
    path: Path
    size: int
    sha256: bytes

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.key).name


class SourceFolder:
    """The folder of a tree; each file in it is looked at once, however many texts link to it."""

    def __init__(self, root: Path, *, most_bytes: int) -> None:
        self._root = root.resolve()
        self._most = most_bytes
        self._problems: dict[str, Problem] = {}
        self.file = functools.cache(self._file)

    @property
    def problems(self) -> Iterable[Problem]:
        """What was linked to and can't be taken."""
        return self._problems.values()

    def _file(self, key: str) -> FoundFile | None:
        """The file of that key; None where there is none, or none that can be taken, which is a problem then.

        Markdown files are documents, and what is hidden stays so. Nothing outside of the folder is read,
        whatever leads there.
        """
        parts = PurePosixPath(key).parts
        if not parts or any(part.startswith(".") for part in parts) or key.lower().endswith(SUFFIXES):
            return None
        path = self._root / key
        try:
            target = path.resolve(strict=True)
            if not target.is_file():
                return None
            if not target.is_relative_to(self._root):
                self._problems[key] = Problem(key, "A symbolic link that leads out of the folder.")
                return None
            size = target.stat().st_size
            if not 0 < size <= self._most:
                reason = f"Larger than {self._most} bytes." if size else "An empty file."
                self._problems[key] = Problem(key, reason)
                return None
            return FoundFile(key, target, size, _sha256(target))
        except FileNotFoundError:
            return None
        except (OSError, RuntimeError, ValueError) as error:
            reason = f"Can't be read: {getattr(error, 'strerror', None) or error}."
            self._problems[key] = Problem(key, reason)
            return None


def _sha256(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.digest()
