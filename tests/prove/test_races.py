"""Fifty people write one document in the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from documents.models import Revision
from tests.documents.api.test_editing_races import at_once
from tests.documents.editing import Page, page_make
from tests.fixtures import ApiClient

WRITERS = 50


@pytest.fixture
def page(transactional_db: None, client_for: Callable[..., ApiClient]) -> Page:
    """A committed document with a paragraph for each writer."""
    return page_make(client_for, content="\n\n".join(f"paragraph {n}." for n in range(WRITERS)) + "\n")


def patiently(page: Page, number: int) -> Callable[[], Any]:
    """One writer's change, sent again while the server asks to come back later."""
    body = page.now()["content"].replace(f"paragraph {number}.", f"paragraph {number}, changed.")

    def write() -> Any:
        answers = [page.edit(content=body)]
        while answers[-1].status_code == 503 and len(answers) < 20:
            answers.append(page.edit(content=body))
        return answers[-1]

    return write


def test_edit_fifty_writers_at_once_lose_nothing(page: Page) -> None:
    """All fifty changes stand, each in a revision of its own, numbered without a gap."""
    answers = at_once([patiently(page, number) for number in range(WRITERS)])
    assert [answer.status_code for answer in answers] == [200] * WRITERS
    content = page.now()["content"]
    assert all(f"paragraph {number}, changed." in content for number in range(WRITERS))
    numbers = Revision.objects.filter(document__uid=page.id).order_by("number")
    assert list(numbers.values_list("number", flat=True)) == list(range(1, WRITERS + 2))
