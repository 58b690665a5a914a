"""A client that knows nothing but its own text and the 409 gets every conflict resolved."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from documents.models import Revision
from tests.documents.blind import insist, resolved
from tests.documents.editing import page_make
from tests.documents.edits import drawn
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db

# Of the documents that are drawn; each also has two titles that stand against each other.
_SEEDS = range(12)


def test_edit_blind_client_resolves_generated_conflicts(client_for: Callable[..., ApiClient]) -> None:
    """Whatever two people did to a document, each 409 leads to a 200 in one step, and that text stands."""
    conflicts = 0
    for seed in _SEEDS:
        base, yours, current = drawn(seed)
        chance = random.Random(seed)
        page = page_make(client_for, content=base)
        page.edit(content=current, title="Theirs", tags=["theirs"])
        answer, refused = insist(page, yours, chance, title="Mine", tags=["mine"])
        assert (answer.status_code, refused) == (200, 1)
        assert answer.json()["title"] in {"Page", "Mine", "Theirs"}
        assert page.now()["content"] == answer.json()["content"]
        conflicts += refused
    assert conflicts == len(_SEEDS)


def test_edit_blind_client_meets_another_writer_between(client_for: Callable[..., ApiClient]) -> None:
    """While it asks its person somebody writes again: a second 409 from the same place, then 200."""
    page = page_make(client_for)
    page.edit(content="one\n\ndeux\n\nthree\n")
    refused = page.edit(content="one\n\nzwei\n\nthree\n").json()
    assert page.edit(etag=refused["current"]["etag"], content="one\n\ndos\n\nthree\n").status_code == 200
    choice = random.Random(1)
    again = page.edit(etag=refused["current"]["etag"], content="one\n\nzwei\n\nthree\n")
    assert again.status_code == 409
    problem = again.json()
    assert (problem["base"]["revision"], problem["current"]["revision"]) == (2, 3)
    last = page.edit(etag=problem["current"]["etag"], **resolved(problem, choice))
    assert last.status_code == 200
    assert Revision.objects.filter(document__uid=page.id).count() in {3, 4}


@pytest.mark.parametrize("end", ["\r\n", "\r", "\u2028", "\x85"], ids=repr)
def test_edit_blind_client_keeps_line_ends(client_for: Callable[..., ApiClient], end: str) -> None:
    """Only a line feed ends a line of a hunk; what else ends lines comes through as it was."""
    base = f"one{end}two\nthree{end}four\n\nfive{end}\n"
    page = page_make(client_for, content=base)
    page.edit(content=base.replace("two", "deux"))
    problem = page.edit(content=base.replace("two", "zwei")).json()
    [hunk] = problem["conflicts"]
    lines = problem["merged"]["content"].split("\n")
    lines[hunk["merged_line"] - 1 : hunk["merged_line"] - 1 + hunk["lines"]] = [
        hunk["yours"].removesuffix("\n")
    ]
    answer = page.edit(etag=problem["current"]["etag"], content="\n".join(lines))
    assert answer.json()["content"] == base.replace("two", "zwei")
