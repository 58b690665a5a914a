"""Passages that threads hang on, while the text changes under them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from documents.models import DocumentBody, Thread
from tests.documents.api.test_editing_races import at_once
from tests.documents.editing import Page, page_make
from tests.documents.world import World, statements
from tests.fixtures import ApiClient

BODY = "# Tea\n\nAlice likes tea. Bob likes coffee.\n\nCarol drinks neither.\n"
PASSAGE = "Bob likes coffee."

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client_for: Callable[..., ApiClient]) -> Page:
    """A document with one thread on a passage."""
    made = page_make(client_for, content=BODY)
    hang(made)
    return made


def hang(page: Page, quote: str = PASSAGE) -> str:
    """The id of a new thread on a passage."""
    answer = page.author.post(f"{page.path}threads/", {"body": "Really?", "quote": quote})
    thread: str = World.ok(answer, 201)["id"]
    return thread


def anchor_of(page: Page) -> dict[str, Any]:
    """Where the first thread hangs now; what it says stands there is there."""
    threads = World.ok(page.author.get(f"{page.path}threads/"))["results"]
    anchor: dict[str, Any] = threads[0]["anchor"]
    if anchor["start"] is not None:
        assert page.now()["content"][anchor["start"] : anchor["end"]] == anchor["quote_now"]
    return anchor


def write(page: Page, content: str, etag: str | None = None) -> Any:
    """The document after a new body from its newest version, or from that of `etag`."""
    etag = etag or page.author.get(page.path).headers["ETag"]
    return World.ok(page.edit(etag=etag, content=content))


def test_passage_moves_with_the_text(page: Page) -> None:
    """Text before it moves it, text in it changes it, and it is itself again once it reads as before."""
    write(page, "Above.\n\n" + BODY)
    anchor = anchor_of(page)
    assert (anchor["state"], anchor["start"]) == ("anchored", BODY.index(PASSAGE) + 8)
    write(page, BODY.replace("Bob likes coffee", "Bob likes strong coffee"))
    anchor = anchor_of(page)
    assert (anchor["state"], anchor["quote"]) == ("changed", PASSAGE)
    assert anchor["quote_now"] == "Bob likes strong coffee."
    write(page, BODY)
    assert (anchor_of(page)["state"], anchor_of(page)["start"]) == ("anchored", BODY.index(PASSAGE))


def test_passage_that_is_gone_says_so_and_comes_back_by_a_restore(page: Page) -> None:
    """The thread stays with the quote; the revision that had the passage brings its place back."""
    write(page, BODY.replace(" " + PASSAGE, ""))
    anchor = anchor_of(page)
    assert (anchor["state"], anchor["quote"], anchor["quote_now"]) == ("gone", PASSAGE, None)
    assert (anchor["start"], anchor["end"]) == (None, None)
    etag = page.author.get(page.path).headers["ETag"]
    World.ok(page.author.post(f"{page.path}revisions/1/restore/", {}, If_Match=etag))
    assert (anchor_of(page)["state"], anchor_of(page)["start"]) == ("anchored", BODY.index(PASSAGE))


def test_passage_moves_with_a_merge(page: Page) -> None:
    """Two people write from one version: it follows what came of both."""
    first = BODY.replace("# Tea\n", "# Tea and coffee\n\nA word before.\n")
    write(page, first)
    merged = write(page, BODY.replace("neither.", "neither, says Dave."), etag=page.etag)
    assert merged["merged"] is True
    anchor = anchor_of(page)
    assert (anchor["state"], anchor["start"]) == ("anchored", merged["content"].index(PASSAGE))


def test_title_alone_moves_nothing(page: Page) -> None:
    """What isn't the body costs nothing."""
    etag = page.author.get(page.path).headers["ETag"]
    World.ok(page.edit(etag=etag, title="Other"))
    assert anchor_of(page)["state"] == "anchored"


def test_edit_costs_two_more_statements_where_threads_hang(
    client_for: Callable[..., ApiClient],
) -> None:
    """A document without threads on passages costs none more; the last one that went is forgotten."""
    page = page_make(client_for, content=BODY)
    World.ok(page.author.post(f"{page.path}threads/", {"body": "About all of it."}), 201)
    write(page, BODY + "1\n")

    def edited(content: str, most: int) -> None:
        etag = page.author.get(page.path).headers["ETag"]
        with statements(most):
            World.ok(page.edit(etag=etag, content=content))

    edited(BODY + "2\n", 6)
    threads = [hang(page), hang(page, "Alice")]
    edited("Above.\n" + BODY + "3\n", 8)
    edited("Above.\n" + BODY + "4\n", 7)
    for thread in threads:
        assert page.author.delete(f"threads/{thread}/").status_code == 204
    edited(BODY + "5\n", 8)
    assert not DocumentBody.objects.get(document__uid=page.id).anchored
    edited(BODY + "6\n", 6)


@pytest.mark.django_db(transaction=True)
def test_quote_while_the_text_changes(client_for: Callable[..., ApiClient]) -> None:
    """Whichever comes first, every passage stands where its thread says that it does."""
    page = page_make(client_for, content=BODY)
    for number in range(8):
        etag = page.author.get(page.path).headers["ETag"]
        before = page.now()["content"]

        def edit(content: str = f"Line {number}.\n{before}", etag: str = etag) -> Any:
            return page.edit(etag=etag, content=content)

        def quote() -> Any:
            return page.author.post(f"{page.path}threads/", {"body": "Why?", "quote": PASSAGE})

        answers = at_once([edit, quote])
        assert [answer.status_code for answer in answers] == [200, 201]
        content = page.now()["content"]
        for thread in Thread.objects.all():
            assert content[thread.start : thread.end] == PASSAGE
