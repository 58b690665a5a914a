"""`workspaces/{id}/snapshots/`: naming a moment, comparing with it, going back to it."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from django.core.management import call_command

from audit.models import Event
from documents import limits
from documents.models import Document, Placement, Snapshot, Workspace
from tests.documents.jobs import job_done
from tests.documents.world import ABSENT, World, statements
from tests.fixtures import ApiClient

Tree = dict[str, Any]


def take(world: World, by: ApiClient | None = None, **fields: Any) -> str:
    """The path of a new snapshot."""
    path = f"workspaces/{world.workspace}/snapshots/"
    made = World.ok((by or world.owner).post(path, {"name": "Then", **fields}), 201)
    return f"{path}{made['id']}/"


def tree(world: World, by: ApiClient | None = None) -> Tree:
    """Titles by titles, in their order."""

    def nested(nodes: list[Any]) -> Tree:
        return {node["title"]: nested(node["children"]) for node in nodes}

    return nested(World.ok((by or world.owner).get(f"workspaces/{world.workspace}/tree/")))


def compare(world: World, path: str, query: str = "", by: ApiClient | None = None) -> Any:
    """What differs."""
    return World.ok((by or world.owner).get(f"{path}compare/{query}"))


def differing(world: World, path: str, query: str = "") -> dict[str, list[str]]:
    """The changes by titles of today, or of then."""
    rows = compare(world, path, query)["results"]
    return {(row["after"] or row["before"])["title"]: row["changes"] for row in rows}


def restore(world: World, path: str, by: ApiClient | None = None, **body: Any) -> Any:
    """The numbers of what was brought back."""
    return World.ok((by or world.owner).post(f"{path}restore/", body))


def edit(world: World, page: str, **changes: Any) -> None:
    """Write a document."""
    etag = world.owner.get(f"documents/{page}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{page}/", changes, If_Match=etag))


def move(world: World, page: str, parent: str | None) -> None:
    """Move a document."""
    World.ok(world.act(page, "move", parent=parent))


def consistent() -> None:
    """What derives from places says what they say; trees in the trash have their root, places a history."""
    call_command("check_access", stdout=io.StringIO())
    for row in Document.objects.select_related("parent", "trash_root"):
        assert row.parent is None or not row.parent.is_trashed or row.is_trashed
        assert row.trash_root is None or row.trash_root.is_trashed
        [place] = Placement.objects.filter(document=row, valid_to=None)
        assert (place.parent_id, place.position) == (row.parent_id, row.position)
        assert place.trashed == row.is_trashed


# --- naming ---
def test_snapshot_names_a_moment(world: World) -> None:
    """Of the workspace or of a subtree, with how many documents stood; renamed and forgotten."""
    top = world.document("Top")
    world.document("Leaf", parent=top)
    trashed = world.document("Trashed")
    World.ok(world.act(trashed, "trash"))
    manager = world.member("manager")
    path = take(world, manager)
    found = World.ok(manager.get(path))
    assert (found["name"], found["documents"], found["root"]) == ("Then", 2, None)
    assert found["created_by"]["id"] == str(manager.user.uid)
    part = take(world, root=top, name="Part")
    assert World.ok(manager.get(part))["root"] == top
    assert World.ok(manager.patch(path, {"name": "Before the move"}))["name"] == "Before the move"
    listed = World.ok(manager.get(f"workspaces/{world.workspace}/snapshots/"))["results"]
    assert [row["name"] for row in listed] == ["Part", "Before the move"]
    World.ok(manager.delete(path), 204)
    assert manager.get(path).status_code == 404
    assert Document.objects.count() == 3


def test_snapshot_with_bad_roots(world: World) -> None:
    """Absent, of another workspace, or in the trash: named, and nothing is made."""
    other = World(world.client_for)
    other.ok(other.add(world.owner, "manager"), 201)
    path, trashed = f"workspaces/{world.workspace}/snapshots/", world.document("Trashed")
    World.ok(world.act(trashed, "trash"))
    for root, status in ((ABSENT, 404), (other.document("Abroad"), 400), (trashed, 410), ("x", 400)):
        assert world.owner.post(path, {"name": "Then", "root": root}).status_code == status
    assert world.owner.post(path, {"name": ""}).status_code == 400
    assert not Snapshot.objects.exists()


def test_snapshot_of_a_hidden_subtree_does_not_show(world: World) -> None:
    """Not to managers who don't manage its root."""
    draft = world.document("Draft", state="draft")
    path = take(world, root=draft)
    manager = world.member("manager")
    assert manager.get(path).status_code == 404
    assert World.ok(manager.get(f"workspaces/{world.workspace}/snapshots/"))["results"] == []
    assert manager.post(f"{path}restore/", {}).status_code == 404


def test_snapshot_goes_with_its_root(world: World) -> None:
    """Once the root is purged there is nothing that it could name."""
    top = world.document("Top")
    path = take(world, root=top)
    World.ok(world.act(top, "trash"))
    World.ok(world.owner.get(path))
    World.ok(world.owner.delete(f"documents/{top}/"), 204)
    assert world.owner.get(path).status_code == 404


# --- comparing ---
def test_compare_names_each_change(world: World) -> None:
    """Added, removed, moved and changed, with both sides; what is as it was stays out."""
    pages = {name: world.document(name) for name in ("Same", "Gone", "Moved", "Changed", "Both")}
    path = take(world)
    assert differing(world, path) == {}
    new = world.document("New", parent=pages["Same"])
    World.ok(world.act(pages["Gone"], "trash"))
    move(world, pages["Moved"], pages["Same"])
    edit(world, pages["Changed"], content="other")
    edit(world, pages["Both"], title="Renamed")
    move(world, pages["Both"], new)
    assert differing(world, path) == {
        "Gone": ["removed"],
        "Moved": ["moved"],
        "Changed": ["changed"],
        "Renamed": ["moved", "changed"],
        "New": ["added"],
    }
    assert differing(world, path, "?change=moved").keys() == {"Moved", "Renamed"}
    [both] = [row for row in compare(world, path)["results"] if row["id"] == pages["Both"]]
    assert both["before"] == {"title": "Both", "parent": None, "state": "published", "revision": 1}
    assert both["after"] == {"title": "Renamed", "parent": new, "state": "published", "revision": 2}


def test_compare_two_snapshots(world: World) -> None:
    """What happened between them, whichever way round."""
    page = world.document("Page")
    first = take(world)
    edit(world, page, content="other")
    second = take(world)
    world.document("Later")
    ids = [path.rstrip("/").rpartition("/")[2] for path in (first, second)]
    assert differing(world, first, f"?against={ids[1]}") == {"Page": ["changed"]}
    assert differing(world, second, f"?against={ids[0]}") == {"Page": ["changed"]}
    assert world.owner.get(f"{first}compare/?against={ABSENT}").status_code == 404
    assert world.owner.get(f"{first}compare/?against=then").status_code == 400


def test_compare_counts_what_is_hidden(world: World) -> None:
    """How many more differ, and nothing of which."""
    manager = world.member("manager")
    path = take(world)
    world.document("Secret", state="draft")
    found = compare(world, path, by=manager)
    assert (found["hidden"], found["results"]) == (1, [])
    assert "Secret" not in str(found)


def test_compare_of_a_subtree(world: World) -> None:
    """What left it is removed from it, wherever it stands now."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    path = take(world, root=top)
    move(world, leaf, None)
    world.document("Outside")
    assert differing(world, path) == {"Leaf": ["removed"]}


def test_compare_by_pages(world: World) -> None:
    """There and back again, in three statements besides the snapshot's own."""
    path = take(world)
    for number in range(5):
        world.document(str(number))
    first = compare(world, path, "?page_size=2")
    second = World.ok(world.owner.get(first["next"]))
    last = World.ok(world.owner.get(second["next"]))
    pages = [[row["after"]["title"] for row in page["results"]] for page in (first, second, last)]
    assert pages == [["0", "1"], ["2", "3"], ["4"]]
    assert last["next"] is None
    assert World.ok(world.owner.get(second["previous"]))["results"] == first["results"]
    with statements(5):  # 1 sign-in, 2 the workspace, 3 the snapshot, 4 the page, 5 parents
        compare(world, path)


# --- going back ---
def test_restore_brings_everything_back(world: World) -> None:
    """Places, order, titles and bodies; what came later is in the trash; and all of it is undone again."""
    top = world.document("Top", content="# Top\n")
    ids = {name: world.document(name, parent=top) for name in ("A", "B", "C")}
    deep = world.document("Deep", parent=ids["A"])
    was = tree(world)
    path = take(world)
    move(world, ids["B"], deep)
    move(world, ids["C"], None)
    new = world.document("New", parent=ids["C"])
    move(world, ids["A"], new)
    edit(world, deep, title="Renamed", content="other")
    World.ok(world.act(ids["B"], "trash"))
    now, body = tree(world), World.ok(world.owner.get(f"documents/{deep}/"))
    done = restore(world, path)
    consistent()
    assert tree(world) == was
    assert (done["documents"], done["trashed"], done["brought_back"], done["revised"]) == (5, 1, 1, 1)
    assert world.owner.get(f"documents/{new}/").status_code == 410
    back = World.ok(world.owner.get(f"documents/{deep}/"))
    assert (back["title"], back["revision"], back["content"]) == ("Deep", 3, "")
    assert World.ok(world.owner.get(f"documents/{deep}/revisions/"))["results"][0]["note"] == (
        "As in the snapshot “Then”"
    )
    undone = restore(world, f"workspaces/{world.workspace}/snapshots/{done['before']}/")
    consistent()
    assert tree(world) == now
    assert World.ok(world.owner.get(f"documents/{deep}/"))["title"] == body["title"]
    assert (undone["trashed"], undone["brought_back"]) == (1, 1)


def test_restore_of_a_subtree_leaves_the_rest_alone(world: World) -> None:
    """What was moved in goes back to where it stood; what stands beside keeps what became of it."""
    top, beside = world.document("Top"), world.document("Beside")
    leaf = world.document("Leaf", parent=top)
    guest = world.document("Guest", parent=beside)
    path = take(world)
    move(world, guest, leaf)
    move(world, leaf, beside)
    edit(world, beside, title="Renamed")
    world.document("New", parent=beside)
    now = tree(world)
    done = restore(world, path, document=top)
    consistent()
    assert tree(world) == {"Top": {"Leaf": {}}, "Renamed": {"Guest": {}, "New": {}}}
    restore(world, f"workspaces/{world.workspace}/snapshots/{done['before']}/")
    consistent()
    assert tree(world) == now


def test_restore_of_a_subtree_turned_round(world: World) -> None:
    """A child that stands above its parent now: no cycle, and both stand as they did."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    path = take(world)
    move(world, leaf, None)
    move(world, top, leaf)
    restore(world, path, document=leaf)
    consistent()
    assert tree(world) == {"Top": {"Leaf": {}}}


def test_restore_out_of_the_trash_where_the_place_is_gone(world: World) -> None:
    """Below a trashed parent it can't stand: on top of the workspace, then, and the parent stays away."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    below = world.document("Below", parent=leaf)
    path = take(world)
    World.ok(world.act(top, "trash"))
    done = restore(world, path, document=leaf)
    consistent()
    assert tree(world) == {"Leaf": {"Below": {}}}
    assert done["brought_back"] == 2
    World.ok(world.act(top, "restore"))
    assert tree(world) == {"Top": {}, "Leaf": {"Below": {}}}
    assert World.ok(world.owner.get(f"documents/{below}/"))["parent"] == leaf


def test_restore_leaves_the_rest_of_a_trashed_tree_restorable(world: World) -> None:
    """What came later and was trashed together with what stood lies there by itself afterwards."""
    top = world.document("Top")
    path = take(world)
    later = world.document("Later", parent=top)
    world.document("Latest", parent=later)
    World.ok(world.act(top, "trash"))
    restore(world, path)
    consistent()
    assert tree(world) == {"Top": {}}
    World.ok(world.act(later, "restore"))
    assert tree(world) == {"Top": {"Later": {"Latest": {}}}}


def test_restore_counts_what_it_cannot_bring_back(world: World) -> None:
    """Purged documents, and those that stand in another workspace now, which stay there."""
    abroad = World.ok(world.owner.post("workspaces/", {"name": "Abroad"}), 201)["id"]
    gone, away = world.document("Gone"), world.document("Away")
    path = take(world)
    World.ok(world.act(gone, "trash"))
    World.ok(world.owner.delete(f"documents/{gone}/"), 204)
    World.ok(world.act(away, "move", workspace=abroad, parent=None))
    done = restore(world, path)
    assert (done["purged"], done["elsewhere"], done["documents"]) == (1, 1, 0)
    assert World.ok(world.owner.get(f"documents/{away}/"))["workspace"] == abroad


def test_restore_of_what_one_does_not_see_is_for_owners(world: World) -> None:
    """Managers are told how many parts are hidden; owners restore those, too, and see none of them by it."""
    manager, editor = world.member("manager"), world.member("editor")
    page = world.document("Page")
    draft = world.document("Draft", by=editor, state="draft", parent=page)
    path = take(world)
    World.ok(world.act(draft, "trash", by=editor))
    answer = manager.post(f"{path}restore/", {})
    assert (answer.status_code, answer.json()["code"], answer.json()["hidden"]) == (409, "hidden_parts", 1)
    assert editor.get(f"documents/{draft}/").status_code == 410
    assert restore(world, path)["hidden"] == 1
    consistent()
    assert World.ok(editor.get(f"documents/{draft}/"))["state"] == "draft"
    assert world.owner.get(f"documents/{draft}/").status_code == 404


def test_restore_past_what_is_hidden(world: World) -> None:
    """What one doesn't see and it doesn't reach is in nobody's way: not when it is done, nor undone."""
    manager, editor = world.member("manager"), world.member("editor")
    page, other = world.document("Page"), world.document("Other")
    world.document("Draft", by=editor, state="draft", parent=page)
    path = take(world, manager)
    move(world, other, page)
    now = tree(world)
    done = restore(world, path, by=manager)
    assert (done["moved"], done["hidden"]) == (1, 0)
    restore(world, f"workspaces/{world.workspace}/snapshots/{done['before']}/", by=manager)
    assert tree(world) == now
    move(world, other, None)
    move(world, page, other)
    answer = manager.post(f"{path}restore/", {})
    assert (answer.status_code, answer.json()["code"], answer.json()["hidden"]) == (409, "hidden_parts", 1)


def test_restore_needs_the_right_on_all_of_it(world: World) -> None:
    """A document that a manager of the workspace may only read is not changed by them."""
    manager = world.member("manager")
    cut = world.document("Cut", state="draft")
    world.grant(cut, manager, "viewer")
    path = take(world)
    edit(world, cut, content="other")
    answer = manager.post(f"{path}restore/", {})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert World.ok(world.owner.get(f"documents/{cut}/"))["content"] == "other"


def test_restore_waits_for_who_writes(world: World) -> None:
    """A document that somebody locked refuses a new body, and so nothing of it all happens."""
    editor, page, other = world.member("editor"), world.document("Page"), world.document("Other")
    path = take(world)
    edit(world, page, content="other")
    move(world, other, page)
    World.ok(world.act(page, "lock", by=editor))
    now = tree(world)
    answer = world.owner.post(f"{path}restore/", {})
    assert (answer.status_code, answer.json()["code"]) == (423, "locked")
    assert tree(world) == now
    assert Snapshot.objects.count() == 1


def test_restore_keeps_states_and_rights(world: World) -> None:
    """Nobody is let in or shut out by it, but for where a document stands."""
    page = world.document("Page")
    path = take(world)
    World.ok(world.act(page, "archive"))
    edited = restore(world, path)
    assert (edited["moved"], edited["revised"]) == (0, 0)
    assert World.ok(world.owner.get(f"documents/{page}/"))["state"] == "archived"


def test_restore_of_what_the_snapshot_does_not_hold(world: World) -> None:
    """Named, and nothing changes."""
    part, beside = world.document("Part"), world.document("Beside")
    path = take(world, root=part)
    later = world.document("Later", parent=part)
    for page in (beside, later):
        answer = world.owner.post(f"{path}restore/", {"document": page})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "not_in_snapshot")
    assert world.owner.post(f"{path}restore/", {"document": ABSENT}).status_code == 404
    assert Snapshot.objects.count() == 1


def test_restore_is_on_the_record(world: World) -> None:
    """One event of the whole, and one of each document that was touched."""
    page, other = world.document("Page"), world.document("Other")
    path = take(world)
    move(world, other, page)
    edit(world, page, content="other")
    world.document("New")
    last = Event.objects.latest("sequence").sequence
    restore(world, path)
    events = Event.objects.filter(sequence__gt=last).values_list("action", flat=True)
    assert sorted(events) == [
        "document.moved",
        "document.trashed",
        "document.updated",
        "snapshot.created",
        "snapshot.restored",
    ]


def test_restore_of_much_is_a_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """202 with the job, the workspace reserved meanwhile; its result is the answer."""
    monkeypatch.setattr(limits, "RESTORE_IN_REQUEST", 0)
    page, other = world.document("Page"), world.document("Other")
    was, path = tree(world), take(world)
    move(world, other, page)
    answer = world.owner.post(f"{path}restore/", {})
    assert world.act(page, "trash").status_code == 423
    assert job_done(world.owner, answer)["result"]["moved"] == 1
    assert (tree(world), Workspace.objects.get().busy_job) == (was, None)
    consistent()


@pytest.mark.parametrize("seed", range(3))
def test_restore_after_anything(world: World, seed: int) -> None:
    """Whatever is done to a tree: it stands again as it stood, and then again as it was left."""
    chance = random.Random(seed)
    pages: list[str] = []
    for number in range(8):
        parent = chance.choice([None, *pages])
        pages.append(world.document(f"Page {number}", parent=parent))
    was, path = tree(world), take(world)
    for number in range(15):
        page, parent = chance.choice(pages), chance.choice([None, *pages])
        act = chance.choice(["move", "move", "trash", "restore", "new", "edit"])
        if act == "new":
            body = {"workspace": world.workspace, "title": f"New {number}", "parent": parent}
            answer = world.owner.post("documents/", body)
            pages += [answer.json()["id"]] if answer.status_code == 201 else []
        elif act == "edit":
            etag = world.owner.get(f"documents/{page}/").headers.get("ETag", '"1-1.x"')
            world.owner.patch(f"documents/{page}/", {"title": f"Edited {number}"}, If_Match=etag)
        else:
            world.act(page, act, **({"parent": parent} if act == "move" else {}))
    left = tree(world)
    done = restore(world, path)
    consistent()
    assert tree(world) == was
    restore(world, f"workspaces/{world.workspace}/snapshots/{done['before']}/")
    consistent()
    assert tree(world) == left
