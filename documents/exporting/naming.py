"""Which file a document becomes: folders for what has something below it, names made of titles. Pure."""

from __future__ import annotations

import dataclasses
import posixpath
import uuid
from collections.abc import Iterable, Iterator

from documents.addresses import slug_of

SUMMARY = "SUMMARY.md"
INDEX = "README.md"
FILES = "files"
# What else the names of a folder could be taken for.
_TAKEN = ("files", "index", "readme", "summary")
_STEM_BYTES = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A document to be exported: its keys, its title and its place among its siblings."""

    pk: int
    parent: int | None
    uid: uuid.UUID
    title: str
    position: str


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A document with its file's path in the archive and how deep it stands, 0 at the top."""

    node: Node
    path: str
    depth: int


class Names:
    """Gives each file of one folder a name of its own, whatever the letters' case."""

    def __init__(self, *taken: str) -> None:
        """None is given yet; `taken` are never given."""
        self._taken = set(taken)

    def give(self, stem: str, suffix: str = "") -> str:
        """`stem` and `suffix`, with a number between them where another has that name."""
        name, number = f"{stem}{suffix}", 1
        while name.lower() in self._taken:
            number += 1
            name = f"{_shortened(stem)}-{number}{suffix}"
        self._taken.add(name.lower())
        return name


def _shortened(stem: str) -> str:
    """So that a number and a suffix still fit into a file's name, whose bytes are limited."""
    return stem.encode()[:_STEM_BYTES].decode(errors="ignore")


def entries_of(nodes: Iterable[Node]) -> list[Entry]:
    """The documents in the order of the tree; what has no parent among them stands at the top."""
    below: dict[int | None, list[Node]] = {}
    known = {node.pk: node for node in nodes}
    for node in known.values():
        below.setdefault(node.parent if node.parent in known else None, []).append(node)
    for siblings in below.values():
        siblings.sort(key=lambda node: (node.position, node.pk))
    found: list[Entry] = []
    stack = list(_placed(below.get(None, []), "", 0, below))
    while stack:
        entry, folder = stack.pop()
        found.append(entry)
        stack += _placed(below.get(entry.node.pk, []), folder, entry.depth + 1, below)
    return found


def _placed(
    siblings: list[Node], folder: str, depth: int, below: dict[int | None, list[Node]]
) -> Iterator[tuple[Entry, str]]:
    """Each with the folder of what is below it, the last one first: they are taken from a stack."""
    names = Names(*_TAKEN)
    placed = []
    for node in siblings:
        stem = names.give(slug_of(node.title, otherwise="document"))
        inside = posixpath.join(folder, stem)
        path = posixpath.join(inside, INDEX) if node.pk in below else f"{inside}.md"
        placed.append((Entry(node, path, depth), inside))
    return reversed(placed)


def summary_of(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The table of contents, as mdBook has it, piece by piece."""
    yield b"# Summary\n\n"
    for entry in entries:
        title = "".join(f"\\{sign}" if sign in "\\[]`*_<" else sign for sign in entry.node.title)
        yield f"{'  ' * entry.depth}- [{title}]({entry.path})\n".encode()
