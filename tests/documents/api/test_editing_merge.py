"""Stale writes: merged where both can have their way, refused with all that a client needs where not."""

from __future__ import annotations

from typing import Any

import pytest

from documents.models import Document, Revision, RevisionPayload
from tests.documents.editing import BODY, Page, page_make
from tests.fixtures import client_make

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Page:
    """A document that its author just made."""
    return page_make(client_make)


def test_merge_two_tabs_of_one_person(page: Page) -> None:
    """Two tabs of one person are two editors: both changes stand."""
    assert page.edit(content=BODY.replace("one", "ONE")).json()["merged"] is False
    answer = page.edit(content=BODY.replace("three", "THREE"))
    assert answer.status_code == 200
    assert answer.json()["merged"] is True
    assert answer.json()["content"] == "ONE\n\ntwo\n\nTHREE\n"
    assert [(row["number"], row["parent"], row["base"]) for row in page.revisions()] == [
        (3, 2, 1),
        (2, 1, 1),
        (1, None, None),
    ]


def test_merge_different_fields_of_two_people(page: Page) -> None:
    """One renames, the other writes; tags are merged as a set."""
    editor = page.member("editor")
    page.edit(title="Renamed", tags=["a", "b"])
    answer = page.edit(editor, content="new\n", tags=["c"])
    assert answer.status_code == 200
    body = answer.json()
    assert (body["title"], body["content"], body["tags"]) == ("Renamed", "new\n", ["a", "b", "c"])


def test_merge_of_what_stands_there_already_changes_nothing(page: Page) -> None:
    """A client that lost the answer and sends its write again gets 200 and no second revision."""
    page.edit(content="ONE\n")
    answer = page.edit(content="ONE\n")
    assert answer.status_code == 200
    assert answer.json()["revision"] == 2
    assert Revision.objects.count() == 2


def test_merge_across_many_revisions(page: Page) -> None:
    """The base may lie behind a keyframe and more."""
    etag = page.etag
    for number in range(25):
        etag = page.edit(etag=etag, content=BODY.replace("one", f"one {number}")).headers["ETag"]
    answer = page.edit(content=BODY.replace("three", "THREE"))
    assert answer.status_code == 200
    assert answer.json()["content"] == "one 24\n\ntwo\n\nTHREE\n"


def test_merge_never_is_412(page: Page) -> None:
    """Who prefers to merge by hand is told that the version is stale."""
    page.edit(content=BODY.replace("one", "ONE"))
    answer = page.author.patch(
        page.path, {"content": BODY.replace("three", "THREE")}, If_Match=page.etag, Prefer="merge=never"
    )
    assert answer.status_code == 412
    assert page.now()["content"] == BODY.replace("one", "ONE")


def test_merge_never_from_the_current_version_is_applied(page: Page) -> None:
    """The preference matters only where the version is stale."""
    answer = page.author.patch(page.path, {"content": "x\n"}, If_Match=page.etag, Prefer="merge=never")
    assert answer.status_code == 200


def test_merge_conflict_shows_base_yours_and_current(page: Page) -> None:
    """409, nothing written, and the whole of what a person needs to choose."""
    page.edit(content="new\n" + BODY.replace("two", "deux"), title="Titre")
    answer = page.edit(content=BODY.replace("two", "zwei"), title="Titel", tags=["mine"])
    assert answer.status_code == 409
    body = answer.json()
    assert body["code"] == "edit_conflict"
    assert body["error_type"] == "BusinessError"
    common = {"language": "en", "icon": "", "template": False}
    assert body["base"] == {**common, "revision": 1, "title": "Page", "content": BODY, "tags": []}
    assert body["yours"] == {
        **common,
        "title": "Titel",
        "content": BODY.replace("two", "zwei"),
        "tags": ["mine"],
    }
    current = "new\n" + BODY.replace("two", "deux")
    etag = body["current"].pop("etag")
    assert body["current"] == {**common, "revision": 2, "title": "Titre", "content": current, "tags": []}
    assert etag == answer.headers["ETag"]
    assert {(row["field"], row["base"], row["yours"], row["current"]) for row in body["conflicts"]} == {
        ("title", "Page", "Titel", "Titre"),
        ("content", "two\n", "zwei\n", "deux\n"),
    }
    [hunk] = [row for row in body["conflicts"] if row["field"] == "content"]
    assert (hunk["line"], hunk["lines"], hunk["reason"]) == (4, 1, "overlap")
    assert page.now()["revision"] == 2


def blindly_resolved(problem: dict[str, Any], choices: dict[str, str]) -> dict[str, Any]:
    """What a client makes of a 409 alone: the merged part, with its choice of a side in each conflict."""
    resolved = dict(problem["merged"])
    lines = resolved["content"].splitlines(keepends=True)
    for conflict in reversed(problem["conflicts"]):
        chosen = conflict[choices[conflict["field"]]]
        if conflict["field"] == "content":
            start = conflict["merged_line"] - 1
            lines[start : start + conflict["lines"]] = [chosen]
        else:
            resolved[conflict["field"]] = chosen
    return {**resolved, "content": "".join(lines)}


def test_merge_conflict_is_resolved_by_a_blind_client(page: Page) -> None:
    """The 409 alone suffices: what merged cleanly stays, the choice is made, the version is named."""
    page.edit(content="top\n" + BODY.replace("two", "deux"))
    refused = page.edit(content=BODY.replace("two", "zwei") + "\nend\n", title="Renamed").json()
    resolved = blindly_resolved(refused, {"content": "yours"})
    answer = page.edit(etag=refused["current"]["etag"], **resolved)
    assert answer.status_code == 200
    assert answer.json()["content"] == "top\none\n\nzwei\n\nthree\n\nend\n"
    assert answer.json()["title"] == "Renamed"
    assert answer.json()["merged"] is False


def test_merge_that_breaks_a_fence_is_a_conflict(page: Page) -> None:
    """Lines that would merge and Markdown that wouldn't."""
    fenced = "```\ncode\n\nmore\n```\n\nprose\n\nend\n"
    etag = page.edit(content=fenced).headers["ETag"]
    page.edit(etag=etag, content=fenced.replace("more\n```\n", "more\n"))
    answer = page.edit(etag=etag, content=fenced.replace("prose\n", "prose\n\nadded\n"))
    assert answer.status_code == 409
    assert {row["reason"] for row in answer.json()["conflicts"]} == {"structure"}


def test_merge_from_a_base_that_is_kept_no_longer_is_412(page: Page) -> None:
    """Without the base nothing can be merged, and nothing is guessed."""
    page.edit(content="ONE\n")
    RevisionPayload.objects.filter(revision__document__uid=page.id).delete()
    answer = page.edit(content=BODY.replace("three", "THREE"))
    assert answer.status_code == 412
    assert answer.json()["code"] == "base_gone"


def test_merge_outgrown_size_is_a_conflict(page: Page) -> None:
    """Each write is within 2 MB, both together aren't."""
    much, more = (sign * 99 + "\n" for sign in "xy")
    assert page.edit(content="one\n" + much * 11_000 + "\ntwo\n\nthree\n").status_code == 200
    answer = page.edit(content=BODY + more * 11_000)
    assert answer.status_code == 409
    assert {row["reason"] for row in answer.json()["conflicts"]} == {"too_large"}


def test_merge_of_a_demoted_editor_is_403(page: Page) -> None:
    """Rights are those of now, not of when the version was read."""
    editor = page.member("editor")
    assert page.edit(editor, content=BODY.replace("one", "ONE")).status_code == 200
    members = page.author.get(f"workspaces/{page.workspace}/members/").json()["results"]
    assert editor.user is not None
    [mine] = [row for row in members if row["user"] == str(editor.user.uid)]
    page.author.patch(f"workspaces/{page.workspace}/members/{mine['id']}/", {"role": "viewer"})
    assert page.edit(editor, content=BODY.replace("three", "THREE")).status_code == 403
    assert Document.objects.get(uid=page.id).revision == 2
