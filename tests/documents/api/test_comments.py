"""Comments in a thread: answering, changing, taking back, reacting."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.services import admin_create
from audit.models import Event
from documents.models import Comment, Reaction, Thread
from tests.accounts.factories import PASSWORD
from tests.actors import command
from tests.documents.api.test_editing_races import at_once
from tests.documents.world import ABSENT, World, statements, uid_of
from tests.fixtures import ApiClient, Once, client_make

pytestmark = pytest.mark.django_db


class Talk:
    """A thread of a document, opened by a commenter."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.opener, self.other = world.member("commenter"), world.member("commenter")
        self.document = world.document(content="Some text.\n")
        made = World.ok(self.opener.post(f"documents/{self.document}/threads/", {"body": "First."}), 201)
        self.thread, self.first = made["id"], made["comments"][0]["id"]

    def say(self, who: ApiClient, body: str = "More.") -> str:
        """The id of a further comment."""
        said: str = World.ok(who.post(f"threads/{self.thread}/comments/", {"body": body}), 201)["id"]
        return said

    def bodies(self) -> list[str | None]:
        """What stands there, None for an empty place."""
        page = World.ok(self.opener.get(f"threads/{self.thread}/comments/"))
        return [None if row["deleted"] else row["body"] for row in page["results"]]


@pytest.fixture(scope="module")
def new_talk(once: Once) -> Callable[[], Talk]:
    """Makes a thread with its first comment."""
    return once(lambda: Talk(World(client_make)))


@pytest.fixture
def talk(new_talk: Callable[[], Talk], as_made: None) -> Talk:
    """A thread with its first comment, as if no other test had been there."""
    return new_talk()


# --- answering -------------------------------------------------------------------------------------------
def test_answer_by_another(talk: Talk) -> None:
    """It stands in its thread, which was moved by it."""
    answer = talk.other.post(f"threads/{talk.thread}/comments/", {"body": "Second."})
    made = World.ok(answer, 201)
    assert answer.headers["Location"].endswith(f"/api/v1/comments/{made['id']}/")
    assert (made["body"], made["thread"], made["author"]["id"]) == (
        "Second.",
        talk.thread,
        uid_of(talk.other),
    )
    assert World.ok(talk.opener.get(f"comments/{made['id']}/")) == made
    thread = World.ok(talk.opener.get(f"threads/{talk.thread}/"))
    assert ([row["id"] for row in thread["comments"]], thread["updated_at"]) == (
        [talk.first, made["id"]],
        made["created_at"],
    )
    assert talk.bodies() == ["First.", "Second."]


def test_answer_viewer_and_outsider(talk: Talk, client_for: Any) -> None:
    """A viewer reads, others don't."""
    viewer, path = talk.world.member("viewer"), f"threads/{talk.thread}/comments/"
    assert (viewer.get(path).status_code, viewer.post(path, {"body": "No."}).status_code) == (200, 403)
    assert (client_for().get(path).status_code, client_for().post(path, {"body": "No."}).status_code) == (
        404,
        404,
    )


def test_answer_to_what_is_settled_leaves_it_settled(talk: Talk) -> None:
    """A last word is none that opens it again."""
    World.ok(talk.opener.post(f"threads/{talk.thread}/resolve/"))
    talk.say(talk.other)
    assert World.ok(talk.opener.get(f"threads/{talk.thread}/"))["resolved"] is True


def test_answers_have_an_end(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread holds so many."""
    monkeypatch.setattr("documents.limits.COMMENTS", 1)
    answer = talk.other.post(f"threads/{talk.thread}/comments/", {"body": "More."})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_comments")


def test_comments_cost_six_statements(talk: Talk) -> None:
    """However many: sign-in, thread, comments, mentions, reactions; one of them costs as much."""
    for _ in range(3):
        talk.say(talk.other)
    World.ok(talk.opener.get(f"threads/{talk.thread}/comments/"))
    with statements(5):
        World.ok(talk.opener.get(f"threads/{talk.thread}/comments/"))
    with statements(4):
        World.ok(talk.opener.get(f"comments/{talk.first}/"))
    with statements(5):
        World.ok(talk.opener.get(f"threads/{talk.thread}/"))


def test_answer_by_tokens(talk: Talk) -> None:
    """Commenting is a scope of its own, that writes no documents."""
    expiry = {"name": "Bot", "expires_at": "2027-06-01T00:00:00Z"}
    made = talk.other.post("me/tokens/", {**expiry, "scopes": ["comments:write", "documents:read"]})
    bot = ApiClient(World.ok(made, 201)["token"])
    talk.say(bot)
    path = f"documents/{talk.document}/"
    etag = bot.get(path).headers["ETag"]
    assert bot.patch(path, {"content": "x"}, If_Match=etag).json()["code"] == "missing_scope"
    reader = talk.other.post("me/tokens/", {**expiry, "scopes": ["documents:read", "documents:write"]})
    other = ApiClient(World.ok(reader, 201)["token"])
    refused = other.post(f"threads/{talk.thread}/comments/", {"body": "No."})
    assert (refused.status_code, refused.json()["scope"]) == (403, "comments:write")


# --- changing --------------------------------------------------------------------------------------------
def test_edit_own_alone(talk: Talk) -> None:
    """Its author may, nobody else, however strong; the trail knows the lengths."""
    path = f"comments/{talk.first}/"
    for who in (talk.other, talk.world.owner):
        assert who.patch(path, {"body": "Forged."}).status_code == 403
    changed = World.ok(talk.opener.patch(path, {"body": "Better."}))
    assert (changed["body"], changed["edited_at"]) == ("Better.", changed["updated_at"])
    assert World.ok(talk.opener.patch(path, {"body": "Better."})) == changed
    event = Event.objects.filter(action="comment.updated").select_related("detail").get()
    assert event.detail.content["changes"] == {"length": {"before": 6, "after": 7}}


def test_edit_by_who_may_comment_no_more(talk: Talk) -> None:
    """A right that was taken is missed for one's own words, too."""
    members = f"workspaces/{talk.world.workspace}/members/"
    rows = World.ok(talk.world.owner.get(members))["results"]
    mine = next(row["id"] for row in rows if row["user"] == uid_of(talk.opener))
    World.ok(talk.world.owner.patch(f"{members}{mine}/", {"role": "viewer"}))
    assert talk.opener.patch(f"comments/{talk.first}/", {"body": "Better."}).status_code == 403
    assert talk.opener.delete(f"comments/{talk.first}/").status_code == 403


# --- taking back -----------------------------------------------------------------------------------------
def test_delete_where_others_follow_leaves_a_place(talk: Talk) -> None:
    """What was said is nowhere any more, and who said it neither."""
    talk.say(talk.other)
    World.ok(talk.other.post(f"comments/{talk.first}/reactions/", {"emoji": "👍"}), 201)
    assert talk.opener.delete(f"comments/{talk.first}/").status_code == 204
    thread = World.ok(talk.other.get(f"threads/{talk.thread}/"))
    first = thread["comments"][0]
    assert (thread["body"], thread["author"]) == ("", None)
    assert (first["deleted"], first["body"], first["author"], first["reactions"]) == (True, "", None, [])
    for method in ("GET", "DELETE"):
        assert talk.opener.call(method, f"comments/{talk.first}/").status_code == 404
    assert talk.opener.patch(f"comments/{talk.first}/", {"body": "Again."}).status_code == 404
    assert not Reaction.objects.exists()


def test_delete_at_the_end_takes_empty_places_along(talk: Talk) -> None:
    """Nothing is left behind which nothing follows, and with the last comment the thread goes."""
    second, third = talk.say(talk.other), talk.say(talk.opener)
    assert talk.other.delete(f"comments/{second}/").status_code == 204
    assert talk.bodies() == ["First.", None, "More."]
    assert talk.opener.delete(f"comments/{third}/").status_code == 204
    assert talk.bodies() == ["First."]
    assert talk.opener.delete(f"comments/{talk.first}/").status_code == 204
    assert not Thread.objects.exists()
    assert Event.objects.filter(action="comment.deleted").count() == 3


def test_delete_by_managers_and_nobody_else(talk: Talk) -> None:
    """An editor writes the document, not what others say about it."""
    second = talk.say(talk.other)
    for role, status in (("commenter", 403), ("editor", 403), ("manager", 204)):
        assert talk.world.member(role).delete(f"comments/{second}/").status_code == status


def test_delete_and_edit_under_a_hold(talk: Talk, client_for: Any) -> None:
    """What has to be kept for the law is kept, comments too."""
    admin, _ = admin_create(actor=command(), email="boss@example.org", password=PASSWORD)
    staff = client_for(admin)
    World.ok(staff.post(f"workspaces/{talk.world.workspace}/holds/", {"reason": "Case 7"}), 201)
    for answer in (
        talk.opener.patch(f"comments/{talk.first}/", {"body": "Better."}),
        talk.opener.delete(f"comments/{talk.first}/"),
        talk.opener.delete(f"threads/{talk.thread}/"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (423, "legal_hold")
    talk.say(talk.other)


# --- reacting --------------------------------------------------------------------------------------------
def test_react_once(talk: Talk) -> None:
    """Each person's sign counts once; the answer says whether one's own is among them."""
    path = f"comments/{talk.first}/reactions/"
    World.ok(talk.opener.post(path, {"emoji": "👍"}), 201)
    World.ok(talk.other.post(path, {"emoji": "👍"}), 201)
    shown = World.ok(talk.other.post(path, {"emoji": "👍"}), 200)
    assert shown["reactions"] == [{"emoji": "👍", "count": 2, "mine": True}]
    World.ok(talk.other.post(path, {"emoji": "🎉"}), 201)
    seen = World.ok(talk.opener.get(f"comments/{talk.first}/"))["reactions"]
    assert [(row["emoji"], row["count"], row["mine"]) for row in seen] == [("👍", 2, True), ("🎉", 1, False)]
    who = World.ok(talk.opener.get(path))["results"]
    assert [(row["emoji"], row["user"]["id"]) for row in who] == [
        ("👍", uid_of(talk.opener)),
        ("👍", uid_of(talk.other)),
        ("🎉", uid_of(talk.other)),
    ]
    events = Event.objects.filter(action__startswith="reaction.")
    assert events.count() == 3


def test_react_no_more(talk: Talk) -> None:
    """One takes one's own back; what isn't there is no fault."""
    path = f"comments/{talk.first}/reactions/"
    World.ok(talk.opener.post(path, {"emoji": "👍"}), 201)
    for _ in range(2):
        assert talk.other.delete(f"{path}?emoji=👍").status_code == 204
    assert Reaction.objects.count() == 1
    assert talk.opener.delete(f"{path}?emoji=👍").status_code == 204
    assert not Reaction.objects.exists()
    assert Event.objects.filter(action="reaction.removed").count() == 1


@pytest.mark.parametrize("emoji", ["x", "", "👍👍", None, 1, "🦄" * 20])
def test_react_with_what_is_no_sign(talk: Talk, emoji: Any) -> None:
    """Only signs of the list, so that counts stay together."""
    answer = talk.opener.post(f"comments/{talk.first}/reactions/", {"emoji": emoji})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/emoji")
    assert talk.opener.delete(f"comments/{talk.first}/reactions/").status_code == 400


def test_react_viewer_and_absent(talk: Talk) -> None:
    """A viewer may not; what isn't there can't be reacted to."""
    viewer = talk.world.member("viewer")
    assert viewer.post(f"comments/{talk.first}/reactions/", {"emoji": "👍"}).status_code == 403
    assert talk.opener.post(f"comments/{ABSENT}/reactions/", {"emoji": "👍"}).status_code == 404


# --- at once ---------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_answer_and_settle_at_once(client_for: Callable[..., ApiClient]) -> None:
    """An answer and a settlement both count."""
    talk = Talk(World(client_for))
    answers = at_once(
        [
            lambda: talk.other.post(f"threads/{talk.thread}/comments/", {"body": "More."}),
            lambda: talk.opener.post(f"threads/{talk.thread}/resolve/"),
        ]
    )
    assert [answer.status_code for answer in answers] == [201, 200]
    assert World.ok(talk.opener.get(f"threads/{talk.thread}/"))["resolved"] is True


@pytest.mark.django_db(transaction=True)
def test_answer_to_what_is_taken_back_at_once(client_for: Callable[..., ApiClient]) -> None:
    """It is there behind an empty place, or there is nothing left to answer to."""
    world = World(client_for)
    for _ in range(5):
        talk = Talk(world)
        removed, said = at_once(
            [
                partial(talk.opener.delete, f"comments/{talk.first}/"),
                partial(talk.other.post, f"threads/{talk.thread}/comments/", {"body": "More."}),
            ]
        )
        assert removed.status_code == 204
        assert said.status_code in {201, 404}
        left = Comment.objects.filter(thread__uid=talk.thread).values_list("body", flat=True).order_by("pk")
        assert list(left) == (["", "More."] if said.status_code == 201 else [])


@pytest.mark.django_db(transaction=True)
def test_react_twice_at_once(client_for: Callable[..., ApiClient]) -> None:
    """One of them made it."""
    talk = Talk(World(client_for))
    react = partial(talk.other.post, f"comments/{talk.first}/reactions/", {"emoji": "👍"})
    assert sorted(answer.status_code for answer in at_once([react] * 3)) == [200, 200, 201]
    assert Reaction.objects.count() == 1


def test_author_who_was_deleted(talk: Talk) -> None:
    """What they said stays, by a deleted person; their reactions go, and their name where others wrote it."""
    assert talk.opener.user is not None
    name = f"@[{talk.opener.user.name}](user:{uid_of(talk.opener)})"
    named = talk.say(talk.other, f"{name} look.")
    World.ok(talk.opener.post(f"comments/{named}/reactions/", {"emoji": "👍"}), 201)
    World.ok(talk.opener.delete("me/"), 204)
    thread = World.ok(talk.other.get(f"threads/{talk.thread}/"))
    assert (thread["body"], thread["author"]["name"]) == ("First.", "Deleted person")
    assert thread["comments"][1]["body"] == f"@[Deleted person](user:{uid_of(talk.opener)}) look."
    assert thread["comments"][1]["reactions"] == []


def test_author_whose_words_are_held_stays(talk: Talk, world: World, client_for: Any) -> None:
    """Who said something that has to be kept for the law can't be forgotten."""
    admin, _ = admin_create(actor=command(), email="boss@example.org", password=PASSWORD)
    staff = client_for(admin)
    World.ok(staff.post(f"documents/{talk.document}/holds/", {"reason": "Case 7"}), 201)
    answer = talk.opener.delete("me/")
    assert (answer.status_code, answer.json()["code"]) == (423, "legal_hold")
