"""`/d/{slug}-{short id}`: the address of a document that people pass on."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

import pytest

from documents.addresses import document_path, short_id
from tests.documents.world import ABSENT, World, statements


def test_address_answers_as_the_document_does(world: World) -> None:
    """The same body and ETag, which a client that holds it is not sent again."""
    page = world.document("Crème brûlée", content="# Burn\n")
    here = world.owner.get(f"documents/{page}/")
    path = urlsplit(here.json()["url"]).path
    assert (
        path
        == document_path(uuid.UUID(page), "Crème brûlée")
        == f"/d/creme-brulee-{short_id(uuid.UUID(page))}"
    )
    answer = world.owner.get(path)
    assert World.ok(answer) == here.json()
    assert answer.headers["ETag"] == here.headers["ETag"]
    assert answer.headers["Content-Location"] == f"/api/v1/documents/{page}/"
    assert world.owner.get(path, If_None_Match=here.headers["ETag"]).status_code == 304
    with statements(2):
        world.owner.get(path)


def test_address_under_an_old_title_leads_on(world: World) -> None:
    """308 to the one of today, from any slug or none, kept by no cache of others."""
    page = world.document("Old")
    old = urlsplit(World.ok(world.owner.get(f"documents/{page}/"))["url"]).path
    etag = world.owner.get(f"documents/{page}/").headers["ETag"]
    new = World.ok(world.owner.patch(f"documents/{page}/", {"title": "New"}, If_Match=etag))["url"]
    for path in (old, f"/d/{short_id(uuid.UUID(page))}", f"/d/what-ever-{short_id(uuid.UUID(page))}"):
        answer = world.owner.get(path)
        assert (answer.status_code, urlsplit(answer.headers["Location"]).path) == (308, urlsplit(new).path)
        assert "private" in answer.headers["Cache-Control"]
        assert world.owner.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("name", ["x", "page-0000000000000000000000", "zzzzzzzzzzzzzzzzzzzzzz", "д"])
def test_address_of_nothing(world: World, name: str) -> None:
    """Whatever is no address is as absent as what one may not see: a title of then tells nothing."""
    assert world.owner.get(f"/d/{name}").status_code == 404
    hidden = world.document("Hidden", state="draft")
    outsider = world.client_for()
    answers = [
        outsider.get(document_path(uuid.UUID(uid), title))
        for uid, title in ((hidden, "Hidden"), (hidden, "Wrong"), (ABSENT, "Hidden"))
    ]
    bodies = [{**answer.json(), "instance": "", "request_id": ""} for answer in answers]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["status"] == 404


def test_address_needs_a_sign_in(world: World) -> None:
    """Only who is signed in is told anything."""
    page = world.document("Page")
    world.owner.token, token = None, world.owner.token
    assert world.owner.get(document_path(uuid.UUID(page), "Page")).status_code == 401
    world.owner.token = token


def test_url_by_itself(world: World) -> None:
    """It can be asked for like any other field."""
    page = world.document("Page")
    found = World.ok(world.owner.get(f"documents/{page}/?fields=url"))
    assert found.keys() == {"id", "revision", "url"}
