"""Filters of lists: django-filter's, with refusals that name the parameter."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from cloudscribe.lib.errors import FieldError, InvalidInput


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    """Apply the view's `filterset_class`; its names (`field`, `field__op`) are all that the list takes.

    Names that it doesn't have never get here: the viewset refuses them as unknown parameters.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        """The filtered queryset; raises InvalidInput that names each parameter at fault."""
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise InvalidInput(errors=_faults(filterset))
        filtered: QuerySet[Any] = filterset.qs
        return filtered


def _faults(filterset: Any) -> list[FieldError]:
    return [
        FieldError(f"?{name}", str(fault.code or "invalid"), " ".join(fault.messages))
        for name, faults in filterset.errors.as_data().items()
        for fault in faults
    ]
