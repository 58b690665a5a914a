"""documents/{id}/blame/: who wrote which line."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import caches

from documents.api import blame as api
from documents.models import RevisionPayload
from documents.selectors import blame as selectors
from tests.documents.editing import Page, page_make
from tests.documents.world import World, statements
from tests.fixtures import client_make

pytestmark = pytest.mark.django_db

FIRST = "one\ntwo\nthree\n"
SECOND = "one\nTWO\nthree\n"
THIRD = "zero\none\nTWO\nthree\nend"


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Page:
    """A document with three revisions by two people; `etag` is that of the third."""
    caches["default"].clear()
    page = page_make(client_make, content=FIRST)
    editor = page.member("editor")
    page.etag = page.edit(editor, content=SECOND).headers["ETag"]
    page.etag = page.edit(content=THIRD).headers["ETag"]
    return page


def blame(page: Page, query: str = "") -> Any:
    """What the author is told."""
    return World.ok(page.author.get(f"{page.path}blame/{query}"))


def folded(answer: Any) -> list[tuple[int, int, str, int]]:
    """Line, count, text and revision of each entry."""
    return [(row["line"], row["count"], row["text"], row["revision"]) for row in answer["lines"]]


def test_blame_names_revision_author_and_time_of_lines(page: Page) -> None:
    """Consecutive lines of one revision are one entry; texts have their ends."""
    found = blame(page)
    assert (found["revision"], found["complete"], found["next_line"]) == (3, True, None)
    assert folded(found) == [
        (1, 1, "zero\n", 3),
        (2, 1, "one\n", 1),
        (3, 1, "TWO\n", 2),
        (4, 1, "three\n", 1),
        (5, 1, "end", 3),
    ]
    revisions = {row["number"]: row for row in page.revisions()}
    for row in found["lines"]:
        revision = revisions[row["revision"]]
        assert (row["author"], row["at"]) == (revision["author"], revision["created_at"])
        assert row["exact"] is True
    assert found["lines"][0]["author"] != found["lines"][2]["author"]


def test_blame_of_an_old_revision(page: Page) -> None:
    """As it was then."""
    assert folded(blame(page, "?revision=2")) == [
        (1, 1, "one\n", 1),
        (2, 1, "TWO\n", 2),
        (3, 1, "three\n", 1),
    ]
    assert folded(blame(page, "?revision=1")) == [(1, 3, FIRST, 1)]


def test_blame_goes_on_from_the_one_before(page: Page) -> None:
    """After an edit the answer is that of a walk from scratch; a change of the title brings no lines."""
    blame(page)
    page.etag = page.edit(etag=page.etag, title="Other").headers["ETag"]
    page.etag = page.edit(etag=page.etag, content=THIRD + "\nmore\n").headers["ETag"]
    warm = blame(page)
    caches["default"].clear()
    assert blame(page) == warm
    assert folded(warm)[-1] == (5, 2, "end\nmore\n", 5)


def test_blame_keeps_line_ends_as_they_are(page: Page) -> None:
    """Only a line feed ends a line."""
    page.edit(etag=page.etag, content="a\r\nb\rc\u2028d\n")
    assert [row["text"] for row in blame(page)["lines"]] == ["a\r\nb\rc\u2028d\n"]


def test_blame_of_an_empty_body_has_no_lines(page: Page) -> None:
    """Nobody wrote nothing."""
    page.edit(etag=page.etag, content="")
    assert blame(page)["lines"] == []


def test_blame_warm_takes_four_statements(page: Page) -> None:
    """Session, user and stamps · the document · the body · the revisions that are named."""
    blame(page)
    with statements(4):
        blame(page)


def test_blame_cold_reads_the_history_by_one_cursor(page: Page) -> None:
    """The four, the cursor, and its end; however many revisions there are."""
    with statements(6):
        blame(page)


def test_blame_is_not_sent_again(page: Page) -> None:
    """304 for who has it; another name of an author is another answer."""
    answer = page.author.get(f"{page.path}blame/")
    etag = answer.headers["ETag"]
    assert page.author.get(f"{page.path}blame/", If_None_Match=etag).status_code == 304
    World.ok(page.author.patch("me/", {"name": "Another Name"}))
    assert page.author.get(f"{page.path}blame/", If_None_Match=etag).status_code == 200


def test_blame_too_long_for_one_request_goes_on_with_the_next(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, and what is not known yet is marked."""
    whole = blame(page)
    caches["default"].clear()
    monkeypatch.setattr(selectors, "_SECONDS", -1.0)
    part = blame(page)
    assert part["complete"] is False
    assert folded(part) == [(1, 5, THIRD, 3)]
    assert part["lines"][0]["exact"] is False
    monkeypatch.undo()
    assert blame(page) == whole


def test_blame_without_a_cache_is_the_same(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is no part of the answer."""
    whole = blame(page)
    monkeypatch.setattr("cloudscribe.lib.caching.redis_call", lambda _, default: default)
    assert blame(page) == whole


def test_blame_of_many_entries_comes_in_pieces(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """`next_line` says where to go on."""
    whole = blame(page)
    monkeypatch.setattr(api, "_LONGEST", 2)
    first = blame(page)
    second = blame(page, f"?line={first['next_line']}")
    third = blame(page, f"?line={second['next_line']}")
    assert first["lines"] + second["lines"] + third["lines"] == whole["lines"]
    assert third["next_line"] is None


def test_blame_with_bodies_gone_says_what_is_not_sure(page: Page) -> None:
    """Lines are the oldest kept body's; of a body that is gone there is no blame."""
    RevisionPayload.objects.filter(revision__number=1).delete()
    found = blame(page)
    assert found["complete"] is True
    assert [(row["revision"], row["exact"]) for row in found["lines"]] == [(3, True), (2, False), (3, True)]
    answer = page.author.get(f"{page.path}blame/?revision=1")
    assert (answer.status_code, answer.json()["code"]) == (410, "revision_gone")


def test_blame_viewer_reads_and_outsider_finds_nothing(page: Page) -> None:
    """As the document; what was told to one is not told to another without the right."""
    blame(page)
    assert page.member("viewer").get(f"{page.path}blame/").status_code == 200
    assert page.client_for().get(f"{page.path}blame/").status_code == 404
    World.ok(page.author.post(f"{page.path}trash/"))
    assert page.author.get(f"{page.path}blame/").status_code == 410


@pytest.mark.parametrize("query", ["revision=0", "revision=x", "line=0", "lines=1", f"revision={2**40}"])
def test_blame_bad_query_is_400(page: Page, query: str) -> None:
    """Misspelt or impossible parameters are named."""
    assert page.author.get(f"{page.path}blame/?{query}").status_code == 400


def test_blame_of_a_revision_that_never_was_is_404(page: Page) -> None:
    """No such number."""
    assert page.author.get(f"{page.path}blame/?revision=4").status_code == 404
