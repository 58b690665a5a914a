"""Read the Markdown files below a folder, and name each one that can't be taken instead of failing on it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from documents.limits import BODY_BYTES

SUFFIXES = (".md", ".markdown")
MAX_FILES = 50_000


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """What could not be followed, and why; `left_out` where a whole file stays out of the import."""

    path: str
    reason: str
    left_out: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class SourceTree:
    """Texts by their path below the root, with `/` between the parts, and what was left out."""

    files: dict[str, str]
    problems: list[Problem]


def read_tree(root: Path) -> SourceTree:
    """All Markdown files below `root` (or the one file that `root` is), in the order of their names.

    Raises NotADirectoryError or FileNotFoundError where there is nothing to read.
    """
    if root.is_file():
        base, paths = root.parent, iter([root])
    elif root.is_dir():
        base, paths = root, _markdown_files(root)
    else:
        raise FileNotFoundError(f"There is no file or folder {root}.")
    tree = SourceTree({}, [])
    for path in paths:
        shown = path.relative_to(base).as_posix()
        if len(tree.files) >= MAX_FILES:
            tree.problems.append(
                Problem(
                    _printable(shown), f"More than {MAX_FILES} files; this one and later ones are left out."
                )
            )
            break
        text, reason = _read(path, shown, base.resolve())
        if text is None:
            tree.problems.append(Problem(_printable(shown), reason))
        else:
            tree.files[shown] = text
    return tree


def _markdown_files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


def _read(path: Path, shown: str, root: Path) -> tuple[str | None, str]:
    """The text of a file, or None and the reason against it."""
    if _printable(shown) != shown:
        return None, "The name is not UTF-8."
    try:
        target = path.resolve(strict=True)
        if not target.is_relative_to(root):
            return None, "A symbolic link that leads out of the folder."
        if not target.is_file():
            return None, "Not a regular file."
        with target.open("rb") as file:
            # One byte beyond the limit tells a file that is too long, however long it is.
            data = file.read(BODY_BYTES + 1)
    except (OSError, RuntimeError) as error:
        return None, f"Can't be read: {getattr(error, 'strerror', None) or error}."
    return _decode(data)


def _decode(data: bytes) -> tuple[str | None, str]:
    if len(data) > BODY_BYTES:
        return None, f"Larger than {BODY_BYTES} bytes."
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, f"Not UTF-8 at byte {error.start}."
    if "\0" in text:
        return None, f"A NUL character at {text.index(chr(0))}."
    return text, ""


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()
