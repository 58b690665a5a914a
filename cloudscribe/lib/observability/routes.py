"""The route of a request: the pattern that matched, never the path."""

from __future__ import annotations

import functools
import re
from typing import Any

from django.contrib.admindocs.utils import remove_non_capturing_groups, replace_named_groups

UNMATCHED = "unmatched"


def route_of(request: Any) -> str:
    """The pattern that the path matched, as the schema writes it; `unmatched` where there is none."""
    match = getattr(request, "resolver_match", None)
    return UNMATCHED if match is None else pattern(match.route)


@functools.lru_cache(maxsize=2_000)
def pattern(route: str) -> str:
    """A URL pattern, by path converters or by regular expression, as `/api/v1/documents/{id}/`."""
    plain = replace_named_groups(remove_non_capturing_groups(route)).replace(r"\Z", "")
    plain = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", plain)
    return "/" + re.sub(r"[\^$?\\]", "", plain).lstrip("/")
