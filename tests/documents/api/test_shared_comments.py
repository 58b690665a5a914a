"""Threads by share links: who may, what strangers see of them, and what they can't find out."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from cloudscribe.jobs.models import Job
from documents.addresses import document_path
from documents.models import Comment, Thread
from documents.queues import COMMENT_TELL
from documents.services import shared_comments
from tests.documents.api.test_comment_news import at, news, told
from tests.documents.sharing import link_make, shared
from tests.documents.world import World, statements, uid_of
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db

BODY = "# Tea\n\nAlice likes tea. Bob likes coffee.\n"
PASSAGE = "Bob likes coffee."
SAID = {"body": "Really?", "name": "Guest"}
SAID_BY_MEMBER = {"body": "Really."}


@pytest.fixture
def document(world: World) -> str:
    """A document to share."""
    return world.document(content=BODY)


def secret_of(world: World, document: str, role: str = "commenter", **fields: Any) -> str:
    """The secret of a new link."""
    secret: str = link_make(world, document, role=role, **fields)["secret"]
    return secret


def say(secret: str, path: str = "threads/", **body: Any) -> Any:
    """The answer to what a stranger says."""
    return ApiClient().post(f"shared/{secret}/{path}", {**SAID, **body})


def test_guest_opens_a_thread_on_a_passage_and_answers(world: World, document: str) -> None:
    """A guest's name stands where a person's does; the members see that it came by a link."""
    link = link_make(world, document, role="commenter")
    made = World.ok(say(link["secret"], quote=PASSAGE), 201)
    assert made == {
        "key": made["key"],
        "body": "Really?",
        "author": {"kind": "link", "name": "Guest"},
        "anchor": {"state": "anchored", "quote": PASSAGE, "quote_now": PASSAGE},
        "resolved": False,
        "comments": [
            {
                "key": made["comments"][0]["key"],
                "body": "Really?",
                "author": {"kind": "link", "name": "Guest"},
                "deleted": False,
                "reactions": [],
                "edited_at": None,
                "created_at": made["created_at"],
            }
        ],
        "more_comments": False,
        "created_at": made["created_at"],
    }
    path = f"threads/{made['key']}/comments/"
    answer = say(link["secret"], path, body="Yes.", name="Other")
    World.ok(answer, 201)
    assert answer.headers["Location"].endswith(f"/api/v1/shared/{link['secret']}/{path}")
    listed = World.ok(shared(link["secret"], path))["results"]
    assert [(row["body"], row["author"]["name"]) for row in listed] == [
        ("Really?", "Guest"),
        ("Yes.", "Other"),
    ]
    (seen,) = World.ok(world.owner.get(f"documents/{document}/threads/"))["results"]
    assert seen["author"] == {"kind": "link", "id": link["id"], "name": "Guest"}
    assert seen["anchor"]["start"] == BODY.index(PASSAGE)


def test_threads_by_links_for_commenting_and_editing_alone(world: World, document: str) -> None:
    """A link for reading shows none and takes none."""
    viewer, editor = (secret_of(world, document, role) for role in ("viewer", "editor"))
    key = World.ok(say(editor), 201)["key"]
    assert shared(viewer, "threads/").status_code == 403
    assert say(viewer).status_code == 403
    assert shared(viewer, f"threads/{key}/comments/").status_code == 404
    assert len(World.ok(shared(editor, "threads/"))["results"]) == 1


def test_a_key_opens_nothing_by_another_link(world: World, document: str) -> None:
    """Keys are a link's own; ids are none."""
    one, other = secret_of(world, document), secret_of(world, document)
    key = World.ok(say(one), 201)["key"]
    uid = Thread.objects.get().uid
    for path in (f"threads/{key}/comments/", f"threads/{uid}/comments/"):
        assert shared(other, path).status_code == 404
        assert say(other, path).status_code == 404


def test_nothing_tells_of_ids_or_counters(world: World, document: str) -> None:
    """What members wrote is shown without ids, whether in links, mentions or quotes that cut one."""
    other = world.document("Other")
    long_address = document_path(uuid.UUID(other), "Other")
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    content = f"See [there](cs://{other}) and [here](https://x.example{long_address}).\n"
    World.ok(world.owner.patch(f"documents/{document}/", {"content": content}, If_Match=etag))
    member = world.member("commenter")
    quotes = (f"](cs://{other[:20]}", f"{other[20:]}) and", f"{other}) and", "See", content.strip())
    for quote in quotes:
        body = {"body": f"{at(member)} cs://{other} {long_address}", "quote": quote}
        World.ok(world.owner.post(f"documents/{document}/threads/", body), 201)
    secret = secret_of(world, document)
    answer = shared(secret, "threads/")
    text = answer.content.decode()
    threads = World.ok(answer)["results"]
    assert member.user is not None
    assert all(thread["body"].startswith(f"@{member.user.name} cs://") for thread in threads)
    short = long_address.rpartition("-")[2]
    for hidden in (other, other[:20], other[20:], short, uid_of(member), uid_of(world.owner), "email"):
        assert hidden not in text, hidden
    shown = World.ok(shared(secret))["content"]
    assert threads[-1]["anchor"]["quote"] == shown.strip()


def test_a_name_of_brackets_tells_no_id(world: World, document: str) -> None:
    """A person's name that no mention can bear: the one that was written stands for it."""
    member = world.member("commenter")
    assert member.user is not None
    World.ok(member.patch("me/", {"name": "[]"}))
    thread = {"body": f"What does {at(member, 'Bo')} say?"}
    World.ok(world.owner.post(f"documents/{document}/threads/", thread), 201)
    answer = shared(secret_of(world, document), "threads/")
    assert World.ok(answer)["results"][0]["body"] == "What does @Bo say?"
    assert uid_of(member) not in answer.content.decode()


def test_a_quote_finds_keys_and_no_ids(world: World) -> None:
    """A stranger quotes what they see: to guess an id letter by letter finds nothing, a key finds its id."""
    other = world.document("Other")
    document = world.document(content=f"See cs://{other} there.\n")
    secret = secret_of(world, document)
    for guess in (f"cs://{other[:4]}", f"cs://{other}", other):
        answer = say(secret, quote=guess)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "quote_not_found"
        assert "revision" not in answer.content.decode()
    shown = World.ok(shared(secret))["content"]
    key = shown.split()[1].removeprefix("cs://")
    World.ok(say(secret, quote=f"{key} there"), 201)
    World.ok(say(secret, quote=f"e cs://{key[:9]}"), 201)
    quotes = Thread.objects.order_by("pk").values_list("quote", flat=True)
    assert list(quotes) == [f"{other} there", f"e cs://{other}"]


def test_signs_are_counted_and_tell_nobody(world: World, document: str) -> None:
    """How many reacted with which, and not who."""
    comment = World.ok(world.owner.post(f"documents/{document}/threads/", SAID_BY_MEMBER), 201)["comments"][0]
    for person in (world.owner, world.member("viewer"), world.member("commenter")):
        person.post(f"comments/{comment['id']}/reactions/", {"emoji": "👍"})
    threads = World.ok(shared(secret_of(world, document), "threads/"))["results"]
    assert threads[0]["comments"][0]["reactions"] == [{"emoji": "👍", "count": 2}]


def test_keys_in_what_is_said_lead_members_to_the_document(world: World, document: str) -> None:
    """Who comes by the link names documents by its keys, whoever is a member by ids."""
    secret = secret_of(world, document, include_children=True)
    below = world.document("Below", parent=document)
    key = World.ok(shared(secret))["children"][0]["key"]
    made = World.ok(say(secret, body=f"See cs://{key}."), 201)
    assert made["body"] == f"See cs://{key}."
    assert Comment.objects.get().body == f"See cs://{below}."


def test_threads_of_what_stands_below(world: World, document: str) -> None:
    """A link with children takes comments on each; one without doesn't reach them."""
    world.document("Below", parent=document)
    whole, single = secret_of(world, document, include_children=True), secret_of(world, document)
    key = World.ok(shared(whole))["children"][0]["key"]
    World.ok(say(whole, f"documents/{key}/threads/"), 201)
    assert len(World.ok(shared(whole, f"documents/{key}/threads/"))["results"]) == 1
    assert World.ok(shared(whole, "threads/"))["results"] == []
    assert say(single, f"documents/{key}/threads/").status_code == 404


def test_guests_name_nobody(world: World, document: str) -> None:
    """A mention by a stranger is text; those whom the thread concerns hear of it, from whom it says."""
    member = world.member("viewer")
    made = World.ok(say(secret_of(world, document), body=f"{at(member)} look."), 201)
    assert made["body"] == "@Somebody look."
    told()
    assert (news(member), news(world.owner)) == ([], ["comment.created"])
    row = World.ok(world.owner.get("me/notifications/"))["results"][0]
    assert row["actor"] == {"id": None, "name": "Guest (by a share link)"}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 81}, "/name"),
        ({"name": "two\nlines"}, "/name"),
        ({"name": "\u202eevil"}, "/name"),
        ({"name": None}, "/name"),
        ({"body": ""}, "/body"),
        ({"body": "x" * 10_001}, "/body"),
        ({"quote": "  "}, "/quote"),
        ({"prefix": "x"}, "/prefix"),
        ({"revision": 1}, "/revision"),
    ],
)
def test_bad_input_is_named(world: World, document: str, fields: dict[str, Any], pointer: str) -> None:
    """What can't be is refused with the field, and nothing is written."""
    answer = say(secret_of(world, document), **fields)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert not Thread.objects.exists()


def test_a_link_takes_so_many_comments_an_hour(
    world: World, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds it, and without Redis; another link is another count."""
    monkeypatch.setattr(shared_comments, "HOURLY", 2)
    one, other = secret_of(world, document), secret_of(world, document)
    key = World.ok(say(one), 201)["key"]
    World.ok(say(one, f"threads/{key}/comments/"), 201)
    for answer in (say(one), say(one, f"threads/{key}/comments/")):
        assert (answer.status_code, answer.json()["code"]) == (429, "link_comments_spent")
        assert int(answer.headers["Retry-After"]) > 0
    World.ok(say(other), 201)
    assert (Comment.objects.count(), Job.objects.filter(kind=COMMENT_TELL).count()) == (3, 3)


def test_a_comment_is_a_use_once_a_visit(world: World, document: str) -> None:
    """A link that is used up takes no more, but from who is still in a visit."""
    secret = secret_of(world, document, max_uses=1)
    answer = say(secret)
    key = World.ok(answer, 201)["key"]
    visit = {"X_Link_Visit": answer.headers["X-Link-Visit"]}
    path = f"shared/{secret}/threads/{key}/comments/"
    assert ApiClient().post(path, SAID).status_code == 404
    World.ok(ApiClient().post(path, SAID, **visit), 201)


def test_a_password_is_asked_for(world: World, document: str) -> None:
    """As for reading."""
    secret = secret_of(world, document, password="open, sesame")
    for answer in (say(secret), shared(secret, "threads/")):
        assert (answer.status_code, answer.json()["code"]) == (401, "link_password_required")


def test_what_takes_no_comments(world: World, document: str) -> None:
    """What is archived refuses; what lies in the trash, or whose link is revoked, is not there."""
    secret = secret_of(world, document)
    key = World.ok(say(secret), 201)["key"]
    World.ok(world.act(document, "archive"))
    for answer in (say(secret), say(secret, f"threads/{key}/comments/")):
        assert (answer.status_code, answer.json()["code"]) == (409, "document_archived")
    World.ok(world.act(document, "unarchive"))
    World.ok(world.act(document, "trash"))
    assert (say(secret).status_code, shared(secret, "threads/").status_code) == (404, 404)


def test_what_a_guest_said_is_removed_by_managers(world: World, document: str) -> None:
    """Nobody is its author; the guest can't take it back."""
    World.ok(say(secret_of(world, document)), 201)
    comment = Comment.objects.get().uid
    for role, status in (("editor", 403), ("manager", 204)):
        assert world.member(role).delete(f"comments/{comment}/").status_code == status


def test_threads_by_link_cost_six_statements(world: World, document: str) -> None:
    """However many there are: link, document, threads, comments, mentions, reactions."""
    secret = secret_of(world, document)
    for _ in range(3):
        answer = say(secret, quote=PASSAGE)
    visit = {"X_Link_Visit": answer.headers["X-Link-Visit"]}
    with statements(6):
        assert len(World.ok(shared(secret, "threads/", **visit))["results"]) == 3
