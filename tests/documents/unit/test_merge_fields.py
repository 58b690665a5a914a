"""The merge of a document's fields."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from documents.merge import Conflict, FieldsMerge, Reason, merge_fields
from documents.merge.fields import merge_tags

BASE: dict[str, Any] = {"title": "T", "icon": "", "tags": ["a", "b"], "content": "one\n\ntwo\n"}


def merged(
    yours: dict[str, Any], current: dict[str, Any], *, max_tags: int = 50, max_bytes: int = 100
) -> FieldsMerge:
    """The merge of two sets of changes of BASE."""
    return merge_fields(BASE, {**BASE, **yours}, {**BASE, **current}, max_tags=max_tags, max_bytes=max_bytes)


def test_merge_different_fields_are_both_kept() -> None:
    """One changed the title, one the body and the icon."""
    result = merged({"title": "U"}, {"content": "one\n\n2\n", "icon": "x"})
    assert result.is_clean
    assert result.values == {"title": "U", "icon": "x", "tags": ["a", "b"], "content": "one\n\n2\n"}


def test_merge_one_scalar_changed_twice_conflicts() -> None:
    """Two titles: the conflict names the field and has no lines."""
    result = merged({"title": "U"}, {"title": "V"})
    assert result.conflicts == (Conflict("title", Reason.OVERLAP, "T", "U", "V"),)
    assert result.values["title"] == "V"


def test_merge_one_scalar_changed_alike_is_clean() -> None:
    """Both gave the same title."""
    assert merged({"title": "U"}, {"title": "U"}).values["title"] == "U"


def test_merge_tags_as_a_set() -> None:
    """What either added is there, what either removed is not."""
    assert merged({"tags": ["b", "c"]}, {"tags": ["a", "b", "d"]}).values["tags"] == ["b", "d", "c"]


def test_merge_more_tags_than_fit_conflicts() -> None:
    """Each side kept within the limit, both together don't."""
    result = merged({"tags": ["a", "b", "c"]}, {"tags": ["a", "b", "d"]}, max_tags=3)
    assert [conflict.field for conflict in result.conflicts] == ["tags"]
    assert result.values["tags"] == ["a", "b", "d"]


def test_merge_body_that_outgrows_the_limit_conflicts() -> None:
    """Each side kept within the size, both together don't: the whole body is the choice."""
    yours, current = "one and mine\n\ntwo\n", "one\n\ntwo and theirs\n"
    result = merged({"content": yours}, {"content": current}, max_bytes=25)
    assert result.values["content"] == current
    assert result.conflicts == (
        Conflict("content", Reason.TOO_LARGE, BASE["content"], yours, current, 1, 3, 1),
    )


_TAGS = st.lists(st.sampled_from("abcdef"), unique=True)


@given(_TAGS, _TAGS, _TAGS)
def test_merge_tags_never_loses_or_revives(base: list[str], yours: list[str], current: list[str]) -> None:
    """The set rule for any three lists, and no tag twice."""
    result = merge_tags(base, yours, current)
    assert len(set(result)) == len(result)
    wanted = (set(yours) | set(current)) - (set(base) - set(yours)) - (set(base) - set(current))
    assert set(result) == wanted
