"""`documents/{id}/lock/` and what it keeps out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Event
from documents.models import Document
from tests.documents.api.test_editing_races import at_once
from tests.documents.world import World, statements, uid_of
from tests.fixtures import ApiClient


def lock(world: World, document: str, by: ApiClient | None = None, **body: Any) -> Any:
    """The answer to somebody's lock."""
    return world.act(document, "lock", by, **body)


def write(person: ApiClient, document: str, **changes: Any) -> Any:
    """A write from the version of now."""
    etag = person.get(f"documents/{document}/").headers["ETag"]
    return person.patch(f"documents/{document}/", changes or {"content": "new"}, If_Match=etag)


def test_lock_keeps_others_from_writing(world: World) -> None:
    """Content, fields and restored revisions of others are refused, naming the holder; the holder writes."""
    document, first, second = world.document(), world.member("editor"), world.member("editor")
    answer = World.ok(lock(world, document, first, reason="Chapter two"))
    assert answer["lock"]["by"] == {"kind": "user", "id": uid_of(first), "name": str(first.user)}
    assert answer["lock"]["reason"] == "Chapter two"
    refused = write(second, document)
    assert (refused.status_code, refused.json()["code"]) == (423, "locked")
    assert refused.json()["lock"]["by"]["id"] == uid_of(first)
    assert refused.json()["lock"]["expires_at"] == answer["lock"]["expires_at"]
    assert 3500 < int(refused.headers["Retry-After"]) <= 3601
    assert write(world.owner, document, title="Other").status_code == 423
    etag = second.get(f"documents/{document}/").headers["ETag"]
    path = f"documents/{document}/revisions/1/restore/"
    assert second.post(path, If_Match=etag).status_code == 423
    World.ok(write(first, document, content="mine"))
    assert second.post(path, If_Match=etag).status_code == 423
    assert World.ok(second.get(f"documents/{document}/"))["content"] == "mine"


def test_lock_refuses_a_merge(world: World) -> None:
    """A stale write that would merge is no way around."""
    document, holder, other = world.document(content="a\n\nb\n"), world.member("editor"), world.owner
    etag = other.get(f"documents/{document}/").headers["ETag"]
    World.ok(lock(world, document, holder))
    World.ok(write(holder, document, content="A\n\nb\n"))
    stale = other.patch(f"documents/{document}/", {"content": "a\n\nB\n"}, If_Match=etag)
    assert stale.status_code == 423


def test_lock_is_renewed_and_ends(world: World) -> None:
    """The holder renews; others take it once its time is over; nothing is written at its end."""
    document, first, second = world.document(), world.member("editor"), world.member("editor")
    before = World.ok(lock(world, document, first, expires_in=60))["lock"]["expires_at"]
    renewed = World.ok(lock(world, document, first, expires_in=28_800))
    assert renewed["lock"]["expires_at"] > before
    assert lock(world, document, second).status_code == 423
    Document.objects.update(lock_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert World.ok(second.get(f"documents/{document}/"))["lock"] is None
    World.ok(write(second, document))
    assert World.ok(lock(world, document, second))["lock"]["by"]["id"] == uid_of(second)


def test_lock_is_ended_by_its_holder(world: World) -> None:
    """204, and others write; where nothing is locked nothing happens."""
    document, first, second = world.document(), world.member("editor"), world.member("editor")
    path = f"documents/{document}/lock/"
    assert first.delete(path).status_code == 204
    World.ok(lock(world, document, first))
    assert first.delete(path).status_code == 204
    World.ok(write(second, document))
    actions = Event.objects.filter(action__in=["document.locked", "document.unlocked"])
    assert list(actions.order_by("sequence").values_list("action", flat=True)) == [
        "document.locked",
        "document.unlocked",
    ]


def test_lock_is_broken_by_a_manager_with_a_reason(world: World) -> None:
    """Editors don't, managers say why; the holder is told, and it is on the record."""
    document, holder, manager = world.document("Plan"), world.member("editor"), world.member("manager")
    other, path = world.member("editor"), f"documents/{document}/lock/"
    World.ok(lock(world, document, holder))
    assert other.delete(path + "?reason=x").status_code == 403
    missing = manager.delete(path)
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (400, "?reason")
    assert manager.delete(path + "?reason=On%20holiday").status_code == 204
    (news,) = [
        row for row in World.ok(holder.get("me/notifications/"))["results"] if row["kind"] == "lock.broken"
    ]
    assert (news["target"]["title"], news["facts"]["reason"]) == ("Plan", "On holiday")
    event = Event.objects.get(action="document.unlocked")
    assert event.detail.content["reason"] == "On holiday"


@pytest.mark.parametrize(
    "body",
    [{"expires_in": 0}, {"expires_in": 28_801}, {"expires_in": "60"}, {"reason": "x" * 501}, {"holder": 1}],
)
def test_lock_with_bad_input(world: World, body: dict[str, Any]) -> None:
    """From a second to eight hours, and a short reason."""
    assert lock(world, world.document(), **body).status_code == 400


def test_lock_by_others(world: World) -> None:
    """Readers don't lock, strangers find nothing, what is archived or in the trash isn't locked."""
    document, archived, thrown = world.document(), world.document(), world.document()
    World.ok(world.act(archived, "archive"))
    World.ok(world.act(thrown, "trash"))
    assert lock(world, document, world.member("commenter")).status_code == 403
    assert lock(world, document, world.client_for()).status_code == 404
    assert lock(world, archived).json()["code"] == "document_archived"
    assert lock(world, thrown).status_code == 410


def test_lock_leaves_the_place_alone(world: World) -> None:
    """Moving, sharing and the trash know no lock, and `updated_at` stays."""
    document, other, holder = world.document(), world.document(), world.member("editor")
    before = World.ok(world.owner.get(f"documents/{document}/"))
    after = World.ok(lock(world, document, holder))
    assert after["updated_at"] == before["updated_at"]
    World.ok(world.act(document, "move", parent=other))
    World.ok(world.act(document, "trash"))


def test_lock_costs_a_write_nothing(world: World) -> None:
    """It comes with the row; its holder's name is read for the refusal alone."""
    document, editor = world.document(), world.member("editor")
    World.ok(lock(world, document, editor))
    World.ok(write(editor, document, content="once"))
    etag = editor.get(f"documents/{document}/").headers["ETag"]
    with statements(10):
        World.ok(editor.patch(f"documents/{document}/", {"content": "twice"}, If_Match=etag))


@pytest.mark.django_db(transaction=True)
def test_lock_of_two_at_once_is_one_persons(client_for: Callable[..., ApiClient]) -> None:
    """The second waits for the row and finds it held."""
    world = World(client_for)
    document, first, second = world.document(), world.member("editor"), world.member("editor")
    answers = at_once([lambda: lock(world, document, first), lambda: lock(world, document, second)])
    assert sorted(answer.status_code for answer in answers) == [200, 423]
