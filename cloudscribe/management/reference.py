"""The parts of the documentation that are made from code: variables of the environment, codes of errors."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator

import cloudscribe.gunicorn  # noqa: F401 (reads variables of its own)
from cloudscribe.lib.env import VARIABLES, Variable
from cloudscribe.lib.errors import DomainError, status_name

PACKAGES = ("cloudscribe.lib", "cloudscribe.jobs", "audit", "security", "accounts", "documents")
# Read by the one command that `make run` calls, when it runs.
_READ_ELSEWHERE = (
    Variable("CLOUDSCRIBE_ADMIN_EMAIL", "text", "admin@example.org", "E-mail of the first administrator."),
    Variable(
        "CLOUDSCRIBE_ADMIN_PASSWORD",
        "secret",
        "generated",
        "Password of the first administrator; a generated one is shown once, by `make run`.",
    ),
)
# The handler lifts these from a single fault to the whole answer.
_LIFTED = {
    "unknown_parameter": "A query parameter that this route doesn't have; the answer names it.",
    "unknown_property": "A property of the body that this route doesn't have; the answer names it.",
}
# Programs and scripts, not modules to import.
_NOT_MODULES = re.compile(r"\.(migrations|__main__|launch|management\.commands|supervisor)\b")


def variables() -> list[Variable]:
    """Every variable that is read, by name; the settings must have been imported."""
    return sorted(
        {**VARIABLES, **{variable.name: variable for variable in _READ_ELSEWHERE}}.values(), key=_name
    )


def _name(variable: Variable) -> str:
    return variable.name


def variables_table() -> str:
    """The configuration table of the README."""
    lines = ["| variable | kind | default | meaning |", "| --- | --- | --- | --- |"]
    for variable in variables():
        name = f"`{variable.name}`" + (" or `…_FILE`" if variable.kind == "secret" else "")
        default = variable.default or "empty"
        shown = f"`{default}`" if "<" in default or default == "*" else default
        lines.append(f"| {name} | {variable.kind} | {shown} | {variable.meaning} |")
    return "\n".join(lines)


def refusals() -> list[type[DomainError]]:
    """Every kind of refusal in the project, one class for each pair of status and code, in that order."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not _NOT_MODULES.search(module.name):
                importlib.import_module(module.name)
    found: dict[tuple[int, str], type[DomainError]] = {}
    for refusal in _below(DomainError):
        if refusal is DomainError:
            continue
        found.setdefault((refusal.status, refusal.code), refusal)
    return [found[key] for key in sorted(found)]


def _below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    """`kind` and what derives from it within the project, the general before the special."""
    yield kind
    for special in kind.__subclasses__():
        if special.__module__.startswith(PACKAGES):
            yield from _below(special)


def codes_list() -> str:
    """The body of the page of errors: a section for each status, in it a paragraph for each code."""
    parts: list[str] = []
    status = 0
    for refusal in refusals():
        if refusal.status != status:
            status = refusal.status
            parts.append(f"## {status} {status_name(status)}")
        parts += [f"### {refusal.code}", f"`{refusal.error_type}`: {refusal.title}.", _meaning(refusal)]
        if refusal.code == "invalid":
            parts += _lifted(refusal)
    return "\n\n".join(parts)


def _lifted(refusal: type[DomainError]) -> Iterable[str]:
    for code, meaning in _LIFTED.items():
        yield from (f"### {code}", f"`{refusal.error_type}`: {refusal.title}.", meaning)


def _meaning(refusal: type[DomainError]) -> str:
    return (inspect.getdoc(refusal) or "").split("\n\n", 1)[0].replace("\n", " ")


def spliced(text: str, name: str, body: str) -> str:
    """`text` with `body` between the markers of `name`; raises ValueError where they are missing."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the markers of {name} are missing")
    return f"{head}{begin}\n{body}\n{end}{tail}"
