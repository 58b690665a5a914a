"""Who hears of a comment, and whom one can name in it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Notification, User
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_run
from documents.models import Mention
from documents.queues import COMMENT_TELL
from tests.documents.world import ABSENT, World, uid_of
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db


def at(person: ApiClient, name: str = "Somebody") -> str:
    """A mention of a person."""
    return f"@[{name}](user:{uid_of(person)})"


def opened(document: str, by: ApiClient, body: str) -> dict[str, Any]:
    """A new thread's first comment."""
    made = World.ok(by.post(f"documents/{document}/threads/", {"body": body}), 201)
    first: dict[str, Any] = made["comments"][0]
    return first


def told() -> None:
    """Let a worker tell of what was said so far."""
    autoload()
    for job in Job.objects.filter(kind=COMMENT_TELL, state=JobState.QUEUED):
        job_run(job.queue, str(job.uid))
        job.refresh_from_db()
        assert job.state == JobState.SUCCEEDED


def news(person: ApiClient) -> list[str]:
    """The kinds of what somebody has heard of comments, the first one's first."""
    rows = World.ok(person.get("me/notifications/?page_size=200"))["results"]
    return [row["kind"] for row in reversed(rows) if row["kind"].startswith("comment.")]


# --- who hears -------------------------------------------------------------------------------------------
def test_those_concerned_hear_once(world: World) -> None:
    """The owner, who takes part, who watches; nobody of their own, nor somebody it doesn't concern."""
    opener, other, watcher, stranger = (world.member("commenter") for _ in range(4))
    document = world.document()
    World.ok(watcher.put(f"documents/{document}/watch/", {}))
    thread = opened(document, opener, "First.")["thread"]
    told()
    assert [news(who) for who in (world.owner, opener, other, watcher, stranger)] == [
        ["comment.created"],
        [],
        [],
        ["comment.created"],
        [],
    ]
    World.ok(other.post(f"threads/{thread}/comments/", {"body": "Second."}), 201)
    told()
    told()
    counts = [len(news(who)) for who in (world.owner, opener, other, watcher, stranger)]
    assert counts == [2, 1, 0, 2, 0]


def test_news_name_the_author_and_the_document(world: World) -> None:
    """What is told leads to the comment and says nothing of what is in it."""
    document, opener = world.document("Plans"), world.member("commenter")
    first = opened(document, opener, "a secret")
    told()
    row = World.ok(world.owner.get("me/notifications/"))["results"][0]
    assert (row["actor"]["id"], row["target"]["title"]) == (uid_of(opener), "Plans")
    assert row["facts"] == {"thread": first["thread"], "comment": first["id"]}
    assert "secret" not in str(Notification.objects.values())


def test_watchers_of_the_place_above_hear(world: World) -> None:
    """A watch on a subtree or on the workspace is one on all documents in it; on a parent alone it isn't."""
    top = world.document("Top")
    below = world.document("Below", parent=top)
    subtree, alone, room = (world.member("viewer") for _ in range(3))
    World.ok(subtree.put(f"documents/{top}/watch/", {"subtree": True}))
    World.ok(alone.put(f"documents/{top}/watch/", {}))
    World.ok(room.put(f"workspaces/{world.workspace}/watch/", {}))
    opened(below, world.owner, "Look.")
    told()
    assert [len(news(who)) for who in (subtree, alone, room)] == [1, 0, 1]


def test_rights_count_when_it_is_told(world: World) -> None:
    """Who lost the right between what was said and the telling hears nothing."""
    document, watcher, named = world.document(), world.member("viewer"), world.member("viewer")
    World.ok(watcher.put(f"documents/{document}/watch/", {}))
    opened(document, world.owner, f"{at(named)} look.")
    World.ok(world.owner.patch(f"documents/{document}/", {"inherits_access": False}))
    told()
    assert (news(watcher), news(named)) == ([], [])


def test_what_was_taken_back_or_thrown_away_is_not_told(world: World) -> None:
    """Nothing leads to what isn't there."""
    kept, gone = world.document(), world.document()
    opener = world.member("commenter")
    first = opened(kept, opener, "First.")
    assert opener.delete(f"comments/{first['id']}/").status_code == 204
    opened(gone, opener, "Second.")
    World.ok(world.act(gone, "trash"))
    told()
    assert news(world.owner) == []


# --- whom one can name -----------------------------------------------------------------------------------
def test_mention_is_told_instead_and_bears_the_name_of_today(world: World) -> None:
    """Who is named hears of that alone; the name in the text follows the person's."""
    document, named = world.document(), world.member("viewer")
    first = opened(document, world.owner, f"What does {at(named, 'Bo')} say?")
    user = User.objects.get(uid=uid_of(named))
    assert first["mentions"] == [{"id": uid_of(named), "name": user.name}]
    assert first["body"] == f"What does {at(named, user.name)} say?"
    told()
    assert news(named) == ["comment.mentioned"]
    User.objects.filter(pk=user.pk).update(name="Robin [x](y)")
    shown = World.ok(world.owner.get(f"comments/{first['id']}/"))
    assert shown["mentions"][0]["name"] == "Robin [x](y)"
    assert shown["body"] == f"What does {at(named, 'Robin x (y)')} say?"
    User.objects.filter(pk=user.pk).update(name="[]")
    shown = World.ok(world.owner.get(f"comments/{first['id']}/"))
    assert shown["body"] == f"What does {at(named, 'Bo')} say?"


def test_mention_of_the_hidden_and_of_the_absent_is_text(world: World, client_for: Any) -> None:
    """Nothing tells whether there is somebody who doesn't see the document."""
    outsider = client_for()
    document = world.document()
    bodies = [f"@[Bo](user:{uid}) look." for uid in (uid_of(outsider), ABSENT)]
    hidden, absent = (opened(document, world.owner, body) for body in bodies)
    assert [first["body"] for first in (hidden, absent)] == bodies
    assert (hidden["mentions"], absent["mentions"]) == ([], [])
    told()
    assert news(outsider) == []
    World.ok(world.add(outsider, "viewer"), 201)
    assert World.ok(world.owner.get(f"comments/{hidden['id']}/"))["mentions"] == []


def test_mention_by_a_change_is_told_once(world: World) -> None:
    """Who comes in by a change hears, who was named already doesn't again; who goes out is named no more."""
    document = world.document()
    one, two = world.member("viewer"), world.member("viewer")
    first = opened(document, world.owner, f"{at(one)} look.")
    told()
    path = f"comments/{first['id']}/"
    World.ok(world.owner.patch(path, {"body": f"{at(one)} and {at(two)} look."}))
    told()
    assert (news(one), news(two)) == (["comment.mentioned"], ["comment.mentioned"])
    assert World.ok(world.owner.patch(path, {"body": f"{at(two)} look."}))["mentions"][0]["id"] == uid_of(two)
    assert Mention.objects.count() == 1


def test_mention_of_oneself_and_twice(world: World) -> None:
    """Nobody hears of their own; a name twice is one mention."""
    document, named = world.document(), world.member("viewer")
    body = f"{at(named)} {at(named)} {at(world.owner)}"
    first = opened(document, world.owner, body)
    told()
    assert len(first["mentions"]) == 2
    assert (news(named), news(world.owner)) == (["comment.mentioned"], [])
