"""A team at work on a real book: imported by the operator, read, found, edited together, taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from audit.models import Event
from documents.models import Document
from tests.accounts.factories import user_make
from tests.documents.world import World
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)


def _import(folder: Path, owner: str) -> None:
    call_command("import_documents", str(folder), workspace="book", owner=owner)


@pytest.fixture
def book(real_texts: Path, client_for: Callable[..., ApiClient]) -> dict[str, Any]:
    """The Rust book in a workspace, with its owner, a second person and a stranger."""
    folder = real_texts / "rust-book" / "src"
    if not folder.is_dir():
        pytest.skip("the folder of real texts holds no rust-book")
    owner = user_make(email="owner@example.org")
    _import(folder, owner.email)
    boss = client_for(owner)
    workspace = World.ok(boss.get("workspaces/"))["results"][0]["id"]
    return {"folder": folder, "boss": boss, "ada": client_for(), "eve": client_for(), "workspace": workspace}


def test_book_import_makes_each_file_a_document_and_again_changes_nothing(book: dict[str, Any]) -> None:
    """One document and one event a file; titles, order and links of the book; a second run is idle."""
    files = len(list(book["folder"].rglob("*.md")))
    assert Document.objects.count() == files
    assert Event.objects.filter(action="document.created").count() == files
    tree = World.ok(book["boss"].get(f"workspaces/{book['workspace']}/tree/?depth=2"))
    titles = [node["title"] for node in tree]
    assert titles.index("Getting Started") < titles.index("Understanding Ownership")
    chapter = tree[titles.index("Understanding Ownership")]
    assert [child["title"] for child in chapter["children"]] == [
        "What Is Ownership?",
        "References and Borrowing",
        "The Slice Type",
    ]
    events = Event.objects.count()
    _import(book["folder"], "owner@example.org")
    assert Document.objects.count() == files
    assert Event.objects.count() == events


def test_book_journey_of_a_team(book: dict[str, Any]) -> None:
    """Viewer, editor, concurrent edit, revisions, diff, restore; and for a stranger there is no book."""
    boss, ada, eve = book["boss"], book["ada"], book["eve"]
    members = f"workspaces/{book['workspace']}/members/"
    member = World.ok(boss.post(members, {"user": str(ada.user.uid), "role": "viewer"}), 201)["id"]
    found = World.ok(ada.get("search/?q=ownership"))["results"]
    assert [hit["document"]["title"] for hit in found[:2]] == [
        "Understanding Ownership",
        "What Is Ownership?",
    ]
    path = f"documents/{found[1]['document']['id']}/"
    read = ada.get(path)
    body, etag = read.json()["content"], read.headers["ETag"]
    lines = body.splitlines(keepends=True)
    theirs = "".join(["# Ownership, What Is It?\n", *lines[1:]])
    mine = body + "\nRead on in the next chapter.\n"
    assert ada.patch(path, {"content": mine}, If_Match=etag).status_code == 403
    World.ok(boss.patch(f"{members}{member}/", {"role": "editor"}))
    World.ok(boss.patch(path, {"content": theirs}, If_Match=etag))
    merged = World.ok(ada.patch(path, {"content": mine}, If_Match=etag))
    assert merged["merged"] is True
    assert merged["content"] == theirs + "\nRead on in the next chapter.\n"
    clash = ada.patch(path, {"content": "# Mine\n" + "".join(lines[1:])}, If_Match=etag)
    assert (clash.status_code, clash.json()["code"]) == (409, "edit_conflict")
    assert [r["number"] for r in World.ok(ada.get(path + "revisions/"))["results"]] == [3, 2, 1]
    assert "+Read on in the next chapter." in ada.get(path + "revisions/3/diff/?against=2").content.decode()
    back = World.ok(ada.post(path + "revisions/1/restore/", {}, If_Match=ada.get(path).headers["ETag"]))
    assert (back["content"], back["revision"]) == (body, 4)
    hidden = [eve.get(path), eve.get(path + "revisions/"), eve.get(f"workspaces/{book['workspace']}/")]
    assert {answer.status_code for answer in hidden} == {404}
    assert World.ok(eve.get("search/?q=ownership"))["results"] == []
