"""GET documents/{id}/history/ and workspaces/{id}/events/."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.documents.world import World
from tests.fixtures import client_make

pytestmark = pytest.mark.django_db


def entries(client: Any, path: str) -> list[dict[str, Any]]:
    """The first page."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def edited(world: World, document: str, **fields: Any) -> None:
    """A change by the owner."""
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    answer = world.owner.patch(f"documents/{document}/", fields, If_Match=etag)
    assert answer.status_code == 200, answer.content


def test_history_tells_readers_what_happened(world: World) -> None:
    """Newest first; who, what and the fields of a revision, nothing of addresses or credentials."""
    document = world.document("Page")
    edited(world, document, title="Chapter", content="Words")
    newest, first = entries(world.member("viewer"), f"documents/{document}/history/")
    assert (first["action"], newest["action"]) == ("document.created", "document.updated")
    assert newest["changes"] == {
        "title": {"before": "Page", "after": "Chapter"},
        "content": {"before": 1, "after": 2},
    }
    assert newest["actor"]["id"] == str(world.owner.user.uid)  # type: ignore[union-attr]
    assert newest.keys() == {"sequence", "at", "action", "actor", "target", "changes", "reason", "count"}


def test_history_hides_where_a_document_stood(world: World) -> None:
    """A move names no parent: it may be hidden from the reader."""
    above, document = world.document("Above"), world.document("Page")
    world.ok(world.owner.post(f"documents/{document}/move/", {"parent": above}))
    newest = entries(world.member("viewer"), f"documents/{document}/history/")[0]
    assert (newest["action"], newest["changes"]) == ("document.moved", {})


def test_history_of_what_is_hidden(world: World) -> None:
    """404, as for every document that isn't there."""
    assert client_make().get(f"documents/{world.document()}/history/").status_code == 404


def test_history_takes_a_fixed_number_of_statements(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Session, document, events."""
    document = world.document("Page")
    for number in range(5):
        edited(world, document, content=f"{number}")
    world.owner.get(f"documents/{document}/history/")
    with django_assert_num_queries(3):
        world.owner.get(f"documents/{document}/history/")


def test_events_are_for_managers(world: World) -> None:
    """Editors see their documents, not what everybody does."""
    assert world.member("editor").get(f"workspaces/{world.workspace}/events/").status_code == 403
    assert client_make().get(f"workspaces/{world.workspace}/events/").status_code == 404


def test_events_of_a_workspace(world: World) -> None:
    """Documents, members and the workspace itself; nothing of other workspaces."""
    world.document("Page")
    other = World(client_make)
    other.document("Elsewhere")
    found = entries(world.member("manager"), f"workspaces/{world.workspace}/events/")
    assert [entry["action"] for entry in found] == ["member.added", "document.created", "workspace.created"]
    assert found[1]["target"]["name"] == "Page"


def test_events_withhold_what_is_hidden(world: World) -> None:
    """That something happened stays; which document it was, its name and values don't."""
    writer = world.member("editor")
    document = world.document("Secret plan", by=writer)
    world.ok(
        writer.post(f"documents/{document}/grants/", {"user": str(world.owner.user.uid), "role": "viewer"}),
        403,
    )  # type: ignore[union-attr]
    world.ok(world.owner.patch(f"documents/{document}/", {"inherits_access": False}))
    manager = world.member("manager")
    found = entries(manager, f"workspaces/{world.workspace}/events/")
    hidden = [entry for entry in found if entry["action"].startswith("document.")]
    assert hidden
    assert all(entry["target"] == {"type": "document", "id": None, "name": None} for entry in hidden)
    assert all((entry["changes"], entry["reason"]) == ({}, "") for entry in hidden)


def test_events_by_filter(world: World) -> None:
    """Actor, action and time, as auditors have them."""
    world.document("Page")
    path = f"workspaces/{world.workspace}/events/"
    assert [row["action"] for row in entries(world.owner, f"{path}?action=document.created")] == [
        "document.created"
    ]
    later = (timezone.now() + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert entries(world.owner, f"{path}?at__gte={later}") == []
    assert world.owner.get(f"{path}?actor=x").json()["errors"][0]["pointer"] == "?actor"


def test_events_take_a_fixed_number_of_statements(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Session, workspace, events, and which of the documents are seen."""
    for number in range(5):
        world.document(f"Page {number}")
    world.owner.get(f"workspaces/{world.workspace}/events/")
    with django_assert_num_queries(4):
        world.owner.get(f"workspaces/{world.workspace}/events/")
