"""The search vector of a document, written in the same statement as its body."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func, TextField, Value

from documents.markdown import headings_of, searchable_text
from documents.search.languages import configuration_for, spaced

# Above it the vector costs a save more than 0.2 s; a job makes it.
MAX_BYTES_IN_REQUEST = 100_000
# A vector must stay below 1 MB, or the save fails; pairs of letters make text longer.
_MAX_VECTOR_BYTES = 250_000
_MAX_HEADINGS = 20_000


class SearchVectorValue(Func):
    """`cs_search_vector(configuration, title, headings, body)`: weights A, B and D."""

    function = "cs_search_vector"
    output_field = SearchVectorField()


def search_fields(*, title: str, content: str, language: str) -> dict[str, Any]:
    """The search columns of DocumentBody, to be spread into create, bulk_create or update.

    The vector is None where the body is over 100 KB: enqueue `documents.queues.SEARCH_INDEX` then.
    """
    if len(content.encode()) > MAX_BYTES_IN_REQUEST:
        return search_columns(title="", content="", language=language) | {"search_vector": None}
    return search_columns(title=title, content=content, language=language)


def search_columns(*, title: str, content: str, language: str) -> dict[str, Any]:
    """As `search_fields`, for a body of any size: of a long one its first 250,000 bytes can be found."""
    config = configuration_for(language)
    body = _cut(searchable_text(content[:_MAX_VECTOR_BYTES]))
    headings = "\n".join(headings_of(content))[:_MAX_HEADINGS]
    texts = [
        Value(text, output_field=TextField()) for text in (config, spaced(title), spaced(headings), body)
    ]
    return {
        "search_vector": SearchVectorValue(*texts),
        "search_config": config,
        "search_length": len(title.split()) + len(body.split()),
    }


def _cut(text: str) -> str:
    return spaced(text).encode()[:_MAX_VECTOR_BYTES].decode(errors="ignore")
