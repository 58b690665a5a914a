"""`/s/{secret}/`: the public page of a share link, as HTTP."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from documents.models import ShareLink
from tests.documents.sharing import PASSWORD, link_make
from tests.documents.world import World, statements
from tests.fixtures import ApiClient

NONE = "csl_" + "A" * 43


def visit(client: Client, secret: str, path: str = "") -> Any:
    """The answer to a browser."""
    return client.get(f"/s/{secret}/{path}")


def test_page_shows_the_document(world: World) -> None:
    """Text, contents and children, under headers that let nothing be kept, loaded or told."""
    top = world.document("Top", content="# Top\n\n## A\n\n## B\n\n## C\n\n<script>alert(1)</script>\n")
    world.document("Below & beyond", parent=top, content="Low")
    secret = link_make(world, top, include_children=True)["secret"]
    browser = Client()
    answer = visit(browser, secret)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert '<h1 id="top">Top</h1>' in html
    assert html.count("<h1") == 1
    assert '<a href="#b" dir="auto">B</a>' in html
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert top not in html
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    below = re.search(r'href="(/s/[^"]+/d/[^"]+/)"', html)
    assert below is not None
    child = browser.get(below[1]).content.decode()
    assert "Below &amp; beyond</h1>" in child
    assert f'href="/s/{secret}/"' in child
    assert ShareLink.objects.get().use_count == 1


def test_page_counts_a_visit_once(world: World) -> None:
    """One browser's visit is one use, of many pages; the cookie is for this link's pages and no script."""
    secret = link_make(world, world.document(content="Hi"), max_uses=1)["secret"]
    browser = Client()
    opened = visit(browser, secret)
    cookie = opened.cookies["link_visit"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (f"/s/{secret}/", True, "Lax")
    assert secret not in cookie.value
    assert visit(browser, secret).status_code == 200
    assert visit(Client(), secret).status_code == 404
    assert Client().head(f"/s/{secret}/").status_code == 404


def test_page_of_what_opens_nothing_is_one(world: World) -> None:
    """Unknown, revoked, trashed, of a key that is none: the same page, to the letter."""
    document = world.document()
    revoked, trashed = link_make(world, document), link_make(world, world.document("Gone"))
    World.ok(world.owner.delete(f"documents/{document}/links/{revoked['id']}/"), 204)
    pages = [visit(Client(), secret) for secret in (NONE, "x", revoked["secret"])]
    pages.append(visit(Client(), trashed["secret"], "d/none/"))
    pages.append(visit(Client(), trashed["secret"], "f/none/"))
    assert [page.status_code for page in pages] == [404] * 5
    assert {page.content for page in pages} == {pages[0].content}
    assert all(page.headers["Referrer-Policy"] == "no-referrer" for page in pages)
    assert ShareLink.objects.get(uid=trashed["id"]).use_count == 0


def test_page_asks_for_the_password(world: World) -> None:
    """The form comes back with a wrong one; the right one leads to the page, which asks no more."""
    link = link_make(world, world.document("Plan", content="Secret plan"), password=PASSWORD)
    browser, path = Client(), f"/s/{link['secret']}/"
    asked = browser.get(path)
    assert asked.status_code == 401
    assert "Secret plan" not in asked.content.decode()
    assert "Plan" not in asked.content.decode()
    wrong = browser.post(path, {"password": "wrong"})
    assert (wrong.status_code, "The password is wrong." in wrong.content.decode()) == (401, True)
    right = browser.post(path, {"password": PASSWORD})
    assert (right.status_code, right.headers["Location"]) == (303, path)
    assert "Secret plan" in browser.get(path).content.decode()
    assert ShareLink.objects.get().use_count == 1
    patch = f"documents/{_document(world)}/links/{link['id']}/"
    World.ok(world.owner.patch(patch, {"password": "another one"}))
    assert browser.get(path).status_code == 401


def test_page_limits_guesses(world: World) -> None:
    """Beyond ten wrong ones the form says how long to wait."""
    link = link_make(world, world.document(), password=PASSWORD)
    path = f"/s/{link['secret']}/"
    World.ok(Client().post(path, {"password": PASSWORD}), 303)
    answers = [Client().post(path, {"password": f"guess {number}"}) for number in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 60
    assert "Too many wrong passwords" in answers[-1].content.decode()


def test_page_leads_only_where_the_link_reaches(world: World) -> None:
    """Links to what is shared lead to its page, others are plain text."""
    beside, top = world.document("Beside"), world.document("Top")
    child = world.document("Child", parent=top)
    etag = world.owner.get(f"documents/{top}/").headers["ETag"]
    text = f"[in](cs://{child}) [out](cs://{beside})"
    World.ok(world.owner.patch(f"documents/{top}/", {"content": text}, If_Match=etag))
    secret = link_make(world, top, include_children=True)["secret"]
    html = visit(Client(), secret).content.decode()
    assert re.search(rf'<a href="/s/{secret}/d/[\w-]{{43}}/"[^>]*>in</a>', html)
    assert re.search(r"<a rel=[^>]*>out</a>", html)
    assert beside not in html
    assert child not in html


def _talk(world: World, document: str, secret: str) -> dict[str, Any]:
    """What a link's page has below the text, after a member's thread on a passage that a guest answered."""
    told = {"body": f"See cs://{document} <b>", "quote": "likes tea"}
    thread: dict[str, Any] = World.ok(world.owner.post(f"documents/{document}/threads/", told), 201)
    guest = ApiClient()
    key = World.ok(guest.get(f"shared/{secret}/threads/"))["results"][0]["key"]
    said = {"body": "Yes.\nReally.", "name": "Guest <i>"}
    World.ok(guest.post(f"shared/{secret}/threads/{key}/comments/", said), 201)
    return thread


def test_page_shows_threads_by_a_link_for_commenting(world: World) -> None:
    """Passage, names and words, as text and without ids; what is settled stands apart.

    Four statements more than without: threads, their comments, who is named, reactions.
    """
    document = world.document("Tea", content="Alice likes tea.")
    secret = link_make(world, document, role="commenter")["secret"]
    thread, browser = _talk(world, document, secret), Client()
    visit(browser, secret)
    with statements(8):
        html = visit(browser, secret).content.decode()
    assert '<blockquote dir="auto">likes tea</blockquote>' in html
    assert re.search(r"See cs://[\w-]{43} &lt;b&gt;</p>", html)
    assert '<b dir="auto">Guest &lt;i&gt;</b>, guest, <time datetime=' in html
    assert "Yes.\nReally.</p>" in html
    assert "<details><summary>Settled" not in html
    assert document not in html
    assert thread["id"] not in html
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{document}/", {"content": "Bread."}, If_Match=etag))
    World.ok(world.owner.post(f"threads/{thread['id']}/resolve/"))
    World.ok(world.owner.delete(f"comments/{thread['comments'][0]['id']}/"), 204)
    html = visit(browser, secret).content.decode()
    assert "<details><summary>Settled (1)</summary>" in html
    assert "This passage is no longer in the text." in html
    assert "This comment was removed." in html


def test_page_shows_no_threads_by_a_link_for_reading(world: World) -> None:
    """Nor that there are any."""
    document = world.document("Tea", content="Alice likes tea.")
    _talk(world, document, link_make(world, document, role="commenter")["secret"])
    html = visit(Client(), link_make(world, document)["secret"]).content.decode()
    assert "Alice likes tea." in html
    assert "Comments" not in html
    assert "Guest" not in html


def test_page_logs_no_secret(world: World, capfd: Any) -> None:
    """Neither the line of a request nor one about a refusal tells the path."""
    secret = link_make(world, world.document(), password=PASSWORD)["secret"]
    for path in (f"/s/{secret}/", f"/s/{secret}/d/none/", f"/s/{secret}x/", f"/api/v1/shared/{secret}/"):
        assert Client().get(path).status_code in {401, 404}
    Client().post(f"/s/{secret}/", {"password": "guess-my-word"})
    told = "".join(capfd.readouterr())
    assert "/s/{secret}/" in told
    assert secret not in told
    assert "guess-my-word" not in told


def test_page_takes_a_fixed_number_of_statements(world: World) -> None:
    """Link, document, children, files, and the use in one; of a page below also what stands above it."""
    top = world.document("Top", content="Hi")
    for number in range(3):
        world.document(f"Child {number}", parent=top)
    secret = link_make(world, top, include_children=True)["secret"]
    browser = Client()
    visit(browser, secret)
    with statements(4):
        assert visit(browser, secret).status_code == 200


def _document(world: World) -> str:
    return str(World.ok(world.owner.get("documents/"))["results"][0]["id"])
