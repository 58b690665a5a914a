"""The services of the code and the names that each one's work leads to, read from the source."""

from __future__ import annotations

import ast
import collections
import functools
import pathlib
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
APPS = ("accounts", "audit", "cloudscribe", "documents", "security")
Function = tuple[str, str]
# By what an event comes about: directly, or told to the app above that writes it.
RECORDERS = frozenset(
    {"event_along", "event_record", "events_record", "entry_row", "job_changed", "queue_changed"}
)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from (item for item in node.body if isinstance(item, ast.FunctionDef))


def _is_service(function: ast.FunctionDef) -> bool:
    return any(isinstance(item, ast.Name) and item.id == "transactional" for item in function.decorator_list)


@functools.cache
def _read() -> tuple[dict[Function, set[str]], set[Function]]:
    """Function → the names in it, methods of one name taken together; and which are services."""
    names: dict[Function, set[str]] = collections.defaultdict(set)
    found = set()
    for path in (path for app in APPS for path in sorted((ROOT / app).rglob("*.py"))):
        if "migrations" in path.parts:
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for function in _functions(ast.parse(path.read_text())):
            for node in ast.walk(function):
                if isinstance(node, ast.Name):
                    names[module, function.name].add(node.id)
                elif isinstance(node, ast.Attribute):
                    names[module, function.name].add(node.attr)
            if _is_service(function):
                found.add((module, function.name))
    return names, found


@functools.cache
def _by_name() -> dict[str, list[Function]]:
    found = collections.defaultdict(list)
    for module, name in _read()[0]:
        found[name].append((module, name))
    return found


def _meant(name: str, module: str) -> list[Function]:
    """What a name in a module may stand for.

    A private one is of the same module. One word alone (`save`, `update`) is as likely a method of Django's,
    so it leads nowhere.
    """
    if name.startswith("_"):
        return [(module, name)] if (module, name) in _read()[0] else []
    return _by_name().get(name, []) if "_" in name else []


def services() -> set[str]:
    """Every function that is a transaction of its own, with its module."""
    return {".".join(service) for service in _read()[1]}


@functools.cache
def _recording() -> set[Function]:
    """Every function that can come to write an event."""
    names, _ = _read()
    callers: dict[Function, set[Function]] = collections.defaultdict(set)
    for function, called in names.items():
        for name in called:
            for meant in _meant(name, function[0]):
                callers[meant].add(function)
    found: set[Function] = set()
    ahead = [function for function, called in names.items() if called & RECORDERS]
    while ahead:
        function = ahead.pop()
        if function not in found:
            found.add(function)
            ahead += callers[function]
    return found


def records(service: str) -> bool:
    """Whether the service can come to write an event, followed by name."""
    module, _, name = service.rpartition(".")
    return (module, name) in _recording()
