"""Querysets whose text is built once: for what is looked up again and again by the same few values.

Django's ORM builds the text of a query each time that it is asked, which takes it ten times as long as to run
it and to make models of its rows; and since the values stand inside the text, the server parses and plans it
anew each time. Here the text is built by Django at the first question and prepared once a connection.
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
import uuid
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

from cloudscribe.lib.postgresql.base import DatabaseWrapper

Row = TypeVar("Row")

# By kind, what stands for a value while the text is built: nothing that a query would say of itself.
_SIGNS: dict[type, Callable[[int], Any]] = {
    int: lambda number: -1_836_311_903 - number,
    str: lambda number: f"\ufdd0{number}",
    bytes: lambda number: f"\ufdd0{number}".encode(),
    uuid.UUID: lambda number: uuid.UUID(int=(0xC0 << 120) + number),
    dt.datetime: lambda number: dt.datetime(1, 1, 2, microsecond=number, tzinfo=dt.UTC),
}
_KINDS = tuple(_SIGNS)


class CompiledQuery(Generic[Row]):
    """A queryset as a function of named values, each of a kind: those of `_SIGNS`.

    For fixed questions alone, whose best plan doesn't hang on the values; a value is never None.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], **kinds: type) -> None:
        """`build` makes the queryset of the values, by their names; it is called once, when it is needed."""
        self._build = build
        self._kinds = kinds

    def first(self, **values: Any) -> Row | None:
        """The first row, in the order that the queryset asks for, if any; see `rows`."""
        return next(iter(self.rows(**values)), None)

    def rows(self, **values: Any) -> list[Row]:
        """All rows for these values, as iterating over the queryset gives them.

        Raises TypeError for other names than it was made with, ValueError for a value that isn't of its kind,
        and Django's database errors.
        """
        if values.keys() != self._kinds.keys():
            raise TypeError(f"The query takes {', '.join(self._kinds)}.")
        given = {name: _of_kind(kind, values[name]) for name, kind in self._kinds.items()}
        return self._asked.rows(given)

    @functools.cached_property
    def _asked(self) -> _Asked[Row]:
        return _Asked(self._build, self._kinds)


class _Asked(Generic[Row]):
    """The text of a queryset, and how Django makes of an answer's rows what the queryset gives."""

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], kinds: dict[str, type]) -> None:
        signs = {name: _SIGNS[kind](number) for number, (name, kind) in enumerate(kinds.items())}
        queryset: Any = build(**signs)
        if queryset._prefetch_related_lookups:  # noqa: SLF001 (they would be questions of their own)
            raise TypeError("A compiled query fetches nothing beforehand.")
        self._model = queryset.model
        # Models, tuples or single values: what Django's own iterating goes by.
        self._iterable = queryset._iterable_class  # noqa: SLF001
        self._locks: bool = queryset.query.select_for_update
        self._compiler: SQLCompiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        self._sql, self._parameters = self._compiler.as_sql()
        # Of whichever thread happened to be the first: it would hold that one's connection beyond its end.
        del self._compiler.connection
        named = {sign: name for name, sign in signs.items()}
        self._names = [_name_in(named, value) for value in self._parameters]
        if missing := signs.keys() - set(self._names):
            raise TypeError(f"The query says nothing of {', '.join(sorted(missing))}.")

    def rows(self, given: dict[str, Any]) -> list[Row]:
        database = cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])
        if self._locks and database.get_autocommit():
            raise TransactionManagementError("select_for_update cannot be used outside of a transaction.")
        placed = zip(self._names, self._parameters, strict=True)
        parameters = [value if name is None else given[name] for name, value in placed]
        found = database.prepared_rows(self._sql, parameters, alone=True)
        return list(self._iterable(_Answered(self._model, self._compiler, database, found)))


class _Answered:
    """A queryset and its query as Django's iterables see them, with the answer at hand."""

    db = DEFAULT_DB_ALIAS
    _known_related_objects: ClassVar[dict[Any, Any]] = {}

    def __init__(
        self, model: type[Model], compiler: SQLCompiler, database: DatabaseWrapper, found: Sequence[Any]
    ) -> None:
        self.model = model
        answer: Any = copy.copy(compiler)
        answer.connection, answer.execute_sql = database, lambda *_arguments, **_named: [found]
        self._compiler = answer

    @property
    def query(self) -> _Answered:
        # Kept, it would be a circle, and whatever was answered garbage.
        return self

    def get_compiler(self, using: str) -> Any:
        return self._compiler


def _name_in(named: dict[Any, str], value: Any) -> str | None:
    """Which value a parameter stands for, as Django has prepared it for the driver."""
    value = value.obj if isinstance(value, psycopg.Binary) else value
    return named.get(value) if isinstance(value, _KINDS) else None


def _of_kind(kind: type, value: Any) -> Any:
    if isinstance(value, kind) and not issubclass(kind, str):
        return value
    # A member of an enumeration is sent as what it says.
    return uuid.UUID(str(value)) if kind is uuid.UUID else kind(value)
