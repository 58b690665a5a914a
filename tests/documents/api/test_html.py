"""`documents/{id}/html/`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.documents.world import ABSENT, World, statements

BODY = "# Bread\n\nFlour & *water*\n"


def test_html_shows_body_headings_and_revision(world: World) -> None:
    """The whole answer."""
    document = world.document(content=BODY)
    assert world.ok(world.owner.get(f"documents/{document}/html/")) == {
        "html": '<h1 id="bread">Bread</h1>\n<p>Flour &amp; <em>water</em></p>\n',
        "toc": [{"level": 1, "title": "Bread", "anchor": "bread"}],
        "revision": 1,
        "plain": False,
    }


def test_html_of_one_body_is_rendered_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is the content: a second document of the same body takes what is there."""
    first, second = world.document(content=BODY), world.document(content=BODY)
    expected = world.ok(world.owner.get(f"documents/{first}/html/"))["html"]
    monkeypatch.setattr("documents.api.rendering.render_bounded", _unexpected)
    assert world.ok(world.owner.get(f"documents/{second}/html/"))["html"] == expected


def _unexpected(text: str) -> Any:
    raise AssertionError("rendered again")


def test_html_follows_an_edit(world: World) -> None:
    """Another body is another key."""
    document = world.document(content="old")
    before = world.owner.get(f"documents/{document}/html/")
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    world.ok(world.owner.patch(f"documents/{document}/", {"content": "new"}, If_Match=etag))
    after = world.owner.get(f"documents/{document}/html/")
    assert after.json()["html"] == "<p>new</p>\n"
    assert after.headers["ETag"] != before.headers["ETag"]


def test_html_that_the_client_holds_is_304(world: World) -> None:
    """ETag and If-None-Match."""
    path = f"documents/{world.document(content=BODY)}/html/"
    etag = world.owner.get(path).headers["ETag"]
    assert world.owner.get(path, If_None_Match=etag).status_code == 304


def test_html_without_redis_is_the_same(world: World, redis_gone: None) -> None:
    """The cache only saves time."""
    document = world.document(content="*a*")
    assert world.ok(world.owner.get(f"documents/{document}/html/"))["html"] == "<p><em>a</em></p>\n"


def test_html_outsider_gets_404(world: World) -> None:
    """Hidden and absent alike."""
    outsider = world.client_for()
    answers = [outsider.get(f"documents/{id_}/html/") for id_ in (world.document(), ABSENT)]
    assert [answer.status_code for answer in answers] == [404, 404]


def test_html_costs_two_statements_warm(world: World) -> None:
    """Sign-in; the document with its workspace and body."""
    path = f"documents/{world.document(content=BODY)}/html/"
    world.owner.get(path)
    with statements(2):
        world.owner.get(path)
