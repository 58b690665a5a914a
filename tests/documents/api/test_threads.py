"""Threads of a document: opening them on passages, settling and removing them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from audit.models import Event
from documents.models import Comment, Thread
from tests.documents.world import ABSENT, World, statements, uid_of
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db

BODY = "# Tea\n\nAlice likes tea. Bob likes coffee.\n\nCarol drinks neither.\n"
PASSAGE = "Bob likes coffee."


@pytest.fixture
def document(world: World) -> str:
    """A document to talk about."""
    return world.document(content=BODY)


def opened(world: World, document: str, by: ApiClient | None = None, **fields: Any) -> dict[str, Any]:
    """A new thread, as its maker sees it."""
    body = {"body": "Really?", **fields}
    made: dict[str, Any] = World.ok((by or world.owner).post(f"documents/{document}/threads/", body), 201)
    return made


def codes(answer: Any) -> dict[str, str]:
    """What is wrong with which field."""
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


# --- opening ---------------------------------------------------------------------------------------------
def test_create_commenter_about_the_document(world: World, document: str) -> None:
    """A thread says what its first comment says, hangs on nothing and is open."""
    commenter = world.member("commenter")
    answer = commenter.post(f"documents/{document}/threads/", {"body": "Is this **right**?"})
    made = World.ok(answer, 201)
    assert commenter.user is not None
    author = {"kind": "user", "id": uid_of(commenter), "name": commenter.user.name}
    assert answer.headers["Location"].endswith(f"/api/v1/threads/{made['id']}/")
    assert made == {
        "id": made["id"],
        "document": document,
        "body": "Is this **right**?",
        "author": author,
        "anchor": None,
        "resolved": False,
        "resolved_at": None,
        "resolved_by": None,
        "comments": [
            {
                "id": made["comments"][0]["id"],
                "thread": made["id"],
                "body": "Is this **right**?",
                "author": author,
                "deleted": False,
                "mentions": [],
                "reactions": [],
                "edited_at": None,
                "created_at": made["created_at"],
                "updated_at": made["created_at"],
            }
        ],
        "more_comments": False,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
    }
    assert World.ok(world.owner.get(f"threads/{made['id']}/")) == made


def test_create_on_a_passage(world: World, document: str) -> None:
    """The passage is found in the newest body, with what stands around it and how often it is there."""
    anchor = opened(world, document, quote=PASSAGE)["anchor"]
    start = BODY.index(PASSAGE)
    assert anchor == {
        "state": "anchored",
        "revision": 1,
        "quote": PASSAGE,
        "prefix": BODY[:start],
        "suffix": "\n\nCarol drinks neither.\n",
        "quote_now": PASSAGE,
        "start": start,
        "end": start + len(PASSAGE),
        "occurrences": 1,
    }


def test_create_on_one_of_equal_passages(world: World, document: str) -> None:
    """What stands around it chooses; without that it is the first."""
    first = opened(world, document, quote="likes")["anchor"]
    second = opened(world, document, quote="likes", prefix="Bob ")["anchor"]
    assert (first["start"], first["occurrences"]) == (BODY.index("likes"), 2)
    assert (second["start"], second["occurrences"]) == (BODY.rindex("likes"), 2)


def test_create_on_an_older_revision_carries_the_passage_forward(world: World, document: str) -> None:
    """Who read an older text quotes that; the thread hangs where the passage stands now."""
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    longer = "A new beginning.\n\n" + BODY.replace("Bob likes coffee", "Bob likes strong coffee")
    World.ok(world.owner.patch(f"documents/{document}/", {"content": longer}, If_Match=etag))
    anchor = opened(world, document, quote=PASSAGE, revision=1)["anchor"]
    now = "Bob likes strong coffee."
    assert (anchor["state"], anchor["revision"], anchor["quote"]) == ("changed", 1, PASSAGE)
    assert (anchor["quote_now"], anchor["start"]) == (now, longer.index(now))


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"quote": "Dave likes milk."}, "/quote", "quote_not_found"),
        ({"quote": PASSAGE.lower()}, "/quote", "quote_not_found"),
        ({"quote": PASSAGE, "revision": 2}, "/revision", "unknown_revision"),
        ({"quote": PASSAGE, "revision": 0}, "/revision", "min_value"),
        ({"quote": PASSAGE, "revision": "1"}, "/revision", "invalid"),
        ({"quote": PASSAGE, "prefix": "x" * 65}, "/prefix", "max_length"),
        ({"quote": " \n"}, "/quote", "blank"),
        ({"quote": ""}, "/quote", "blank"),
        ({"quote": "x" * 5_001}, "/quote", "max_length"),
        ({"quote": 7}, "/quote", "invalid"),
        ({"revision": 1}, "/revision", "contradiction"),
        ({"body": " "}, "/body", "blank"),
        ({"body": "x" * 10_001}, "/body", "max_length"),
        ({"body": None}, "/body", "null"),
        ({"colour": "red"}, "/colour", "unknown_property"),
    ],
)
def test_create_refuses_with_the_reason(
    world: World, document: str, fields: dict[str, Any], pointer: str, code: str
) -> None:
    """What can't be is named, and nothing is written."""
    answer = world.owner.post(f"documents/{document}/threads/", {"body": "Why?", **fields})
    assert answer.status_code == 400, answer.content
    assert codes(answer) == {pointer: code}
    assert not Thread.objects.exists()


def test_create_viewer_and_outsider(world: World, document: str, client_for: Any) -> None:
    """A viewer may not; to others there is no such document."""
    path = f"documents/{document}/threads/"
    assert world.member("viewer").post(path, {"body": "Why?"}).status_code == 403
    assert client_for().post(path, {"body": "Why?"}).status_code == 404
    assert client_for().get(path).status_code == 404


def test_create_in_what_takes_no_writes(world: World, document: str) -> None:
    """What is archived refuses; what lies in the trash is hidden from who can't bring it back."""
    commenter, editor = world.member("commenter"), world.member("editor")
    thread = opened(world, document)["id"]
    World.ok(world.act(document, "archive"))
    for answer in (
        commenter.post(f"documents/{document}/threads/", {"body": "Why?"}),
        commenter.post(f"threads/{thread}/comments/", {"body": "Why?"}),
        world.owner.post(f"threads/{thread}/resolve/"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "document_archived")
    assert commenter.get(f"threads/{thread}/").status_code == 200
    World.ok(world.act(document, "trash"))
    for path in (f"documents/{document}/threads/", f"threads/{thread}/", f"threads/{thread}/comments/"):
        assert (commenter.get(path).status_code, editor.get(path).status_code) == (404, 410)


def test_create_while_somebody_locks_the_body(world: World, document: str) -> None:
    """A lock keeps others from writing the body, not from talking about it."""
    World.ok(world.act(document, "lock"))
    opened(world, document, world.member("commenter"), quote=PASSAGE)


def test_create_twice_with_one_key_opens_one(world: World, document: str) -> None:
    """A client that lost the answer gets it again."""
    path, key = f"documents/{document}/threads/", str(uuid.uuid4())
    first, second = (world.owner.post(path, {"body": "Why?"}, Idempotency_Key=key) for _ in range(2))
    assert World.ok(first, 201) == World.ok(second, 201)
    assert Thread.objects.count() == 1


def test_create_tells_the_trail_how_long_it_was(world: World, document: str) -> None:
    """What was said is nobody's business there."""
    made = opened(world, document, body="a secret", quote=PASSAGE)
    event = Event.objects.filter(action="comment.created").select_related("detail").get()
    assert event.facts == {"document": document, "thread": made["id"]}
    assert (event.target_type, str(event.target_uid)) == ("comment", made["comments"][0]["id"])
    assert event.detail.content["changes"] == {"length": {"before": None, "after": 8}}


def test_create_has_an_end(world: World, document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many passages of a document can be commented on, since each edit moves them all."""
    monkeypatch.setattr("documents.limits.THREADS_ANCHORED", 1)
    opened(world, document, quote=PASSAGE)
    answer = world.owner.post(f"documents/{document}/threads/", {"body": "Why?", "quote": "Alice"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_threads")
    opened(world, document)


# --- reading ---------------------------------------------------------------------------------------------
def test_list_costs_six_statements(world: World, document: str) -> None:
    """However many threads and comments: sign-in, document, threads, comments, mentions, reactions."""
    viewer = world.member("viewer")
    for number in range(3):
        thread = opened(world, document, quote=PASSAGE)["id"]
        for _ in range(number):
            World.ok(world.owner.post(f"threads/{thread}/comments/", {"body": "Yes."}), 201)
        comment = Comment.objects.filter(thread__uid=thread).latest("pk").uid
        World.ok(world.owner.post(f"comments/{comment}/reactions/", {"emoji": "👍"}), 201)
    World.ok(viewer.get(f"documents/{document}/threads/"))
    with statements(6):
        page = World.ok(viewer.get(f"documents/{document}/threads/"))
    assert [len(row["comments"]) for row in page["results"]] == [1, 2, 3]


def test_list_narrowed(world: World, document: str) -> None:
    """By whether it is settled, hangs on something that is there, and by who opened it."""
    commenter = world.member("commenter")
    mine = opened(world, document, commenter)["id"]
    settled = opened(world, document)["id"]
    hanging = opened(world, document, quote=PASSAGE)["id"]
    World.ok(world.owner.post(f"threads/{settled}/resolve/"))

    def found(query: str) -> list[str]:
        page = World.ok(commenter.get(f"documents/{document}/threads/{query}"))
        return [row["id"] for row in page["results"]]

    assert found("") == [mine, settled, hanging]
    assert found("?ordering=-created_at") == [hanging, settled, mine]
    assert found("?resolved=true") == [settled]
    assert found("?resolved=false") == [mine, hanging]
    assert found("?anchored=true") == [hanging]
    assert found("?anchored=false") == [mine, settled]
    assert found(f"?author={uid_of(commenter)}") == [mine]
    assert found(f"?author={ABSENT}") == []
    assert commenter.get(f"documents/{document}/threads/?colour=red").status_code == 400


def test_list_in_pages(world: World, document: str) -> None:
    """Two pages hold all, in the order in which they were opened."""
    made = [opened(world, document)["id"] for _ in range(3)]
    first = World.ok(world.owner.get(f"documents/{document}/threads/?page_size=2"))
    second = World.ok(world.owner.get(first["next"]))
    assert [row["id"] for page in (first, second) for row in page["results"]] == made


def test_thread_shows_its_first_comments(
    world: World, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is a page of its own."""
    monkeypatch.setattr("documents.selectors.comments.SHOWN_ALONE", 2)
    thread = opened(world, document)["id"]
    for number in range(2):
        World.ok(world.owner.post(f"threads/{thread}/comments/", {"body": f"{number}"}), 201)
    shown = World.ok(world.owner.get(f"threads/{thread}/"))
    assert ([row["body"] for row in shown["comments"]], shown["more_comments"]) == (["Really?", "0"], True)
    page = World.ok(world.owner.get(f"threads/{thread}/comments/"))
    assert [row["body"] for row in page["results"]] == ["Really?", "0", "1"]


def test_thread_that_was_removed_while_it_was_read(world: World, document: str) -> None:
    """Its row was found, its comments aren't there any more: it is gone, and no page breaks by that."""
    kept, gone = opened(world, document)["id"], opened(world, document)["id"]
    Comment.objects.filter(thread__uid=gone).delete()
    page = World.ok(world.owner.get(f"documents/{document}/threads/"))
    assert [row["id"] for row in page["results"]] == [kept]
    assert world.owner.get(f"threads/{gone}/").status_code == 404


def test_thread_that_is_not_there(world: World, document: str, client_for: Any) -> None:
    """Hidden and absent are the same."""
    thread, outsider = opened(world, document)["id"], client_for()
    hidden, absent = (outsider.get(f"threads/{uid}/").json() for uid in (thread, ABSENT))
    for body in (hidden, absent):
        del body["instance"], body["request_id"]
    assert hidden == absent
    assert outsider.post(f"threads/{thread}/resolve/").status_code == 404


def test_thread_is_as_fresh_as_its_tag(world: World, document: str) -> None:
    """304 until something was said."""
    path = f"threads/{opened(world, document)['id']}/"
    etag = world.owner.get(path).headers["ETag"]
    assert world.owner.get(path, If_None_Match=etag).status_code == 304
    World.ok(world.owner.post(f"{path}comments/", {"body": "Yes."}), 201)
    assert world.owner.get(path, If_None_Match=etag).status_code == 200


# --- settling --------------------------------------------------------------------------------------------
def test_resolve_and_reopen(world: World, document: str) -> None:
    """Who opened it may, and editors; once more changes nothing and tells nothing."""
    commenter, editor, other = (world.member(role) for role in ("commenter", "editor", "commenter"))
    thread = opened(world, document, commenter)["id"]
    assert other.post(f"threads/{thread}/resolve/").status_code == 403
    shown = World.ok(editor.post(f"threads/{thread}/resolve/"))
    assert (shown["resolved"], shown["resolved_by"]["id"]) == (True, uid_of(editor))
    assert World.ok(commenter.post(f"threads/{thread}/resolve/")) == shown
    shown = World.ok(commenter.post(f"threads/{thread}/reopen/"))
    assert (shown["resolved"], shown["resolved_at"], shown["resolved_by"]) == (False, None, None)
    told = Event.objects.filter(action__startswith="thread.").order_by("sequence")
    assert list(told.values_list("action", flat=True)) == ["thread.resolved", "thread.reopened"]


def test_anchor_changed_by_hand(world: World, document: str) -> None:
    """A thread can be hung on another passage, or on none, by who opened it and by editors."""
    commenter, other = world.member("commenter"), world.member("commenter")
    path = f"threads/{opened(world, document, commenter)['id']}/"
    assert other.patch(path, {"quote": "Alice"}).status_code == 403
    assert World.ok(commenter.patch(path, {"quote": "Alice"}))["anchor"]["start"] == BODY.index("Alice")
    assert codes(commenter.patch(path, {"quote": "Dave"})) == {"/quote": "quote_not_found"}
    assert World.ok(world.owner.patch(path, {"quote": None}))["anchor"] is None
    assert codes(commenter.patch(path, {})) == {"/quote": "required"}


# --- removing --------------------------------------------------------------------------------------------
def test_delete_own_until_others_answer(world: World, document: str) -> None:
    """What others said is for who manages the document to remove."""
    commenter = world.member("commenter")
    thread = opened(world, document, commenter)["id"]
    World.ok(world.owner.post(f"threads/{thread}/comments/", {"body": "Yes."}), 201)
    assert commenter.delete(f"threads/{thread}/").status_code == 403
    assert world.member("editor").delete(f"threads/{thread}/").status_code == 403
    assert world.member("manager").delete(f"threads/{thread}/").status_code == 204
    own = opened(world, document, commenter)["id"]
    assert commenter.delete(f"threads/{own}/").status_code == 204
    assert commenter.get(f"threads/{own}/").status_code == 404
    assert not Comment.objects.exists()
    facts = Event.objects.filter(action="thread.deleted").values_list("facts__comments", flat=True)
    assert sorted(facts) == [1, 2]


def test_purge_takes_threads_along_and_a_copy_has_none(world: World, document: str) -> None:
    """What was said about a document is none of a copy, and goes with the document."""
    thread = opened(world, document, quote=PASSAGE)["id"]
    World.ok(world.owner.post(f"threads/{thread}/comments/", {"body": "Yes."}), 201)
    copy = World.ok(world.act(document, "copy"), 201)["id"]
    assert World.ok(world.owner.get(f"documents/{copy}/threads/"))["results"] == []
    World.ok(world.act(document, "trash"))
    assert world.owner.delete(f"documents/{document}/").status_code == 204
    assert not Thread.objects.exists()
