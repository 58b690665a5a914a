"""Keyset pages of querysets: each starts beside a row's sort values, so that no insert moves one's place."""

from __future__ import annotations

import datetime as dt
import functools
import operator
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from cloudscribe.lib.cursors import (
    Cursor,
    InvalidCursor,
    Page,
    binding,
    cut_page,
    decode_cursor,
    encode_cursor,
)
from cloudscribe.lib.errors import FieldError, InvalidInput

__all__ = [
    "DEFAULT_PAGE_SIZE",
    "MAX_PAGE_SIZE",
    "PAGING_PARAMETERS",
    "Cursor",
    "InvalidCursor",
    "KeysetPagination",
    "Page",
    "binding_of",
    "cut_page",
    "decode_cursor",
    "encode_cursor",
    "page_links",
    "page_size_of",
]

PAGING_PARAMETERS = ("cursor", "page_size")
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200

_TYPES: dict[type[models.Field[Any, Any]], type] = {
    models.BooleanField: bool,
    models.CharField: str,
    models.DateTimeField: dt.datetime,
    models.FloatField: float,
    models.IntegerField: int,
    models.TextField: str,
    models.UUIDField: uuid.UUID,
}


def page_size_of(request: Request | HttpRequest) -> int:
    """The page size that the client asks for, else the default; raises InvalidInput beyond 1 to 200."""
    text = request.GET.get("page_size")
    if text is None:
        return DEFAULT_PAGE_SIZE
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_PAGE_SIZE:
        return int(text)
    raise InvalidInput.field("?page_size", "invalid", f"A number from 1 to {MAX_PAGE_SIZE} is due.")


def page_links(
    request: Request | HttpRequest,
    next: str | None,  # noqa: A002
    previous: str | None,
) -> dict[str, str | None]:
    """`next` and `previous` as absolute addresses, each this request's own with another cursor."""
    if next is None and previous is None:
        return {"next": None, "previous": None}
    here = request.build_absolute_uri()
    return {
        "next": next and replace_query_param(here, "cursor", next),
        "previous": previous and replace_query_param(here, "cursor", previous),
    }


def binding_of(request: Request | HttpRequest, ordering: str = "") -> str:
    """What ties the cursors of the list that the request asks for to it; see `binding`.

    Its path belongs to it: the same edge means another place in the list of another workspace.
    """
    return binding([*request.GET.items(), ("", request.path)], ordering)


class KeysetPagination(BasePagination):
    """Pages of a queryset by its view's ordering.

    The view names `ordering_choices` (public names, or a mapping of them to model fields; none may be
    null) and `default_ordering` (`"-updated_at"`); the primary key breaks ties in the same direction, but for
    `unique_orderings`, of whose values there is one a row: an index then gives their order by itself.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """The rows of the page that the request asks for; raises InvalidInput and InvalidCursor."""
        self.request = request
        ordering = ordering_of(request, view)
        columns = _columns(view, ordering)
        descending = ordering.startswith("-")
        self.bound = binding_of(request, ordering)
        size = page_size_of(request)
        cursor = _cursor_of(request, queryset, columns, self.bound)
        downwards = descending != (cursor is not None and cursor.reverse)
        if cursor is not None:
            queryset = queryset.filter(_beyond(columns, cursor.values, "lt" if downwards else "gt"))
        rows = list(queryset.order_by(*(f"-{name}" if downwards else name for name in columns))[: size + 1])
        self.page = cut_page(rows, size, cursor, lambda row: _values(row, columns))
        return self.page.rows

    def get_paginated_response(self, data: Any) -> Response:
        """The page as clients get it: `next`, `previous`, `results`."""
        return Response({**self.links(), "results": data})

    def links(self) -> dict[str, str | None]:
        """`next` and `previous` of the page just made."""
        return page_links(self.request, self._text(self.page.next), self._text(self.page.previous))

    def _text(self, edge: Cursor | None) -> str | None:
        return None if edge is None else encode_cursor(edge.values, edge.reverse, bound=self.bound)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The page's schema around that of its rows."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "Address of the next page, null on the last."},
                "previous": {**link, "description": "Address of the page before, null on the first."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """`cursor`, `page_size` and, where the view has a choice, `ordering`."""
        parameters = [
            _parameter(
                "cursor", {"type": "string"}, "Where the page starts; taken from `next` or `previous`."
            ),
            _parameter(
                "page_size",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE},
                "Rows a page.",
            ),
        ]
        names = list(getattr(view, "ordering_choices", ()))
        if names:
            values = [sign + name for name in names for sign in ("", "-")]
            shape = {"type": "string", "enum": values, "default": view.default_ordering}  # type: ignore[attr-defined]
            parameters.append(_parameter("ordering", shape, "Sort order; `-` turns it round."))
        return parameters


def ordering_of(request: Request, view: Any) -> str:
    """The ordering asked for, else the view's own; raises InvalidInput for one not on its list."""
    wanted = request.GET.get("ordering")
    default: str = getattr(view, "default_ordering", "-pk")
    if wanted is None:
        return default
    choices = getattr(view, "ordering_choices", ())
    if wanted.removeprefix("-") not in choices:
        text = f"One of {', '.join(choices)} is due, `-` in front turns it round."
        raise InvalidInput(text, errors=[FieldError("?ordering", "invalid_choice", text)])
    return wanted


def _columns(view: Any, ordering: str) -> list[str]:
    name = ordering.removeprefix("-")
    choices = getattr(view, "ordering_choices", ())
    column = choices.get(name, name) if isinstance(choices, Mapping) else name
    is_unique = column == "pk" or name in getattr(view, "unique_orderings", ())
    return [column] if is_unique else [column, "pk"]


def _cursor_of(
    request: Request, queryset: QuerySet[Any], columns: Sequence[str], bound: str
) -> Cursor | None:
    text = request.GET.get("cursor")
    if not text:
        return None
    return decode_cursor(text, [_type_of(queryset, column) for column in columns], bound=bound)


def _type_of(queryset: QuerySet[Any], column: str) -> type:
    if column == "pk":
        field: Any = queryset.model._meta.pk  # noqa: SLF001 (Django's documented model API)
    elif column in queryset.query.annotations:
        field = queryset.query.annotations[column].output_field
    else:
        field = _field(queryset.model, column)
    field = field.target_field if field.is_relation else field
    for kind, python_type in _TYPES.items():
        if isinstance(field, kind):
            return python_type
    raise ImproperlyConfigured(f"{column} of {queryset.model.__name__} can't order keyset pages")


def _field(model: Any, column: str) -> Any:
    for part in column.split("__"):
        try:
            field = model._meta.get_field(part)  # noqa: SLF001 (as above)
        except FieldDoesNotExist:
            raise ImproperlyConfigured(f"{model.__name__} has no field {part} to order by") from None
        model = getattr(field, "related_model", None)
    return field


def _beyond(columns: Sequence[str], values: Sequence[Any], side: str) -> Q:
    """Rows beyond the edge: `a <= x AND (a < x OR (a = x AND b < y))`; an index serves the first half."""
    alternatives = []
    for index, column in enumerate(columns):
        equal = dict(zip(columns[:index], values, strict=False))
        alternatives.append(Q(**equal, **{f"{column}__{side}": values[index]}))
    return Q(**{f"{columns[0]}__{side}e": values[0]}) & functools.reduce(operator.or_, alternatives)


def _values(row: Any, columns: Sequence[str]) -> tuple[Any, ...]:
    if isinstance(row, Mapping):
        return tuple(row[column] for column in columns)
    return tuple(functools.reduce(getattr, column.split("__"), row) for column in columns)


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
