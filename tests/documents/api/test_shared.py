"""`shared/{secret}/`: what a share link opens, and that it is all that it opens."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import connection

from audit.models import Event
from documents.checks import check_visits
from documents.link_secrets import LinkNames
from documents.models import LinkVisit, ShareLink
from documents.services.link_visits import link_visits_purge
from tests.documents.sharing import PASSWORD, keys, link_make, shared
from tests.documents.uploading import upload
from tests.documents.world import World, statements
from tests.fixtures import ApiClient

NONE = "csl_" + "A" * 43


def test_shared_document_is_shown_without_an_account(world: World) -> None:
    """Title, text, HTML and nothing that tells of people, ids, revisions or the rest of the workspace."""
    document = world.document("Plan", content="# Plan\n\nWe *go*.\n", tags=["secret-tag"])
    link = link_make(world, document)
    answer = shared(link["secret"])
    assert World.ok(answer) == {
        "title": "Plan",
        "content": "# Plan\n\nWe *go*.\n",
        "html": '<h1 id="plan">Plan</h1>\n<p>We <em>go</em>.</p>\n',
        "toc": [{"level": 1, "title": "Plan", "anchor": "plan"}],
        "language": "en",
        "icon": "",
        "role": "viewer",
        "children": [],
        "files": [],
    }
    told = str(answer.headers) + answer.content.decode()
    assert document not in told
    assert world.workspace not in told
    assert "@" not in told
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert '"1-' not in answer.headers["ETag"]


def test_shared_secrets_that_open_nothing(world: World) -> None:
    """Unknown, malformed, revoked and of another route: one answer."""
    link = link_make(world, world.document())
    World.ok(world.owner.delete(f"documents/{world.document()}/links/"), 204)
    bodies = []
    for secret in (NONE, "x", link["secret"][:-1], link["secret"] + "A", link["secret"].swapcase()):
        answer = shared(secret)
        assert answer.status_code == 404, secret
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        body = answer.json()
        bodies.append({name: body[name] for name in body if name not in {"instance", "request_id"}})
    assert all(body == bodies[0] for body in bodies)


def test_shared_tree_is_cut_by_inheritance(world: World) -> None:
    """With children the link shows what inherits from the document: no cut, no draft, nothing from beside."""
    top, beside = world.document("Top"), world.document("Beside")
    child = world.document("Child", parent=top)
    leaf = world.document("Leaf", parent=child)
    world.document("Draft", parent=top, state="draft")
    cut = world.document("Cut", parent=top)
    World.ok(world.owner.patch(f"documents/{cut}/", {"inherits_access": False}))
    gone = world.document("Gone", parent=top)
    World.ok(world.act(gone, "trash"))
    old = world.document("Old", parent=top)
    World.ok(world.act(old, "archive"))
    world.document("Form", parent=top, template=True)
    secret = link_make(world, top, include_children=True)["secret"]
    found = keys(shared(secret))
    assert list(found) == ["Child"]
    below = shared(secret, f"documents/{found['Child']}/")
    assert list(keys(below)) == ["Leaf"]
    assert World.ok(shared(secret, f"documents/{keys(below)['Leaf']}/"))["title"] == "Leaf"
    names = LinkNames(secret)
    for hidden in (beside, cut, gone):
        assert shared(secret, f"documents/{names.document_key(uuid.UUID(hidden))}/").status_code == 404
    assert World.ok(shared(secret, f"documents/{names.document_key(uuid.UUID(old))}/"))["title"] == "Old"
    assert shared(secret, f"documents/{leaf}/").status_code == 404


def test_shared_document_alone_opens_no_child(world: World) -> None:
    """Without the flag what stands below is absent, by any key."""
    top = world.document("Top")
    child = world.document("Child", parent=top)
    secret = link_make(world, top)["secret"]
    assert World.ok(shared(secret))["children"] == []
    key = LinkNames(secret).document_key(uuid.UUID(child))
    assert shared(secret, f"documents/{key}/").status_code == 404
    assert shared(secret, f"documents/{key}/content/").status_code == 404


def test_shared_children_added_and_cut_later(world: World) -> None:
    """What is put below appears; what is cut off, moved away or made a draft goes, on the next request."""
    top = world.document("Top")
    secret = link_make(world, top, include_children=True)["secret"]
    late, moved, drafted = (world.document(title, parent=top) for title in ("Late", "Moved", "Drafted"))
    assert list(keys(shared(secret))) == ["Late", "Moved", "Drafted"]
    World.ok(world.owner.patch(f"documents/{late}/", {"inherits_access": False}))
    World.ok(world.act(moved, "move", parent=None))
    World.ok(world.act(drafted, "unpublish"))
    assert keys(shared(secret)) == {}


def test_shared_keys_are_of_one_link(world: World) -> None:
    """The keys of one link say nothing to another link of the same document."""
    top = world.document("Top")
    world.document("Child", parent=top)
    one, two = (link_make(world, top, include_children=True)["secret"] for _ in "ab")
    key = keys(shared(one))["Child"]
    assert key != keys(shared(two))["Child"]
    assert key == keys(shared(one))["Child"]
    assert shared(two, f"documents/{key}/").status_code == 404
    assert shared(one, f"documents/{key[:-1]}!/").status_code == 404


def test_shared_text_holds_keys_in_place_of_ids(world: World) -> None:
    """Links between documents lead on by keys where the link reaches, and tell no id where it doesn't."""
    beside = world.document("Beside")
    top = world.document("Top")
    child = world.document("Child", parent=top)
    text = f"[in](cs://{child}#part) [out](cs://{beside}) `cs://{child.upper()}`\n"
    etag = world.owner.get(f"documents/{top}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{top}/", {"content": text}, If_Match=etag))
    secret = link_make(world, top, include_children=True)["secret"]
    answer = shared(secret)
    told = answer.content.decode().lower()
    assert child not in told
    assert beside not in told
    assert f"cs://{keys(answer)['Child']}#part" in World.ok(answer)["content"]
    markdown = shared(secret, "content/").content.decode()
    assert markdown == World.ok(answer)["content"]


def test_shared_content_by_accept(world: World) -> None:
    """Markdown unless something else is asked for."""
    secret = link_make(world, world.document(content="*Hi*\n"))["secret"]
    for accept, kind, body in [
        ("*/*", "text/markdown", "*Hi*\n"),
        ("text/plain", "text/plain", "Hi\n"),
        ("text/html", "text/html", "<p><em>Hi</em></p>\n"),
    ]:
        answer = shared(secret, "content/", Accept=accept)
        assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert answer.content.decode() == body
        assert answer.headers["Cache-Control"] == "no-store"
    assert shared(secret, "content/", Accept="image/png").status_code == 406


def test_link_secret_opens_no_other_route(world: World) -> None:
    """It is no credential: as bearer token it is refused everywhere."""
    document = world.document()
    secret = link_make(world, document, role="editor", include_children=True)["secret"]
    bearer = ApiClient(secret)
    for path in (
        f"documents/{document}/",
        "documents/",
        "search/?q=page",
        "users/",
        "me/",
        f"workspaces/{world.workspace}/tree/",
        f"documents/{document}/links/",
        f"documents/{secret}/",
    ):
        assert bearer.get(path).status_code in {401, 404}, path
    for path in ("links/", "children/", "revisions/", "search/", "html/", "move/", "trash/"):
        assert shared(secret, path).status_code == 404, path
    assert ApiClient().delete(f"shared/{secret}/").status_code == 405
    assert ApiClient().patch(f"shared/{secret}/", {"title": "Mine"}).status_code == 405


def test_shared_password(world: World) -> None:
    """Missing or wrong is one 401, right opens; a new one voids the old one and the visits under it."""
    document = world.document()
    link = link_make(world, document, password="schön öffne dich")
    secret = link["secret"]
    for headers in ({}, {"X_Link_Password": "wrong"}):
        refused = shared(secret, **headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "link_password_required")
        assert refused.json()["error_type"] == "AuthError"
        assert refused.headers["Referrer-Policy"] == "no-referrer"
    sent = "schön öffne dich".encode().decode("latin-1")
    opened = shared(secret, X_Link_Password=sent)
    visit = opened.headers["X-Link-Visit"]
    assert (opened.status_code, shared(secret, X_Link_Visit=visit).status_code) == (200, 200)
    path = f"documents/{document}/links/{link['id']}/"
    World.ok(world.owner.patch(path, {"password": PASSWORD}))
    assert shared(secret, X_Link_Password=sent).status_code == 401
    assert shared(secret, X_Link_Visit=visit).status_code == 401
    assert shared(secret, X_Link_Password=PASSWORD).status_code == 200
    assert World.ok(world.owner.get(path))["use_count"] == 2


def test_shared_password_guesses_are_limited(world: World, settings: Any) -> None:
    """Ten wrong ones from an address, limits switched off or not; other links and those known go on."""
    settings.RATELIMIT_ENABLE = False
    document = world.document()
    link, other = (link_make(world, document, password=PASSWORD) for _ in "ab")
    World.ok(shared(link["secret"], X_Link_Password=PASSWORD))
    answers = [shared(link["secret"], X_Link_Password=f"guess {number}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    limited = answers[-1]
    assert (limited.json()["code"], limited.json()["error_type"]) == ("link_password_limited", "AuthError")
    assert int(limited.headers["Retry-After"]) > 60
    assert shared(other["secret"], X_Link_Password=PASSWORD).status_code == 200
    elsewhere = ApiClient(REMOTE_ADDR="192.0.2.7")
    assert shared(link["secret"], client=elsewhere, X_Link_Password=PASSWORD).status_code == 429
    known = LinkVisit.objects.filter(link__uid=link["id"])
    known.update(address="192.0.2.7")
    assert shared(link["secret"], client=elsewhere, X_Link_Password=PASSWORD).status_code == 200
    assert Event.objects.filter(action="link.refused").exists()


def test_shared_uses_are_counted(world: World) -> None:
    """What shows something is a use; a HEAD, a 304, a refusal and what follows in a visit are none."""
    document = world.document(content="Hi")
    link = link_make(world, document, max_uses=3)
    secret = link["secret"]

    def uses() -> int:
        return ShareLink.objects.get(uid=link["id"]).use_count

    assert ApiClient().call("HEAD", f"shared/{secret}/").status_code == 200
    assert uses() == 0
    opened = shared(secret)
    visit, etag = opened.headers["X-Link-Visit"], opened.headers["ETag"]
    assert shared(secret, "content/", X_Link_Visit=visit).status_code == 200
    assert shared(secret, If_None_Match=etag).status_code == 304
    assert shared(secret, "documents/none/").status_code == 404
    assert uses() == 1
    assert shared(secret, "content/").status_code == 200
    assert shared(secret, X_Link_Visit="made.1.up").status_code == 200
    assert uses() == 3
    assert shared(secret).status_code == 404
    assert shared(secret, If_None_Match=etag).status_code == 404
    assert ApiClient().call("HEAD", f"shared/{secret}/").status_code == 404
    assert shared(secret, X_Link_Visit=visit).status_code == 200
    assert LinkVisit.objects.count() == uses() == 3
    World.ok(world.owner.delete(f"documents/{document}/links/{link['id']}/"), 204)
    assert shared(secret, X_Link_Visit=visit).status_code == 404


def test_shared_visit_ends(world: World, settings: Any) -> None:
    """A visit is as long as the setting says, and of the link that it began at."""
    document = world.document()
    one, two = (link_make(world, document, max_uses=1)["secret"] for _ in "ab")
    visit = shared(one).headers["X-Link-Visit"]
    World.ok(shared(two))
    assert shared(two, X_Link_Visit=visit).status_code == 404
    assert shared(one, X_Link_Visit=visit).status_code == 200
    settings.LINK_VISIT_LIFETIME = 1e-6
    assert shared(one, X_Link_Visit=visit).status_code == 404


def test_shared_document_that_is_a_draft(world: World) -> None:
    """A link is on its document as a grant is: it opens a draft, and goes on when it is made one again."""
    document = world.document(state="draft")
    secret = link_make(world, document)["secret"]
    assert shared(secret).status_code == 200
    World.ok(world.act(document, "publish"))
    World.ok(world.act(document, "unpublish"))
    assert shared(secret).status_code == 200


def test_shared_read_takes_a_fixed_number_of_statements(world: World) -> None:
    """However much stands below: link, document, children, files, and the use in one."""
    top = world.document("Top")
    for number in range(3):
        world.document(f"Child {number}", parent=top)
    secret = link_make(world, top, include_children=True)["secret"]
    visit = shared(secret).headers["X-Link-Visit"]
    with statements(5):
        World.ok(shared(secret))
    with statements(4):
        World.ok(shared(secret, X_Link_Visit=visit))


@pytest.mark.django_db(transaction=True)
def test_shared_last_use_is_had_once(client_for: Any) -> None:
    """Of many who open a link for the last time at once one gets in."""
    world = World(client_for)
    link = link_make(world, world.document(), max_uses=1)
    statuses: list[int] = []
    start = threading.Barrier(4)

    def visit() -> None:
        start.wait()
        statuses.append(shared(link["secret"]).status_code)
        connection.close()

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 404, 404, 404]
    assert ShareLink.objects.get().use_count == LinkVisit.objects.count() == 1


def test_shared_files(world: World) -> None:
    """Files are listed and served by keys of the link, with ranges, and those of elsewhere are absent."""
    document, other = world.document(), world.document("Other")
    mine, theirs = (
        World.ok(upload(world.owner, place, b"some text", filename="a.txt"), 201)
        for place in (document, other)
    )
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    text = f"[f]({mine['url']})"
    World.ok(world.owner.patch(f"documents/{document}/", {"content": text}, If_Match=etag))
    link = link_make(world, document)
    secret = link["secret"]
    answer = shared(secret)
    (listed,) = World.ok(answer)["files"]
    assert (listed["title"], listed["content_type"], listed["size"]) == ("a.txt", "text/plain", 9)
    assert mine["id"] not in answer.content.decode()
    assert f"/attachments/{listed['key']}/file/" in World.ok(answer)["content"]
    path = f"files/{listed['key']}/"
    got = shared(secret, path)
    assert (got.status_code, b"".join(got.streaming_content)) == (200, b"some text")
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["Cache-Control"] == "no-store"
    part = shared(secret, path, Range="bytes=0-3")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"some")
    assert shared(secret, path, If_None_Match=got.headers["ETag"]).status_code == 304
    foreign = LinkNames(secret).file_key(uuid.UUID(theirs["id"]))
    assert shared(secret, f"files/{foreign}/").status_code == 404
    assert shared(secret, f"files/{LinkNames(secret).document_key(uuid.UUID(document))}/").status_code == 404
    assert ShareLink.objects.get(uid=link["id"]).use_count == 3
    World.ok(world.act(document, "trash"))
    assert shared(secret, path).status_code == 404


def test_file_by_an_empty_tag_is_a_use(world: World) -> None:
    """No condition but that of the file itself gets it uncounted."""
    document = world.document()
    file = World.ok(upload(world.owner, document, b"some text"), 201)
    secret = link_make(world, document, max_uses=1)["secret"]
    path = f"files/{LinkNames(secret).file_key(uuid.UUID(file['id']))}/"
    assert [shared(secret, path, If_None_Match='""').status_code for _ in range(2)] == [200, 404]


def test_shared_document_that_moves(world: World) -> None:
    """A link goes along within the workspace and to another one, whose policy holds for it from then on."""
    document = world.document()
    secret = link_make(world, document, include_children=True)["secret"]
    World.ok(world.act(document, "move", parent=world.document("Other")))
    assert shared(secret).status_code == 200
    closed = World.ok(
        world.owner.post("workspaces/", {"name": "Closed", "policies": {"links_allowed": False}}), 201
    )["id"]
    World.ok(world.act(document, "move", workspace=closed, parent=None))
    assert shared(secret).status_code == 404
    World.ok(world.owner.patch(f"workspaces/{closed}/", {"policies": {"links_allowed": True}}))
    assert shared(secret).status_code == 200


def test_shared_document_that_is_cut(world: World) -> None:
    """A cut of the document itself ends what it inherits, not what stands on it: the link stays."""
    top = world.document("Top")
    document = world.document("Cut", parent=top)
    world.document("Below", parent=document)
    over, own = (link_make(world, place, include_children=True)["secret"] for place in (top, document))
    World.ok(world.owner.patch(f"documents/{document}/", {"inherits_access": False}))
    assert World.ok(shared(over))["children"] == []
    assert list(keys(shared(own))) == ["Below"]


def test_shared_visits_are_forgotten(world: World, settings: Any) -> None:
    """Addresses are kept as long as the setting says; the count stays."""
    link = link_make(world, world.document())
    World.ok(shared(link["secret"]))
    assert link_visits_purge() == 0
    settings.LINK_VISIT_RETENTION = 1e-6
    assert link_visits_purge() == 1
    assert ShareLink.objects.get().use_count == 1


def test_long_visits_are_warned_of(settings: Any) -> None:
    """A visit outlives the last use, so that one of days undoes the bound."""
    assert check_visits() == []
    settings.LINK_VISIT_LIFETIME = 200_000
    assert [message.id for message in check_visits()] == ["documents.W001"]
