"""PATCH documents/{id}/revisions/{n}/: names of revisions."""

from __future__ import annotations

import pytest

from audit.models import Event
from documents.models import RevisionName, RevisionPayload
from tests.documents.editing import Page, page_make
from tests.documents.world import World, statements
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Page:
    """A document with three revisions."""
    page = page_make(client_make)
    page.etag = page.edit(content="second\n").headers["ETag"]
    page.etag = page.edit(content="third\n", etag=page.etag).headers["ETag"]
    return page


def name(page: Page, number: int, value: object, who: ApiClient | None = None) -> object:
    """The answer to naming a revision."""
    return (who or page.author).patch(f"{page.path}revisions/{number}/", {"name": value})


def test_name_shows_in_list_and_detail_and_in_the_trail(page: Page) -> None:
    """Given, changed and taken away; each an event, a repetition none."""
    etag = page.author.get(f"{page.path}revisions/1/").headers["ETag"]
    assert World.ok(name(page, 1, "As agreed"))["name"] == "As agreed"
    detail = page.author.get(f"{page.path}revisions/1/", If_None_Match=etag)
    assert World.ok(detail)["name"] == "As agreed"
    World.ok(name(page, 1, "As signed"))
    World.ok(name(page, 1, "As signed"))
    assert [row["name"] for row in page.revisions()] == ["", "", "As signed"]
    assert World.ok(name(page, 1, ""))["name"] == ""
    assert [row["name"] for row in page.revisions()] == ["", "", ""]
    events = Event.objects.filter(action="revision.named").order_by("sequence")
    assert [event.facts for event in events] == [{"revision": 1}] * 3
    assert [event.detail.content["changes"]["name"] for event in events] == [
        {"before": "", "after": "As agreed"},
        {"before": "As agreed", "after": "As signed"},
        {"before": "As signed", "after": ""},
    ]


def test_list_named_revisions(page: Page) -> None:
    """`named` filters; it costs no statement more, and names none a row."""
    World.ok(name(page, 1, "First"))
    World.ok(name(page, 3, "Now"))

    def numbers(query: str) -> list[int]:
        answer = World.ok(page.author.get(f"{page.path}revisions/?{query}"))
        return [row["number"] for row in answer["results"]]

    assert numbers("named=true") == [3, 1]
    assert numbers("named=false") == [2]
    assert numbers("named=true&page_size=1") == [3]
    with statements(4):
        numbers("")
    with statements(4):
        numbers("named=true")
    assert page.author.get(f"{page.path}revisions/?named=x").status_code == 400


def test_name_is_for_editors(page: Page) -> None:
    """Readers see it, strangers find nothing."""
    for role in ("viewer", "commenter"):
        assert name(page, 1, "Mine", page.member(role)).status_code == 403  # type: ignore[attr-defined]
    assert name(page, 1, "Mine", page.client_for()).status_code == 404  # type: ignore[attr-defined]
    assert not RevisionName.objects.exists()
    World.ok(name(page, 1, "Ours", page.member("editor")))


@pytest.mark.parametrize("value", [None, 3, "x" * 201, ["x"]])
def test_name_bad_is_400(page: Page, value: object) -> None:
    """No text, or too long."""
    answer = page.author.patch(f"{page.path}revisions/1/", {"name": value})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/name")


def test_name_without_a_name_or_with_more_is_400(page: Page) -> None:
    """Nothing else of a revision can be changed."""
    assert page.author.patch(f"{page.path}revisions/1/", {}).status_code == 400
    assert page.author.patch(f"{page.path}revisions/1/", {"name": "x", "note": "y"}).status_code == 400


def test_name_of_one_that_never_was_is_404(page: Page) -> None:
    """No such number."""
    assert page.author.patch(f"{page.path}revisions/4/", {"name": "x"}).status_code == 404


def test_name_whose_body_is_gone_is_410(page: Page) -> None:
    """A name keeps a body; where there is none left it would promise too much."""
    World.ok(name(page, 2, "Kept"))
    RevisionPayload.objects.filter(revision__number=1).delete()
    answer = page.author.patch(f"{page.path}revisions/1/", {"name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (410, "revision_gone")
    World.ok(name(page, 2, ""))


def test_name_in_archive_and_trash_is_refused(page: Page) -> None:
    """What takes no writes takes no names either."""
    World.ok(page.author.post(f"{page.path}archive/"))
    assert page.author.patch(f"{page.path}revisions/1/", {"name": "x"}).json()["code"] == "document_archived"
    World.ok(page.author.post(f"{page.path}unarchive/"))
    World.ok(page.author.post(f"{page.path}trash/"))
    assert page.author.patch(f"{page.path}revisions/1/", {"name": "x"}).status_code == 410


def test_purge_takes_names_along(page: Page) -> None:
    """They are the document's."""
    World.ok(name(page, 1, "First"))
    World.ok(page.author.post(f"{page.path}trash/"))
    assert page.author.delete(page.path).status_code == 204
    assert not RevisionName.objects.exists()
