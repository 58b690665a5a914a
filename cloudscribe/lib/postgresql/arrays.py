"""Arrays of ids as one value of a statement, however many they are.

Django would compile an expression for each id of a list, and the driver takes a millisecond to write 800 of
them; and a list that grows would be another text each time.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import BooleanField, F, Func, TextField, Value


def array_text(ids: Iterable[int]) -> str:
    """Ids as PostgreSQL's text form of an array."""
    return "{" + ",".join(map(str, ids)) + "}"


def one_of(column: str, ids: str) -> Func:
    """The condition that a column holds one of the ids, as `array_text` writes them."""
    return _OneOf(F(column), Value(ids, output_field=TextField()))


def overlapping(column: str, ids: str) -> Func:
    """The condition that a column of arrays has one of the ids in common."""
    return _Overlapping(F(column), Value(ids, output_field=TextField()))


class _OneOf(Func):
    template = "%(expressions)s::bigint[])"
    arg_joiner = " = ANY("
    output_field = BooleanField()


class _Overlapping(Func):
    template = "(%(expressions)s::bigint[])"
    arg_joiner = " && "
    output_field = BooleanField()
