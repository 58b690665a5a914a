"""From files to a tree of documents: what stands below what, in which order, under which title."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Iterable, Iterator

from documents.importing.linking import linked_key
from documents.importing.reading import Problem, SourceTree
from documents.importing.summary import SUMMARY_NAME, summary_entries
from documents.limits import DEPTH, TITLE_LENGTH
from documents.markdown.outline import title_of

_INDEX_STEMS = ("readme", "index")


@dataclasses.dataclass(frozen=True, slots=True)
class PlannedDocument:
    """A document to be: `key` is its file's path (a folder's ends with `/`), `parent` the key above it."""

    key: str
    parent: str | None
    title: str
    content: str


@dataclasses.dataclass(slots=True)
class _Node:
    key: str
    title: str
    content: str = ""
    parent: str | None = None
    # Where it stands among its siblings: by SUMMARY.md where one names it, else behind those, by name.
    order: tuple[int, int, str] = (1, 0, "")


def plan_documents(tree: SourceTree, *, above: int = 0) -> tuple[list[PlannedDocument], list[Problem]]:
    """The documents of a tree, parents first and siblings in order, and what could not be followed.

    `above` is how deep the document stands below which they go.
    """
    nodes = {key: _Node(key, title_of(text) or _title_from(key), text) for key, text in tree.files.items()}
    _place_by_folders(nodes)
    problems: list[Problem] = []
    for key in sorted(
        (k for k in tree.files if posixpath.basename(k) == SUMMARY_NAME), key=lambda k: (k.count("/"), k)
    ):
        problems += _place_by_summary(nodes, key)
    return _in_order(nodes, problems, above), problems


def _title_from(key: str) -> str:
    """A file's name as a title, for files without a heading; an index is named for its folder."""
    folder, name = posixpath.split(key.rstrip("/"))
    stem = posixpath.splitext(name)[0] if not key.endswith("/") else name
    if stem.lower() in _INDEX_STEMS and folder:
        stem = posixpath.basename(folder)
    return (stem.replace("_", " ").replace("-", " ").strip() or name)[:TITLE_LENGTH]


def _place_by_folders(nodes: dict[str, _Node]) -> None:
    """Files stand below their folder's index, or below an empty document named as the folder."""
    index_of: dict[str, str] = {"": ""}
    for key in sorted(nodes, key=lambda k: (_is_index(k) and -1, k)):
        folder = posixpath.dirname(key)
        if _is_index(key) and folder:
            index_of.setdefault(folder, key)
    for key in list(nodes):
        _ensure_folder(posixpath.dirname(key), index_of, nodes)
    for key, node in nodes.items():
        folder = posixpath.dirname(key.rstrip("/"))
        if index_of.get(folder) == key:
            folder = posixpath.dirname(folder)
        node.parent = index_of[folder] or None
        node.order = (0 if posixpath.basename(key) == SUMMARY_NAME else 2, 0, key.lower())


def _ensure_folder(folder: str, index_of: dict[str, str], nodes: dict[str, _Node]) -> None:
    while folder:
        if folder not in index_of:
            key = index_of[folder] = f"{folder}/"
            nodes[key] = _Node(key, _title_from(key))
        folder = posixpath.dirname(folder)


def _is_index(key: str) -> bool:
    return posixpath.splitext(posixpath.basename(key))[0].lower() in _INDEX_STEMS


def _place_by_summary(nodes: dict[str, _Node], summary: str) -> Iterator[Problem]:
    """Put the files that SUMMARY.md names where it puts them; yields what it names in vain."""
    above: list[str] = []
    placed: set[str] = {summary}
    root = nodes[summary].parent
    for number, entry in enumerate(summary_entries(nodes[summary].content)):
        del above[entry.depth :]
        if entry.target:
            found = linked_key(summary, entry.target, nodes.keys())
            key = found[0] if found else None
        else:
            key = f"{summary}#{number}"
            nodes[key] = _Node(key, entry.title[:TITLE_LENGTH] or "Untitled")
        if key is None or key in placed:
            reason = f"{entry.target!r} is {'named twice' if key else 'not there'}."
            yield Problem(summary, reason, left_out=False)
            above.append("")
            continue
        placed.add(key)
        nodes[key].parent = next((k for k in reversed(above) if k), None) or root
        nodes[key].order = (1, number, "")
        above.append(key)


def _in_order(nodes: dict[str, _Node], problems: list[Problem], above: int) -> list[PlannedDocument]:
    """Parents first; a cycle between two tables of contents, or too deep a nesting, is cut and named."""
    children: dict[str | None, list[_Node]] = {}
    for node in nodes.values():
        children.setdefault(node.parent, []).append(node)
    planned: list[PlannedDocument] = []
    seen: set[str] = set()
    stack = [(node, above + 1) for node in _sorted(children.get(None, []))]
    while stack:
        node, depth = stack.pop()
        seen.add(node.key)
        planned.append(PlannedDocument(node.key, node.parent, node.title, node.content))
        below = _sorted(children.get(node.key, []))
        if depth >= DEPTH:
            problems += [Problem(child.key, f"Nested more than {DEPTH} deep.") for child in below]
            continue
        stack += [(child, depth + 1) for child in below]
    left = {problem.path for problem in problems}
    problems += [
        Problem(key, "Its place in the tree can't be reached.") for key in nodes if key not in seen | left
    ]
    return planned


def _sorted(nodes: Iterable[_Node]) -> list[_Node]:
    # The last one first: the stack turns them round.
    return sorted(nodes, key=lambda node: node.order, reverse=True)
