"""`documents/{id}/html/` and `render/`."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from typing import Any

import pytest
from django.core.cache import caches

from cloudscribe.lib.caching import CacheAside
from documents import caching
from documents.addresses import short_id
from documents.models import Document
from documents.rendering import Rendered, bounded, render_bounded
from documents.selectors import shared
from tests.documents.api.test_editing_races import at_once
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


def test_html_leads_to_documents_whoever_reads(world: World) -> None:
    """A link to a document that the reader may not see tells what stands in the text and no more."""
    hidden = world.document("Secret plans", state="draft")
    document = world.document(content=f"[plan](cs://{hidden}#part) [none](cs://{ABSENT})")
    answers = [
        world.ok(who.get(f"documents/{document}/html/")) for who in (world.owner, world.member("viewer"))
    ]
    assert answers[0] == answers[1]
    assert f'href="/d/{short_id(uuid.UUID(hidden))}#part"' in answers[0]["html"]
    assert "secret" not in answers[0]["html"].lower()


def test_html_address_leads_to_the_document(world: World) -> None:
    """The address in the HTML finds the document under the title that it has by then."""
    target = world.document("Old title")
    html = world.ok(world.owner.get(f"documents/{world.document(content=f'[x](cs://{target})')}/html/"))[
        "html"
    ]
    path = html.partition('href="')[2].partition('"')[0]
    answer = world.owner.get(path)
    assert answer.status_code == 308
    assert answer.headers["Location"].endswith(f"/d/old-title-{short_id(uuid.UUID(target))}")


def test_html_of_a_revision_is_what_it_was(world: World) -> None:
    """By number, with an ETag of its own; the newest one by number is the same as without."""
    document = world.document(content="*old*")
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    world.ok(world.owner.patch(f"documents/{document}/", {"content": "*new*"}, If_Match=etag))
    path = f"documents/{document}/html/"
    old = world.owner.get(f"{path}?revision=1")
    assert world.ok(old) == {"html": "<p><em>old</em></p>\n", "toc": [], "revision": 1, "plain": False}
    assert world.owner.get(f"{path}?revision=1", If_None_Match=old.headers["ETag"]).status_code == 304
    now, newest = world.owner.get(path), world.owner.get(f"{path}?revision=2")
    assert now.json() == newest.json()
    assert now.headers["ETag"] == newest.headers["ETag"] != old.headers["ETag"]


@pytest.mark.parametrize(
    ("revision", "status"), [("2", 404), ("0", 400), ("-1", 400), ("x", 400), ("9" * 20, 400)]
)
def test_html_of_a_revision_that_never_was_is_refused(world: World, revision: str, status: int) -> None:
    """Which one was meant can't be known."""
    answer = world.owner.get(f"documents/{world.document()}/html/?revision={revision}")
    assert answer.status_code == status


def test_html_of_a_revision_costs_three_statements(world: World) -> None:
    """Sign-in; the document with its workspace and body; the revision with what it is rebuilt from."""
    document = world.document(content="a")
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    world.ok(world.owner.patch(f"documents/{document}/", {"content": "b"}, If_Match=etag))
    with statements(3):
        world.ok(world.owner.get(f"documents/{document}/html/?revision=1"))


class Counted:
    """Renders, and counts how often."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts: list[str] = []
        self._lock = threading.Lock()
        for module in ("documents.api.rendering", "documents.caching"):
            monkeypatch.setattr(f"{module}.render_bounded", self)

    def __call__(self, text: str, **options: Any) -> Rendered:
        """The text as HTML."""
        with self._lock:
            self.texts.append(text)
        return render_bounded(text, **options)


@pytest.mark.django_db(transaction=True)
def test_html_of_twenty_readers_at_once_is_rendered_once(
    client_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait for a text that nobody has read yet."""
    world, counted = World(client_for), Counted(monkeypatch)
    document = world.document(content=f"*a* {uuid.uuid4()}")
    found = at_once([lambda: world.owner.get(f"documents/{document}/html/")] * 20)
    assert {answer.status_code for answer in found} == {200}
    assert len({answer.content for answer in found}) == 1
    assert len(counted.texts) == 1


def test_html_is_rendered_once_by_all_processes(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """Ten that wait in one process and ten in another one, which share Redis alone."""
    processes = [_as_in_another_process(), _as_in_another_process()]
    counted, sha256 = Counted(monkeypatch), uuid.uuid4().bytes * 2

    def read(process: CacheAside[Rendered]) -> Rendered:
        return process.get((caching.RENDERER_VERSION, sha256.hex()), lambda: counted("*a*"))

    found = at_once([lambda process=process: read(process) for process in processes * 10])
    assert {one.html for one in found} == {"<p><em>a</em></p>\n"}
    assert len(counted.texts) == 1


def _as_in_another_process() -> CacheAside[Rendered]:
    return CacheAside(
        "html", lifetime=60, dump=dataclasses.asdict, check=caching._check_rendered, patience=5.0
    )


def test_html_of_an_earlier_renderer_is_not_served(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither from the cache nor as what the client has already."""
    content = f"*a* {uuid.uuid4()}"
    path, counted = f"documents/{world.document(content=content)}/html/", Counted(monkeypatch)
    before = world.owner.get(path)
    for module in ("documents.caching", "documents.api.rendering"):
        monkeypatch.setattr(f"{module}.RENDERER_VERSION", 1_000)
    after = world.owner.get(path, If_None_Match=before.headers["ETag"])
    assert after.status_code == 200
    assert counted.texts == [content, content]


def test_html_that_no_renderer_was_free_for_is_503_and_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody gets the plain text of a document that is fine."""
    path = f"documents/{world.document(content=f'*a* {uuid.uuid4()}')}/html/"
    with monkeypatch.context() as busy:
        busy.setattr(bounded, "_WAIT", 0.01)
        busy.setattr(bounded._pool, "_places", threading.BoundedSemaphore(1))
        with bounded._pool._places:
            answer = world.owner.get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert world.ok(world.owner.get(path))["html"].startswith("<p><em>a</em>")


def test_links_see_addresses_as_keys_of_their_own(world: World) -> None:
    """What they are shown is the cached HTML with ids, which the link masks."""
    target = world.document("Target")
    row = Document.objects.select_related("body").get(uid=world.document(content=f"[x](cs://{target}#a)"))
    assert f'href="cs://{target}#a"' in shared.shared_rendering(row).html


def test_render_shows_a_text_and_stores_nothing(world: World) -> None:
    """The whole answer; as the document's HTML would be."""
    counted = Document.objects.count()
    assert world.ok(world.owner.post("render/", {"content": BODY})) == {
        "html": '<h1 id="bread">Bread</h1>\n<p>Flour &amp; <em>water</em></p>\n',
        "toc": [{"level": 1, "title": "Bread", "anchor": "bread"}],
        "plain": False,
    }
    assert Document.objects.count() == counted


def test_render_neither_asks_nor_fills_the_cache(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it takes tells nobody whether there is such a document."""
    content, counted = f"*a* {uuid.uuid4()}", Counted(monkeypatch)
    world.ok(world.owner.get(f"documents/{world.document(content=content)}/html/"))
    keys = sorted(caches["default"].keys("html:*"))
    for _ in range(2):
        world.ok(world.owner.post("render/", {"content": content}))
    assert len(counted.texts) == 3
    assert sorted(caches["default"].keys("html:*")) == keys


def test_render_of_what_is_too_much_is_plain(world: World) -> None:
    """Longer than anybody renders, up to the longest body."""
    found = world.ok(world.owner.post("render/", {"content": "*a*" * 200_000}))
    assert (found["plain"], found["toc"]) == (True, [])
    assert found["html"].startswith('<pre tabindex="0">*a*')


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"content": None}, 400),
        ({"content": 1}, 400),
        ({"content": "a\0b"}, 400),
        ({"content": "a", "html": "b"}, 400),
        ({"content": "a" * 2_100_000}, 400),
        ({"content": ""}, 200),
    ],
    ids=lambda value: str(value)[:30],
)
def test_render_of_bad_input_is_refused(world: World, body: dict[str, Any], status: int) -> None:
    """By name."""
    assert world.owner.post("render/", body).status_code == status


@pytest.mark.usefixtures("own_rules")
def test_render_counts_by_its_own_limit(world: World, settings: Any) -> None:
    """Not as a write."""
    settings.RATELIMIT_ENABLE = True
    answer = world.owner.post("render/", {"content": "a"})
    assert answer.headers["RateLimit"].startswith('"render"')


def test_render_costs_one_statement(world: World) -> None:
    """Sign-in."""
    with statements(1):
        world.ok(world.owner.post("render/", {"content": BODY}))
