"""Several people write one document in the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from documents.models import Document, Revision
from tests.documents.api.test_operations import operate
from tests.documents.editing import BODY, Page, page_make
from tests.fixtures import ApiClient


@pytest.fixture
def page(transactional_db: None, client_for: Callable[..., ApiClient]) -> Page:
    """A committed document with a paragraph for each of many writers."""
    return page_make(client_for, content="\n\n".join(f"paragraph {number}" for number in range(60)) + "\n")


def at_once(actions: list[Callable[[], Any]]) -> list[Any]:
    """Run all actions in threads that start together; their results in order."""
    results: list[Any] = [None] * len(actions)
    start = threading.Barrier(len(actions))

    def run(index: int) -> None:
        start.wait()
        try:
            results[index] = actions[index]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def edit_of(page: Page, number: int) -> Callable[[], Any]:
    """The write of one who changes the paragraph with this number, from the first revision."""
    body = page.now()["content"].replace(f"paragraph {number}\n", f"paragraph {number} by writer {number}\n")
    return lambda: page.edit(content=body)


def test_edit_eight_writers_at_once_lose_nothing(page: Page) -> None:
    """Each changes a paragraph of its own from the same version: all stand, in revisions without a gap."""
    answers = at_once([edit_of(page, number) for number in range(8)])
    assert [answer.status_code for answer in answers] == [200] * 8
    assert sorted(answer.json()["merged"] for answer in answers) == [False] + [True] * 7
    content = page.now()["content"]
    assert all(f"by writer {number}\n" in content for number in range(8))
    numbers = (
        Revision.objects.filter(document__uid=page.id).order_by("number").values_list("number", flat=True)
    )
    assert list(numbers) == list(range(1, 10))


def test_edit_one_paragraph_by_two_at_once_lets_one_through(page: Page) -> None:
    """The second meets a conflict with what the first wrote, and never overwrites it."""
    body = page.now()["content"]
    answers = at_once(
        [
            lambda: page.edit(content=body.replace("paragraph 7\n", "mine\n")),
            lambda: page.edit(content=body.replace("paragraph 7\n", "theirs\n")),
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [won] = [answer for answer in answers if answer.status_code == 200]
    assert page.now()["content"] == won.json()["content"]


def test_edit_and_trash_at_once_end_in_the_trash(page: Page) -> None:
    """Whichever comes first, no write reaches a trashed document and the trashing succeeds."""
    edited, trashed = at_once([edit_of(page, 3), lambda: page.author.post(f"{page.path}trash/")])
    assert trashed.status_code == 200
    assert edited.status_code in {200, 410}
    document = Document.objects.get(uid=page.id)
    assert document.is_trashed
    assert document.revision == (2 if edited.status_code == 200 else 1)


def test_append_by_twenty_at_once(transactional_db: None, client_for: Callable[..., ApiClient]) -> None:
    """All from one version, each a line: all twenty stand, each once, in a history without a gap."""
    page = page_make(client_for)
    lines = [f"- line {number}\n" for number in range(20)]
    answers = at_once([lambda line=line: operate(page, {"op": "append", "text": line}) for line in lines])
    assert [answer.status_code for answer in answers] == [200] * 20
    content = page.now()["content"]
    assert content.startswith(BODY)
    assert sorted(content[len(BODY) :].splitlines(keepends=True)) == sorted(lines)
    numbers = Revision.objects.filter(document__uid=page.id).order_by("number")
    assert list(numbers.values_list("number", flat=True)) == list(range(1, 22))
