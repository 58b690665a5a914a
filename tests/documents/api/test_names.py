"""Documents show people under the name of this moment, though processes keep names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from accounts.models import PeopleStamp, User
from tests.documents.world import World, statements
from tests.fixtures import ApiClient

Read = Callable[[World, str, ApiClient], dict[str, Any]]


def _one(world: World, document: str, reader: ApiClient) -> dict[str, Any]:
    shown: dict[str, Any] = World.ok(reader.get(f"documents/{document}/"))
    return shown


def _listed(world: World, document: str, reader: ApiClient) -> dict[str, Any]:
    return next(row for row in World.ok(reader.get("documents/"))["results"] if row["id"] == document)


def _found(world: World, document: str, reader: ApiClient) -> dict[str, Any]:
    (hit,) = World.ok(reader.get("search/?q=Nomenclature"))["results"]
    found: dict[str, Any] = hit["document"]
    return found


def _names(shown: dict[str, Any]) -> tuple[str, str, str]:
    return shown["created_by"]["name"], shown["updated_by"]["name"], shown["lock"]["by"]["name"]


def stamp() -> int | None:
    """What names are kept under."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT bit_xor(stamp) FROM accounts_peoplestamp")
        found: int | None = cursor.fetchone()[0]
        return found


def _rename(person: ApiClient, name: str) -> None:
    World.ok(person.patch("me/", {"name": name}))


@pytest.mark.parametrize("read", [_one, _listed, _found])
def test_new_name_stands_at_once(world: World, read: Read) -> None:
    """Who made it, who changed it last, who holds its lock: the very next answer has the new name."""
    document, reader = world.document("Nomenclature"), world.member("viewer")
    World.ok(world.act(document, "lock"))
    before = _names(read(world, document, reader))
    _rename(world.owner, "Ada Renamed")
    assert _names(read(world, document, reader)) == ("Ada Renamed",) * 3 != before


def test_new_name_is_another_version(world: World) -> None:
    """Who holds the answer with the old name is given the new one; their edit still fits its revision."""
    document, editor = world.document(), world.member("editor")
    held = editor.get(f"documents/{document}/").headers["ETag"]
    _rename(world.owner, "Ada Renamed")
    assert editor.get(f"documents/{document}/", If_None_Match=held).status_code == 200
    assert editor.patch(f"documents/{document}/", {"title": "New"}, If_Match=held).status_code == 200


def test_new_name_costs_the_next_reader_one_look(world: World) -> None:
    """For the people, and for the workspaces that are kept beside them; then two statements again."""
    document = world.document()
    _rename(world.owner, "Ada Renamed")
    with statements(4):
        world.owner.get(f"documents/{document}/")
    with statements(2):
        world.owner.get(f"documents/{document}/")


def test_name_that_is_written_past_the_services_stands_at_once(world: World) -> None:
    """In bulk, by the ORM: the database itself notices."""
    document = world.document("Page")
    _one(world, document, world.owner)
    User.objects.filter(pk=world.owner.user.pk).update(name="Ada Bulk")  # type: ignore[union-attr]
    assert _one(world, document, world.owner)["created_by"]["name"] == "Ada Bulk"


def test_what_is_no_name_renews_nothing(world: World) -> None:
    """The same name once more, a stamp of rights, a new person: nobody has to look anew."""
    before = stamp()
    _rename(world.owner, World.ok(world.owner.get("me/"))["name"])
    world.member("viewer")
    assert stamp() == before


def test_name_that_was_rolled_back_is_forgotten(world: World) -> None:
    """Whoever saw it kept it under a stamp that never comes again."""
    document = world.document()
    before = _one(world, document, world.owner)["created_by"]
    with transaction.atomic():
        User.objects.filter(pk=world.owner.user.pk).update(name="Ada Undone")  # type: ignore[union-attr]
        assert _one(world, document, world.owner)["created_by"]["name"] == "Ada Undone"
        transaction.set_rollback(True)
    assert _one(world, document, world.owner)["created_by"] == before


def test_names_are_shown_without_a_stamp(world: World) -> None:
    """Where its row is lost nothing is kept, and the next new name brings it back."""
    document = world.document()
    PeopleStamp.objects.all().delete()
    User.objects.filter(pk=world.owner.user.pk).update(name="Ada Alone")  # type: ignore[union-attr]
    assert PeopleStamp.objects.count() == 1
    PeopleStamp.objects.all().delete()
    assert _one(world, document, world.owner)["created_by"]["name"] == "Ada Alone"


def _elsewhere() -> psycopg.Connection[Any]:
    """Another connection of the application, which begins a transaction."""
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    return psycopg.connect(**{name: parameters[name] for name in names if name in parameters})


def _named(other: psycopg.Connection[Any], person: ApiClient, name: str) -> None:
    assert person.user is not None
    other.execute("UPDATE accounts_user SET name = %s WHERE id = %s", [name, person.user.pk])


@pytest.mark.django_db(transaction=True)
def test_name_is_the_old_one_until_it_is_committed(client_for: Callable[..., ApiClient]) -> None:
    """Another connection renames and takes its time: what was read meanwhile is not kept beyond it."""
    world = World(client_for)
    document = world.document()
    before = _one(world, document, world.owner)["created_by"]["name"]
    with _elsewhere() as other:
        _named(other, world.owner, "Ada Elsewhere")
        assert _one(world, document, world.owner)["created_by"]["name"] == before
    assert _one(world, document, world.owner)["created_by"]["name"] == "Ada Elsewhere"


@pytest.mark.django_db(transaction=True)
def test_new_names_wait_for_no_others(client_for: Callable[..., ApiClient]) -> None:
    """Or two who hold each other's rows would wait for ever; each is seen as soon as it is committed."""
    world = World(client_for)
    editor = world.member("editor")
    first, second = world.document(), world.document(by=editor)
    with _elsewhere() as other:
        _named(other, editor, "Ed Elsewhere")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1s'")
            User.objects.filter(pk=world.owner.user.pk).update(name="Ada Here")  # type: ignore[union-attr]
        assert _one(world, first, world.owner)["created_by"]["name"] == "Ada Here"
        assert _one(world, second, world.owner)["created_by"]["name"] != "Ed Elsewhere"
    assert _one(world, second, world.owner)["created_by"]["name"] == "Ed Elsewhere"
    assert PeopleStamp.objects.count() == 2
    _rename(world.owner, "Ada Again")
    assert PeopleStamp.objects.count() == 1
    assert _one(world, first, world.owner)["created_by"]["name"] == "Ada Again"
