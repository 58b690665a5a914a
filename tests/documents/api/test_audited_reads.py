"""Workspaces with `reads_audited`: who read what is on the record, before the answer goes out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from documents.caching import audited_rooms
from tests.documents.sharing import link_make, shared
from tests.documents.uploading import attach
from tests.documents.world import World
from tests.fixtures import client_make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(world: World) -> Iterator[World]:
    """A workspace whose owner wants reads on the record."""
    world.ok(world.owner.patch(f"workspaces/{world.workspace}/", {"policies": {"reads_audited": True}}))
    audited_rooms.refresh()
    yield world
    audited_rooms._value = frozenset()


def reads() -> list[Event]:
    """What was read, in order."""
    rows = Event.objects.filter(action__in=("document.read", "attachment.downloaded"))
    return list(rows.select_related("detail").order_by("sequence"))


@pytest.mark.parametrize(
    "path", ["", "content/", "html/", "revisions/1/", "revisions/1/diff/", "blame/", "?fields=title"]
)
def test_read_is_on_the_record(world: World, path: str) -> None:
    """By every route that shows a body: the reader, the document and its workspace."""
    document, reader = world.document("Page", content="Words"), world.member("viewer")
    assert reader.get(f"documents/{document}/{path}").status_code == 200
    (event,) = reads()
    assert (event.action, str(event.target_uid)) == ("document.read", document)
    assert (event.actor_uid, str(event.workspace_uid)) == (reader.user.uid, world.workspace)  # type: ignore[union-attr]
    assert event.detail.content["target"] == "Page"


def test_read_in_a_list(world: World) -> None:
    """Lists are reads of what they show the body of; without bodies they are none."""
    first, second = world.document("One"), world.document("Two")
    other = World(client_make)
    other.ok(other.add(world.owner, "viewer"), 201)
    other.document("Elsewhere")
    assert world.owner.get("documents/").status_code == 200
    assert reads() == []
    assert world.owner.get("documents/?expand=content&fields=title").status_code == 200
    assert reads() == []
    assert world.owner.get("documents/?expand=content").status_code == 200
    assert {str(event.target_uid) for event in reads()} == {first, second}
    assert world.owner.get("documents/?fields=content").status_code == 200
    World.ok(world.act(first, "trash"))
    assert world.owner.get(f"workspaces/{world.workspace}/trash/?expand=content").status_code == 200
    assert [str(event.target_uid) for event in reads()[4:]] == [first]


def test_read_by_the_address_for_people(world: World) -> None:
    """`/d/…` answers as the document's route does."""
    document = world.document("Page")
    address = World.ok(world.owner.get(f"documents/{document}/"))["url"].partition("/d/")[2]
    assert world.owner.call("GET", f"/d/{address}").status_code == 200
    assert [str(event.target_uid) for event in reads()] == [document, document]


def test_read_of_what_the_client_has(world: World) -> None:
    """A 304 and a HEAD show nothing and say nothing."""
    document, reader = world.document("Page"), world.member("viewer")
    etag = reader.get(f"documents/{document}/").headers["ETag"]
    assert reader.get(f"documents/{document}/", If_None_Match=etag).status_code == 304
    assert reader.call("HEAD", f"documents/{document}/").status_code == 200
    assert len(reads()) == 1


def test_read_by_link_is_the_links(world: World) -> None:
    """Who comes by a link has no name; the link is who read."""
    document = world.document("Page", content="Words")
    secret = link_make(world, document)["secret"]
    assert shared(secret).status_code == 200
    (event,) = reads()
    assert (event.actor_kind, str(event.target_uid)) == ("link", document)


def test_download_is_on_the_record(world: World) -> None:
    """A file by its name, with its document."""
    document = world.document("Page")
    attachment = attach(world, document, b"Plain words")
    assert world.owner.get(f"attachments/{attachment['id']}/file/").status_code == 200
    (event,) = reads()
    assert (event.action, str(event.target_uid)) == ("attachment.downloaded", attachment["id"])
    assert event.facts == {"document": document}


def test_read_elsewhere_costs_and_says_nothing(world: World) -> None:
    """Another workspace doesn't want it."""
    other = World(client_make)
    document = other.document("Page")
    other.owner.get(f"documents/{document}/")
    with CaptureQueriesContext(connection) as asked:
        other.owner.get(f"documents/{document}/")
    assert (len(asked), reads()) == (2, [])


def test_refused_read_is_none(world: World) -> None:
    """Nothing was shown."""
    assert client_make().get(f"documents/{world.document()}/").status_code == 404
    assert reads() == []
