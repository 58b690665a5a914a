"""PATCH documents/{id}/content/: small edits, alone and beside others'."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import Event
from documents import limits
from documents.models import Revision
from tests.documents.editing import Page, page_make
from tests.documents.world import statements
from tests.fixtures import ApiClient, client_make

BODY = "# Bread\n\nFlour, 500 g\n\n## Log\n\n- baked\n"


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Page:
    """A document with two headings and a list."""
    return page_make(client_make, content=BODY)


def operate(
    page: Page, *operations: Any, who: ApiClient | None = None, note: str | None = None, **headers: str
) -> Any:
    """The answer to operations on the first revision, or on the one that `If_Match` names."""
    body = {"operations": list(operations), **({} if note is None else {"note": note})}
    return (who or page.author).patch(f"{page.path}content/", body, **{"If_Match": page.etag, **headers})


APPEND = {"op": "append", "text": "- eaten\n"}
PREPEND = {"op": "prepend", "text": "Draft\n\n"}
REPLACE = {"op": "replace", "find": "500 g", "text": "550 g"}
INSERT = {"op": "insert_after_heading", "heading": "## Log", "text": "- bought"}


def test_operations(page: Page) -> None:
    """In their order, in one revision with its note; the answer is that of a PATCH of the document."""
    answer = operate(page, APPEND, PREPEND, REPLACE, INSERT, note="All of it")
    assert answer.status_code == 200
    body = answer.json()
    assert body["content"] == ("Draft\n\n# Bread\n\nFlour, 550 g\n\n## Log\n\n- bought\n- baked\n- eaten\n")
    assert (body["revision"], body["merged"]) == (2, False)
    assert {name: value for name, value in body.items() if name != "merged"} == page.now()
    assert answer.headers["ETag"] == page.author.get(page.path).headers["ETag"]
    assert page.revisions()[0]["note"] == "All of it"


def test_operations_are_recorded_as_an_edit(page: Page) -> None:
    """One event, with the numbers of the body's revisions."""
    operate(page, APPEND)
    event = Event.objects.filter(action="document.updated").select_related("detail").get()
    assert event.facts == {"revision": 2}
    assert event.detail.content["changes"] == {"content": {"before": 1, "after": 2}}


def test_operations_that_change_nothing(page: Page) -> None:
    """200 and no revision."""
    answer = operate(page, {"op": "replace", "find": "500 g", "text": "500 g"}, note="nothing")
    assert (answer.status_code, answer.json()["revision"]) == (200, 1)
    assert Revision.objects.count() == 1


@pytest.mark.parametrize(
    ("operation", "pointer", "code", "found", "expected"),
    [
        ({**REPLACE, "find": "Sugar"}, "/operations/1/find", "not_found", 0, 1),
        ({**REPLACE, "find": "a"}, "/operations/1/find", "wrong_count", 3, 1),
        ({**REPLACE, "count": 2}, "/operations/1/find", "wrong_count", 1, 2),
        ({**INSERT, "heading": "Salt"}, "/operations/1/heading", "not_found", 0, 1),
        ({**INSERT, "heading": "# Log"}, "/operations/1/heading", "not_found", 0, 1),
    ],
)
def test_operation_that_does_not_fit(
    page: Page, operation: dict[str, Any], pointer: str, code: str, found: int, expected: int
) -> None:
    """422 with what is to blame and how often it was found; what stood before it is not done either."""
    answer = operate(page, APPEND, operation)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "operation_not_applicable")
    assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [(pointer, code)]
    assert (problem["found"], problem["expected"]) == (found, expected)
    assert page.now()["content"] == BODY


def test_operations_whose_outcome_is_too_large(page: Page) -> None:
    """422 and nothing is written."""
    half = {"op": "append", "text": "x" * (limits.BODY_BYTES // 2)}
    answer = operate(page, half, half)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too_large")
    assert page.now()["revision"] == 1


@pytest.mark.parametrize(
    ("operation", "pointer", "code"),
    [
        ({"op": "append"}, "/operations/0/text", "required"),
        ({"op": "append", "text": ""}, "/operations/0/text", "blank"),
        ({"op": "append", "text": None}, "/operations/0/text", "null"),
        ({"op": "append", "text": 7}, "/operations/0/text", "invalid"),
        ({"op": "append", "text": ["x"]}, "/operations/0/text", "invalid"),
        ({"op": "append", "text": "x" * (limits.BODY_BYTES + 1)}, "/operations/0/text", "max_length"),
        ({**APPEND, "find": "x"}, "/operations/0/find", "not_here"),
        ({**APPEND, "count": 1}, "/operations/0/count", "not_here"),
        ({**PREPEND, "heading": "x"}, "/operations/0/heading", "not_here"),
        ({**INSERT, "find": "x"}, "/operations/0/find", "not_here"),
        ({**REPLACE, "heading": "x"}, "/operations/0/heading", "not_here"),
        ({"op": "replace", "text": "x"}, "/operations/0/find", "required"),
        ({"op": "replace", "text": "x", "find": ""}, "/operations/0/find", "blank"),
        ({**REPLACE, "find": 5}, "/operations/0/find", "invalid"),
        ({**REPLACE, "count": 0}, "/operations/0/count", "min_value"),
        ({**REPLACE, "count": -1}, "/operations/0/count", "min_value"),
        ({**REPLACE, "count": "1"}, "/operations/0/count", "invalid"),
        ({**REPLACE, "count": 1.0}, "/operations/0/count", "invalid"),
        ({**REPLACE, "count": True}, "/operations/0/count", "invalid"),
        ({**REPLACE, "count": 10**9}, "/operations/0/count", "max_value"),
        ({"op": "insert_after_heading", "text": "x"}, "/operations/0/heading", "required"),
        ({**INSERT, "heading": ""}, "/operations/0/heading", "blank"),
        ({**INSERT, "heading": "x" * (limits.HEADING_LENGTH + 1)}, "/operations/0/heading", "max_length"),
        ({**INSERT, "text": ""}, "/operations/0/text", "blank"),
        ({"op": "delete", "text": "x"}, "/operations/0/op", "invalid_choice"),
        ({"op": ["append"], "text": "x"}, "/operations/0/op", "invalid_choice"),
        ({"op": {}, "text": "x"}, "/operations/0/op", "invalid_choice"),
        ({"text": "x"}, "/operations/0/op", "required"),
        ({**APPEND, "where": 1}, "/operations/0/where", "unknown_property"),
        ("append", "/operations/0", "invalid"),
        (None, "/operations/0", "null"),
        (["append"], "/operations/0", "invalid"),
    ],
)
def test_operation_of_another_form_is_400_and_named(
    page: Page, operation: Any, pointer: str, code: str
) -> None:
    """Each fault is pointed at, and nothing is written."""
    answer = operate(page, operation)
    assert answer.status_code == 400
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [(pointer, code)]
    assert page.now()["revision"] == 1


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/operations", "required"),
        ({"operations": []}, "/operations", "empty"),
        ({"operations": None}, "/operations", "null"),
        ({"operations": APPEND}, "/operations", "not_a_list"),
        ({"operations": [APPEND] * (limits.OPERATIONS + 1)}, "/operations", "max_length"),
        ({"operations": [APPEND], "note": "x" * (limits.NOTE_LENGTH + 1)}, "/note", "max_length"),
        ({"operations": [APPEND], "content": "x"}, "/content", "unknown_property"),
        ({"operations": [APPEND], "title": "x"}, "/title", "unknown_property"),
    ],
)
def test_operations_of_another_form(page: Page, body: Any, pointer: str, code: str) -> None:
    """So is each fault around them."""
    answer = page.author.patch(f"{page.path}content/", body, If_Match=page.etag)
    assert answer.status_code == 400
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [(pointer, code)]
    assert page.now()["revision"] == 1


@pytest.mark.parametrize(
    "raw",
    [
        b'{"operations": [{"op": "append", "text": "a\\u0000b"}]}',
        b'{"operations": [{"op": "append", "text": "a\\ud800b"}]}',
        b'{"operations": [{"op": "replace", "find": "\\udfff", "text": "b"}]}',
        b'{"operations": [{"op": "append", "text": "a", "text": "b"}]}',
        b'{"operations": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"operations": [{"op": "append", "text": "caf\xe9"}]}',
        b'{"operations": [',
    ],
)
def test_operations_that_are_no_text(page: Page, raw: bytes) -> None:
    """NUL, half a letter, a property twice, a tower of brackets: nothing of it is looked at."""
    answer = page.author.call("PATCH", f"{page.path}content/", raw=raw, If_Match=page.etag)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    assert page.now()["revision"] == 1


def test_operations_by_another_type_are_415(page: Page) -> None:
    """JSON it is."""
    answer = page.author.call(
        "PATCH", f"{page.path}content/", raw=b"x", If_Match=page.etag, Content_Type="text/markdown"
    )
    assert answer.status_code == 415


# --- beside others ---
def test_operations_on_what_the_client_read(page: Page) -> None:
    """Found in the version that If-Match names, then merged: that it was doubled meanwhile is no matter."""
    page.edit(content=BODY + "\nFlour, 500 g more\n")
    answer = operate(page, REPLACE)
    assert answer.json()["content"] == BODY.replace("500", "550") + "\nFlour, 500 g more\n"
    assert answer.json()["merged"] is True
    assert page.revisions()[0]["base"] == 1
    assert page.revisions()[0]["parent"] == 2


def test_operations_where_the_merge_is_a_conflict(page: Page) -> None:
    """Two append at one place: the second's goes to the end of now."""
    operate(page, APPEND)
    answer = operate(page, {"op": "append", "text": "- praised\n"})
    assert answer.status_code == 200
    assert answer.json()["content"] == BODY + "- eaten\n- praised\n"
    assert answer.json()["merged"] is True
    assert page.revisions()[0]["base"] == 1


def test_operations_that_fit_the_text_of_now_no_more(page: Page) -> None:
    """409 as for any edit, and nothing of them is done."""
    page.edit(content=BODY.replace("500 g", "400 g"))
    answer = operate(page, APPEND, REPLACE)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "edit_conflict")
    assert problem["yours"]["content"] == BODY.replace("500", "550") + "- eaten\n"
    assert problem["current"]["content"] == BODY.replace("500 g", "400 g")
    assert page.now()["revision"] == 2
    again = operate(page, APPEND, If_Match=answer.headers["ETag"])
    assert again.json()["content"] == BODY.replace("500 g", "400 g") + "- eaten\n"


def test_operation_whose_passage_stands_elsewhere_now(page: Page) -> None:
    """409: what somebody replaced and noted elsewhere reads the same there, and is theirs."""
    theirs = BODY.replace("500 g", "400 g") + "\nUntil now it was 500 g.\n"
    page.edit(content=theirs)
    answer = operate(page, REPLACE)
    assert (answer.status_code, answer.json()["code"]) == (409, "edit_conflict")
    assert page.now()["content"] == theirs


def test_operation_whose_passage_stands_beside_others_work(page: Page) -> None:
    """Too near to be merged as words, yet there as it was read: it is replaced."""
    theirs = BODY.replace("Flour, 500 g", "Rye, 500 g of it") + "\nSalt, 10 g\n"
    page.edit(content=theirs)
    answer = operate(page, REPLACE)
    assert answer.json()["content"] == theirs.replace("500 g", "550 g")
    assert answer.json()["merged"] is True


@pytest.mark.parametrize(
    ("theirs", "operation"),
    [
        pytest.param(
            "---\na: 1\n---\n" + BODY,
            {"op": "prepend", "text": "---\nb: 1\n---\n"},
            id="front matter",
        ),
        pytest.param(
            BODY + "- sold[^1]\n\n[^1]: theirs\n",
            {"op": "append", "text": "- kept[^1]\n\n[^1]: mine\n"},
            id="footnote",
        ),
    ],
)
def test_operations_that_would_double_a_name(page: Page, theirs: str, operation: dict[str, str]) -> None:
    """409, as where the same was written by hand: both could be put in, but not be told apart."""
    page.edit(content=theirs)
    answer = operate(page, operation)
    assert (answer.status_code, answer.json()["code"]) == (409, "edit_conflict")
    assert page.now()["content"] == theirs


def test_operations_that_fit_the_text_of_now_alone(page: Page) -> None:
    """422: they were told of the version that If-Match names, and there they are not."""
    page.edit(content=BODY + "Salt\n")
    answer = operate(page, {"op": "replace", "find": "Salt", "text": "Sugar"})
    assert (answer.status_code, answer.json()["found"]) == (422, 0)
    assert page.now()["revision"] == 2


def test_operations_without_merge_are_412(page: Page) -> None:
    """`Prefer: merge=never`, however well they fit."""
    page.edit(title="Renamed")
    answer = operate(page, APPEND, Prefer="merge=never")
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert page.now()["revision"] == 2


def test_operations_redis_gone(page: Page, redis_gone: None) -> None:
    """Writes don't notice that the cache is away."""
    assert operate(page, APPEND).status_code == 200


def test_operations_statements(page: Page) -> None:
    """Six, as a PATCH of the document; one more for the version that a stale one is made on."""
    etag = operate(page, APPEND).headers["ETag"]
    with statements(6):
        assert operate(page, REPLACE, If_Match=etag).status_code == 200
    with statements(7):
        assert operate(page, INSERT).status_code == 200
