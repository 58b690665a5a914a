"""Entity tags and the headers that name them."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from cloudscribe.lib.conditional import (
    IfMatchAny,
    InvalidCondition,
    cache_privately,
    forbid_storing,
    if_none_match,
    make_etag,
    parse_if_match,
)


def _request(**headers: str):  # type: ignore[no-untyped-def]
    return RequestFactory().get("/", headers=headers)


def test_make_etag_is_strong_quoted_and_depends_on_every_part() -> None:
    """Equal parts give equal tags; another part or another split of the parts another one."""
    etag = make_etag("a", 1)
    assert etag == make_etag("a", 1)
    assert etag.startswith('"')
    assert etag.endswith('"')
    assert len({etag, make_etag("a", 2), make_etag("a1"), make_etag("a", "1")}) == 4


@pytest.mark.parametrize("header", ['"a"', '"x", "a"', 'W/"a"', '"x",W/"a" , "y"', "*", ' "a" '])
def test_if_none_match_finds_the_tag_by_weak_comparison(header: str) -> None:
    """Lists, weak tags and the star match (RFC 9110, section 13.1.2)."""
    assert if_none_match(_request(if_none_match=header), '"a"')


@pytest.mark.parametrize("header", ['"b"', "a", '"a', 'W/"b"', '"b" "a"', ""])
def test_if_none_match_counts_nonsense_as_not_sent(header: str) -> None:
    """The full answer is never wrong."""
    assert not if_none_match(_request(if_none_match=header), '"a"')


def test_if_none_match_without_the_header() -> None:
    """Nothing is held, the full answer is due."""
    assert not if_none_match(_request(), '"a"')


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ('"1-7.x"', ("1-7.x",)),
        ('"a", "b"', ("a", "b")),
        ('W/"a"', ()),
        ('W/"a", "b"', ("b",)),
        ('"a,b"', ("a,b",)),
    ],
)
def test_parse_if_match_reads_strong_tags_only(header: str, tags: tuple[str, ...]) -> None:
    """Weak tags never match in a write (RFC 9110, section 13.1.1)."""
    condition = parse_if_match(_request(if_match=header))
    assert condition is not None
    assert condition.tags == tags
    assert all(condition.matches(f'"{tag}"') for tag in tags)
    assert not condition.matches('"other"')


def test_parse_if_match_without_the_header() -> None:
    """The caller decides whether it is required."""
    assert parse_if_match(_request()) is None


@pytest.mark.parametrize("header", ["*", " * "])
def test_parse_if_match_refuses_the_star(header: str) -> None:
    """It would overwrite what its author never saw."""
    with pytest.raises(IfMatchAny):
        parse_if_match(_request(if_match=header))


@pytest.mark.parametrize("header", ["1-7", '"a', "", '"a" "b"', "W/a", '"a"x'])
def test_parse_if_match_refuses_nonsense(header: str) -> None:
    """A condition that can't be read must not be taken for none."""
    with pytest.raises(InvalidCondition):
        parse_if_match(_request(if_match=header))


def test_cache_privately_leaves_a_stricter_answer_alone() -> None:
    """What must not be stored stays so."""
    response = HttpResponse()
    forbid_storing(response)
    cache_privately(response)
    assert response["Cache-Control"] == "no-store"
    assert response["Vary"] == "Authorization"
