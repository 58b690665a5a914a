"""Typed readers of environment variables that fail loudly, naming the variable.

Every read is remembered with its default and its sentence: the README's configuration table is made of it.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Callable
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable as documented: its name, kind, default as shown, and what it does."""

    name: str
    kind: str
    default: str
    meaning: str


VARIABLES: dict[str, Variable] = {}


def _read(
    name: str, kind: str, default: T, meaning: str, *, parse: Callable[[str], T], shown: str | None = None
) -> T:
    VARIABLES[name] = Variable(name, kind, str(default) if shown is None else shown, meaning)
    value = raw(name)
    if value is None:
        return default
    try:
        return parse(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not {kind}: {error}") from error


def raw(name: str) -> str | None:
    """The text of `name`, or of the file that `<name>_FILE` names; None where neither is set."""
    value = os.environ.get(name)
    if value not in (None, ""):
        return value
    file = os.environ.get(name + "_FILE")
    if not file:
        return None
    try:
        return pathlib.Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE can't be read: {error}") from error


def text(
    name: str, default: str, meaning: str, *, choices: tuple[str, ...] = (), shown: str | None = None
) -> str:
    """A string, one of `choices` where given."""

    def parse(value: str) -> str:
        if choices and value not in choices:
            raise ValueError(f"one of {', '.join(choices)} is due")
        return value

    kind = " or ".join(f"`{choice}`" for choice in choices) or "text"
    return _read(name, kind, default, meaning, parse=parse, shown=shown)


def secret(name: str, meaning: str) -> str | None:
    """A secret without a default; may come from `<name>_FILE`."""
    VARIABLES[name] = Variable(name, "secret", "none", meaning)
    return raw(name)


def boolean(name: str, default: bool, meaning: str) -> bool:  # noqa: FBT001 (read as its siblings are)
    """`true` or `false`; 1, 0, yes, no, on, off are understood too."""
    words = {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
    }

    def parse(value: str) -> bool:
        if value.lower() not in words:
            raise ValueError("true or false is due")
        return words[value.lower()]

    return _read(name, "true or false", default, meaning, parse=parse, shown=str(default).lower())


def seconds(name: str, default: float, meaning: str) -> float:
    """A positive number of seconds."""

    def parse(value: str) -> float:
        number = float(value)
        if not 0 < number < float("inf"):
            raise ValueError("a positive number is due")
        return number

    return _read(name, "seconds", default, meaning, parse=parse, shown=f"{default:.12g}")


def integer(name: str, default: int, meaning: str, *, least: int = 0) -> int:
    """A whole number of at least `least`."""

    def parse(value: str) -> int:
        number = int(value)
        if number < least:
            raise ValueError(f"at least {least} is due")
        return number

    return _read(name, "number", default, meaning, parse=parse)


def listing(name: str, default: list[str], meaning: str) -> list[str]:
    """A list, separated by commas."""
    return _read(
        name,
        "comma list",
        default,
        meaning,
        parse=lambda value: [part.strip() for part in value.split(",") if part.strip()],
        shown=",".join(default) or "empty",
    )
