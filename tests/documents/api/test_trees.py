"""`workspaces/{id}/tree/` in parts, and trees, children and documents as of a moment."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection

from tests.documents.world import ABSENT, World, statements
from tests.fixtures import ApiClient


def titles(nodes: list[Any]) -> list[Any]:
    """Titles, nested."""
    return [[node["title"], *titles(node["children"])] for node in nodes]


def tree(world: World, by: ApiClient, query: str = "") -> list[Any]:
    """What somebody sees."""
    return titles(World.ok(by.get(f"workspaces/{world.workspace}/tree/{query}")))


def clock() -> str:
    """The database's time of now, for a query string."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return quote(cursor.fetchone()[0].isoformat())


def test_tree_to_a_depth(world: World) -> None:
    """Deeper ones are left out, and `has_children` tells of them."""
    top = world.document("1")
    below = world.document("2", parent=top)
    world.document("3", parent=below)
    assert tree(world, world.owner, "?depth=2") == [["1", ["2"]]]
    nodes = World.ok(world.owner.get(f"workspaces/{world.workspace}/tree/?depth=1"))
    assert (nodes[0]["has_children"], nodes[0]["children"]) == (True, [])
    assert tree(world, world.owner, f"?parent={below}") == [["3"]]


def test_tree_in_pages(world: World) -> None:
    """The first level is cut, what stands below its nodes comes along, and Link leads on to the end."""
    for number in range(5):
        parent = world.document(str(number))
        world.document(f"{number}.1", parent=parent)
    path = f"workspaces/{world.workspace}/tree/?page_size=2"
    found = []
    while path:
        answer = world.owner.get(path)
        found.append(titles(World.ok(answer)))
        link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        path = link[1] if link else ""
    assert found == [[["0", ["0.1"]], ["1", ["1.1"]]], [["2", ["2.1"]], ["3", ["3.1"]]], [["4", ["4.1"]]]]
    for wrong in ("?cursor=x", "?page_size=0", "?page_size=201", "?page_size=2&at=2030-01-01T00:00:00Z"):
        assert world.owner.get(f"workspaces/{world.workspace}/tree/{wrong}").status_code == 400


def test_tree_in_pages_of_who_sees_parts(world: World) -> None:
    """What was granted below something hidden is on the first level, behind the tops."""
    reader = world.client_for()
    hidden = world.document("Hidden")
    for number in range(3):
        world.grant(world.document(str(number), parent=hidden), reader, "viewer")
    world.grant(world.document("Top"), reader, "viewer")
    outsider_path = f"workspaces/{world.workspace}/tree/"
    assert reader.get(outsider_path).status_code == 404
    World.ok(world.add(reader, "viewer"), 201)
    World.ok(world.owner.patch(f"documents/{hidden}/", {"inherits_access": False}))
    first = reader.get(outsider_path + "?page_size=2")
    assert titles(World.ok(first)) == [["Top"], ["0"]]
    following = re.search(r"<([^>]+)>", first.headers["Link"])
    assert following is not None
    assert titles(World.ok(reader.get(following[1]))) == [["1"], ["2"]]


def test_tree_takes_as_many_statements_for_many(world: World) -> None:
    """Three, in pages as well."""
    for number in range(12):
        world.document(str(number))
    for query in ("", "?page_size=3"):
        with statements(3):  # 1 sign-in, 2 workspace, 3 tree
            tree(world, world.owner, query)


def test_tree_and_children_of_a_moment(world: World) -> None:
    """Places, titles and states are those of then."""
    top, other = world.document("Top"), world.document("Other")
    first, second = world.document("first", parent=top), world.document("second", parent=top)
    then = clock()
    World.ok(world.act(first, "move", parent=other))
    World.ok(world.act(second, "trash"))
    etag = world.owner.get(f"documents/{top}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{top}/", {"title": "New"}, If_Match=etag))
    world.document("later", parent=top)
    World.ok(world.act(other, "archive"))
    assert tree(world, world.owner) == tree(world, world.owner, f"?at={clock()}") == [["New", ["later"]]]
    assert tree(world, world.owner, f"?at={then}") == [["Top", ["first"], ["second"]], ["Other"]]
    assert tree(world, world.owner, f"?at={then}&depth=1") == [["Top"], ["Other"]]
    assert tree(world, world.owner, f"?at={then}&parent={top}") == [["first"], ["second"]]
    rows = World.ok(world.owner.get(f"documents/{top}/children/?at={then}"))["results"]
    assert [(row["title"], row["parent"]) for row in rows] == [("first", top), ("second", top)]
    page = World.ok(world.owner.get(f"documents/{top}/children/?at={then}&page_size=1"))
    assert [row["title"] for row in World.ok(world.owner.get(page["next"]))["results"]] == ["second"]
    assert tree(world, world.owner, "?at=2020-01-01T00:00:00Z") == []


def test_document_of_a_moment(world: World) -> None:
    """The whole answer of then: body, fields, revision, place, who wrote it; and an ETag of its own."""
    editor = world.member("editor")
    parent = world.document("Parent")
    document = world.document("Old", content="old", tags=["a"], parent=parent)
    path = f"documents/{document}/"
    was, then = World.ok(world.owner.get(path)), clock()
    etag = editor.get(path).headers["ETag"]
    World.ok(editor.patch(path, {"title": "New", "content": "new", "tags": []}, If_Match=etag))
    World.ok(world.act(document, "move", parent=None))
    answer = world.owner.get(f"{path}?at={then}")
    assert World.ok(answer) == was
    assert answer.headers["ETag"] != world.owner.get(path).headers["ETag"]
    assert world.owner.get(f"{path}?at={then}", If_None_Match=answer.headers["ETag"]).status_code == 304
    assert World.ok(world.owner.get(f"{path}?at={then}&fields=title")) == {
        "id": document,
        "revision": 1,
        "title": "Old",
    }
    assert world.owner.get(f"{path}?at=2020-01-01T00:00:00Z").status_code == 404


def test_moments_are_read_under_todays_rights(world: World) -> None:
    """Who may not see it now doesn't see what it was, nor the place that is hidden from them by now."""
    viewer = world.member("viewer")
    parent = world.document("Parent")
    document = world.document("Page", parent=parent)
    then = clock()
    World.ok(world.act(document, "move", parent=None))
    World.ok(world.owner.patch(f"documents/{parent}/", {"inherits_access": False}))
    assert tree(world, viewer, f"?at={then}") == [["Page"]]
    assert World.ok(viewer.get(f"documents/{document}/?at={then}"))["parent"] is None
    assert viewer.get(f"documents/{parent}/children/?at={then}").status_code == 404
    outsider = world.client_for()
    for uid in (document, ABSENT):
        assert outsider.get(f"documents/{uid}/?at={then}").status_code == 404


def test_moment_of_what_lies_in_the_trash_now(world: World) -> None:
    """Is for those who may edit it, as the trash is."""
    top = world.document("Top")
    gone = world.document("Gone", parent=top)
    then = clock()
    World.ok(world.act(gone, "trash"))
    for person, titles_then in ((world.member("editor"), ["Gone"]), (world.member("viewer"), [])):
        assert tree(world, person, f"?at={then}&parent={top}") == [[title] for title in titles_then]
        rows = World.ok(person.get(f"documents/{top}/children/?at={then}"))["results"]
        assert [row["title"] for row in rows] == titles_then


def test_moment_in_the_trash(world: World) -> None:
    """As if it lay there now."""
    document, viewer = world.document(), world.member("viewer")
    World.ok(world.act(document, "trash"))
    then = clock()
    World.ok(world.act(document, "restore"))
    assert world.owner.get(f"documents/{document}/?at={then}").json()["code"] == "trashed"
    assert viewer.get(f"documents/{document}/?at={then}").status_code == 404
    assert tree(world, viewer, f"?at={then}") == []


@pytest.mark.parametrize("at", ["now", "2020-13-01T00:00:00Z", "", "1"])
def test_moment_that_is_none(world: World, at: str) -> None:
    """Refused with the parameter named, on all three."""
    document = world.document()
    for path in (
        f"documents/{document}/",
        f"documents/{document}/children/",
        f"workspaces/{world.workspace}/tree/",
    ):
        answer = world.owner.get(f"{path}?at={at}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "?at")


def test_statements_of_a_moment(world: World) -> None:
    """As many for many children."""
    top = world.document("Top")
    for number in range(3):
        world.document(str(number), parent=top)
    then = clock()
    # 1 sign-in, 2 document, 3 places, 4 today, 5 revisions, 6 parents, 7 workspaces
    with statements(7):
        World.ok(world.owner.get(f"documents/{top}/children/?at={then}"))
    with statements(3):  # 1 sign-in, 2 workspace, 3 tree
        tree(world, world.owner, f"?at={then}")


def test_tree_in_pages_misses_nothing_below_something_hidden(world: World) -> None:
    """What hangs below a node of the first level, with something hidden between, ends no page early."""
    first, reader = world.document("First"), world.member("viewer")
    hidden = world.document("Hidden", parent=first)
    below = world.document("Below", parent=hidden)
    room = world.document("Room", state="draft")
    deep = world.document("Deep", parent=world.document("Between", parent=world.document("In", parent=room)))
    World.ok(world.owner.patch(f"documents/{hidden}/", {"inherits_access": False}))
    for granted in (below, deep):
        world.grant(granted, reader, "viewer")
    path, seen = f"workspaces/{world.workspace}/tree/?page_size=1", []
    while path:
        answer = reader.get(path)
        seen += [node["title"] for node in World.ok(answer)]
        path = answer.headers.get("Link", "").partition("/api/v1/")[2].partition(">")[0]
    assert seen == ["First", "Below", "Deep"]
