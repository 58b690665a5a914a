"""The search vector of a document, written in the same statement as its body."""

from __future__ import annotations

from typing import Any, NamedTuple

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


class _Texts(NamedTuple):
    """What a vector is made of; `length` is the number of words, which the ranking needs."""

    config: str
    title: str
    headings: str
    body: str
    length: int


# In a prebuilt statement, with `search_parameters`; a text that is null makes the vector null.
VECTOR_SQL = """cs_search_vector(%(search_config)s::text, %(search_title)s::text, %(search_headings)s::text,
    %(search_body)s::text)"""


def search_parameters(*, title: str, content: str, language: str) -> dict[str, Any]:
    """The parameters of `VECTOR_SQL`, and `search_length`.

    `search_body` is None where the body is over 100 KB: enqueue `documents.queues.SEARCH_INDEX` then.
    """
    later = len(content.encode()) > MAX_BYTES_IN_REQUEST
    texts = _texts("", "", language) if later else _texts(title, content, language)
    return {
        "search_config": texts.config,
        "search_title": texts.title,
        "search_headings": texts.headings,
        "search_body": None if later else texts.body,
        "search_length": texts.length,
    }


def search_columns(*, title: str, content: str, language: str) -> dict[str, Any]:
    """The search columns of DocumentBody, to be spread into bulk_create or update, for a body of any size.

    Of a long one its first 250,000 bytes can be found.
    """
    texts = _texts(title, content, language)
    return {
        "search_vector": SearchVectorValue(*(Value(text, output_field=TextField()) for text in texts[:4])),
        "search_config": texts.config,
        "search_length": texts.length,
    }


def _texts(title: str, content: str, language: str) -> _Texts:
    body = _cut(searchable_text(content[:_MAX_VECTOR_BYTES]))
    headings = "\n".join(headings_of(content))[:_MAX_HEADINGS]
    length = len(title.split()) + len(body.split())
    return _Texts(configuration_for(language), spaced(title), spaced(headings), body, length)


def _cut(text: str) -> str:
    return spaced(text).encode()[:_MAX_VECTOR_BYTES].decode(errors="ignore")
