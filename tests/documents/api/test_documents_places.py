"""Move, trash, restore, purge, publish, archive: where and how documents stand."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from audit.models import Event
from documents import limits
from documents.models import Document, DocumentUserPermission, Placement
from tests.documents.world import ABSENT, World, uid_of

# What the trigger makes of a tree, asked again of the parents alone: nothing that services write may differ.
_DERIVED = """
WITH RECURSIVE tree AS (
    SELECT d.id, lpad(to_hex(d.id), 10, '0') AS path, 1 AS depth,
           CASE WHEN c.cut THEN ARRAY[d.id] ELSE ARRAY[d.id, -d.workspace_id] END AS reach,
           CASE WHEN c.cut THEN d.id ELSE -d.workspace_id END AS scope_id
    FROM documents_document d, LATERAL (SELECT NOT d.inherits_access OR d.state = 'draft') AS c(cut)
    WHERE parent_id IS NULL
    UNION ALL
    SELECT d.id, t.path || lpad(to_hex(d.id), 10, '0'), t.depth + 1,
           CASE WHEN c.cut THEN ARRAY[d.id] ELSE d.id || t.reach END,
           CASE WHEN c.cut THEN d.id ELSE t.scope_id END
    FROM documents_document d JOIN tree t ON d.parent_id = t.id,
         LATERAL (SELECT NOT d.inherits_access OR d.state = 'draft') AS c(cut)
)
SELECT count(*) FROM documents_document d LEFT JOIN tree t ON t.id = d.id
WHERE (d.path, d.depth, d.reach, d.scope_id) IS DISTINCT FROM (t.path, t.depth, t.reach, t.scope_id)
"""


def wrong_rows() -> int:
    """How many documents' derived columns differ from what their place says."""
    with connection.cursor() as cursor:
        cursor.execute(_DERIVED)
        found: int = cursor.fetchone()[0]
        return found


def test_move_below_another_takes_the_subtree_along(world: World) -> None:
    """A move rewrites where the subtree stands, keeps the cuts inside and writes one event and one place."""
    top, other = world.document("Top"), world.document("Other")
    moved = world.document("Moved", parent=top)
    cut = world.document("Cut", parent=moved)
    world.document("Leaf", parent=cut)
    World.ok(world.owner.patch(f"documents/{cut}/", {"inherits_access": False}))
    body = World.ok(world.act(moved, "move", parent=other))
    assert body["parent"] == other
    assert wrong_rows() == 0
    event = Event.objects.get(action="document.moved")
    assert event.detail.content["changes"]["parent"] == {"before": top, "after": other}
    places = Placement.objects.filter(document__uid=moved).order_by("valid_from")
    assert [place.valid_to is None for place in places] == [False, True]


def test_move_to_the_top_and_between_siblings(world: World) -> None:
    """`parent: null` is the top; `before` and `after` name the neighbours; nothing named changes nothing."""
    first, second, third = (world.document(name) for name in ("1", "2", "3"))
    inner = world.document("inner", parent=first)
    World.ok(world.act(inner, "move", parent=None, before=second))
    World.ok(world.act(third, "move", after=first))
    rows = World.ok(world.owner.get(f"workspaces/{world.workspace}/tree/"))
    assert [row["title"] for row in rows] == ["1", "3", "inner", "2"]
    etag = world.owner.get(f"documents/{third}/").headers["ETag"]
    World.ok(world.act(third, "move", after=first))
    assert world.owner.get(f"documents/{third}/").headers["ETag"] == etag
    assert world.act(third, "move", after=ABSENT).status_code == 400
    assert world.act(third, "move", before=first, after=second).status_code == 400


def test_move_by_editor_reorders_only(world: World) -> None:
    """An editor puts siblings in order; another parent is a manager's to give."""
    first, second = world.document("1"), world.document("2")
    editor = world.member("editor")
    World.ok(world.act(second, "move", editor, before=first))
    assert world.act(second, "move", editor, parent=first).status_code == 403
    assert world.act(second, "move", world.member("viewer"), before=first).status_code == 403
    assert world.act(second, "move", world.client_for(), before=first).status_code == 404


def test_move_below_itself_or_too_deep(world: World) -> None:
    """A tree stays a tree of 20 levels."""
    chain = [world.document("1")]
    for level in range(2, limits.DEPTH + 1):
        chain.append(world.document(str(level), parent=chain[-1]))
    answer = world.act(chain[0], "move", parent=chain[3])
    assert (answer.status_code, answer.json()["code"]) == (409, "move_into_itself")
    assert world.act(chain[0], "move", parent=chain[0]).json()["code"] == "move_into_itself"
    pair = world.document("pair")
    world.document("below", parent=pair)
    assert world.act(pair, "move", parent=chain[-2]).json()["code"] == "too_deep"
    assert wrong_rows() == 0


def test_move_to_another_workspace(world: World) -> None:
    """With rights on both sides the subtree changes rooms, readers with it; a hidden target is absent."""
    other, viewer = World(world.client_for), world.member("viewer")
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    assert world.act(top, "move", workspace=other.workspace).status_code == 404
    World.ok(other.add(world.owner, "viewer"), 201)
    assert world.act(top, "move", workspace=other.workspace).status_code == 403
    member = World.ok(other.owner.get(f"workspaces/{other.workspace}/members/"))["results"][-1]["id"]
    World.ok(other.owner.patch(f"workspaces/{other.workspace}/members/{member}/", {"role": "editor"}))
    assert World.ok(world.act(top, "move", workspace=other.workspace))["workspace"] == other.workspace
    assert viewer.get(f"documents/{leaf}/").status_code == 404
    assert World.ok(other.owner.get(f"documents/{leaf}/"))["workspace"] == other.workspace
    assert wrong_rows() == 0


def test_move_with_a_stale_if_match(world: World) -> None:
    """Sent with If-Match a move keeps to it: it isn't merged."""
    document, other = world.document(), world.document("Other")
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{document}/", {"title": "New"}, If_Match=etag))
    answer = world.owner.post(f"documents/{document}/move/", {"parent": other}, If_Match=etag)
    assert answer.status_code == 412
    assert world.owner.post(f"documents/{document}/move/", {"parent": other}, If_Match="*").status_code == 400


def test_insert_into_one_gap_for_ever(world: World) -> None:
    """However often one inserts at the same place, the order holds."""
    first = world.document("first")
    last = world.document("last")
    Document.objects.filter(uid=last).update(position="a0" + "0" * (limits.POSITION_LENGTH - 3) + "1")
    middle = world.document("middle", after=first, before=last)
    rows = World.ok(world.owner.get(f"workspaces/{world.workspace}/tree/"))
    assert [row["id"] for row in rows] == [first, middle, last]
    assert max(len(row["position"]) for row in rows) == 2


def test_trash_takes_the_subtree_out_of_sight(world: World) -> None:
    """Trashed: 410 for those who may edit, 404 for readers, out of lists and tree, found in the trash."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top, content="text")
    viewer, editor = world.member("viewer"), world.member("editor")
    assert World.ok(world.act(top, "trash", editor))["content"] == ""
    for document in (top, leaf):
        answer = editor.get(f"documents/{document}/")
        assert (answer.status_code, answer.json()["code"]) == (410, "trashed")
        assert viewer.get(f"documents/{document}/").status_code == 404
    assert world.titles(world.owner) == []
    assert World.ok(world.owner.get(f"workspaces/{world.workspace}/tree/")) == []
    trash = World.ok(editor.get(f"workspaces/{world.workspace}/trash/?expand=content"))["results"]
    assert {(row["title"], row["content"]) for row in trash} == {("Top", ""), ("Leaf", "text")}
    assert World.ok(viewer.get(f"workspaces/{world.workspace}/trash/"))["results"] == []
    assert world.act(top, "trash", editor).status_code == 410
    answer = world.owner.post("documents/", {"workspace": world.workspace, "title": "x", "parent": top})
    assert answer.status_code == 410


def test_trashed_parent_is_as_absent_for_who_may_not_edit_it(world: World) -> None:
    """As the target of a create or a move it is told to editors alone, as by its own address."""
    parent, viewer = world.document("Gone"), world.member("viewer")
    World.ok(world.act(parent, "trash"))
    own = World.ok(viewer.post("workspaces/", {"name": "Own"}), 201)["id"]
    mine = World.ok(viewer.post("documents/", {"workspace": own, "title": "Mine"}), 201)["id"]
    for uid, status in ((parent, 404), (ABSENT, 404)):
        body = {"workspace": world.workspace, "title": "x", "parent": uid}
        assert viewer.post("documents/", body).status_code == status
        assert viewer.post(f"documents/{mine}/move/", {"parent": uid}).status_code == status
    assert world.owner.post("documents/", {**body, "parent": parent}).status_code == 410


def test_restore_leaves_alone_what_was_trashed_before(world: World) -> None:
    """What went to the trash by itself stays there when what stood above it comes back."""
    top = world.document("Top")
    early, late = world.document("Early", parent=top), world.document("Late", parent=top)
    World.ok(world.act(early, "trash"))
    World.ok(world.act(top, "trash"))
    assert world.act(early, "restore").json()["code"] == "parent_trashed"
    assert world.act(late, "restore").json()["code"] == "parent_trashed"
    assert world.act(top, "restore", world.member("viewer")).status_code == 404
    World.ok(world.act(top, "restore"))
    assert World.ok(world.owner.get(f"documents/{late}/"))["parent"] == top
    assert world.owner.get(f"documents/{early}/").status_code == 410
    World.ok(world.act(early, "restore"))
    assert world.act(top, "restore").json()["code"] == "not_in_trash"


def test_purge_by_manager(world: World) -> None:
    """Only from the trash, only managers, and nothing of it stays but the events."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    editor, manager = world.member("editor"), world.member("manager")
    assert manager.delete(f"documents/{top}/").json()["code"] == "not_in_trash"
    World.ok(world.act(top, "trash"))
    assert editor.delete(f"documents/{top}/").status_code == 403
    assert manager.delete(f"documents/{top}/").status_code == 204
    for document in (top, leaf):
        assert manager.get(f"documents/{document}/").status_code == 404
    assert not Document.objects.exists()
    assert Event.objects.get(action="document.purged").facts["documents"] == 2


def test_purge_of_hidden_parts(world: World) -> None:
    """Who doesn't see all of it can't destroy it, but for the workspace's owners."""
    top = world.document("Top")
    hidden = world.document("Hidden", parent=top)
    manager = world.member("manager")
    World.ok(world.owner.patch(f"documents/{hidden}/", {"inherits_access": False}))
    World.ok(world.act(top, "trash"))
    answer = manager.delete(f"documents/{top}/")
    assert (answer.status_code, answer.json()["code"], answer.json()["hidden"]) == (409, "hidden_parts", 1)
    second = world.member("owner")
    assert second.delete(f"documents/{top}/").status_code == 204


def test_publish_shows_the_draft(world: World) -> None:
    """Published, a draft is seen by those whom its place lets see it, and its maker's grant is gone."""
    editor, other = world.member("editor"), world.member("editor")
    draft = world.document("Draft", by=editor, state="draft")
    child = world.document("Child", by=editor, parent=draft)
    assert world.act(draft, "archive", editor).json()["code"] == "document_draft"
    World.ok(world.act(draft, "publish", editor))
    assert not DocumentUserPermission.objects.exists()
    for document in (draft, child):
        assert other.get(f"documents/{document}/").status_code == 200
    assert wrong_rows() == 0
    assert editor.post(f"documents/{draft}/unpublish/").status_code == 403
    assert World.ok(world.act(draft, "unpublish"))["abilities"]["publish"] is True
    assert other.get(f"documents/{child}/").status_code == 404
    assert wrong_rows() == 0


def test_publish_of_somebody_elses_draft_by_editor(world: World) -> None:
    """Editors publish their own drafts; another's is a manager's to publish."""
    maker, editor, manager = world.member("editor"), world.client_for(), world.client_for()
    draft = world.document("Draft", by=maker, state="draft")
    world.grant(draft, editor, "editor", by=maker)
    world.grant(draft, manager, "manager", by=maker)
    assert world.act(draft, "publish", editor).status_code == 403
    World.ok(world.act(draft, "publish", manager))


def test_archive_refuses_writes_and_comes_back(world: World) -> None:
    """Archived documents are readable, refuse writes with 409, and leave the lists."""
    document, viewer = world.document(), world.member("viewer")
    assert world.act(document, "archive", world.member("editor")).status_code == 403
    assert World.ok(world.act(document, "archive"))["state"] == "archived"
    etag = viewer.get(f"documents/{document}/").headers["ETag"]
    for answer in (
        world.owner.patch(f"documents/{document}/", {"title": "x"}, If_Match=etag),
        world.act(document, "publish"),
        world.act(document, "unpublish"),
        world.act(document, "move", parent=None, after=None),
        world.owner.post("documents/", {"workspace": world.workspace, "title": "x", "parent": document}),
    ):
        assert (answer.status_code, answer.json()["code"]) in {(409, "document_archived"), (400, "invalid")}
    assert world.titles(viewer) == []
    assert World.ok(world.act(document, "unarchive"))["state"] == "published"
    actions = Event.objects.filter(target_uid=document).order_by("sequence").values_list("action", flat=True)
    assert list(actions) == ["document.created", "document.archived", "document.unarchived"]


def test_cut_keeps_the_one_who_cuts(world: World) -> None:
    """A cut hides the document from everybody but who cut it; letting through shows it again."""
    document, viewer, manager = world.document(), world.member("viewer"), world.member("manager")
    path = f"documents/{document}/"
    assert viewer.patch(path, {"inherits_access": False}).status_code == 403
    assert manager.patch(path, {"inherits_access": False, "title": "x"}).json()["code"] == "mixed_fields"
    assert World.ok(manager.patch(path, {"inherits_access": False}))["abilities"]["grant"] is True
    assert viewer.get(path).status_code == world.owner.get(path).status_code == 404
    World.ok(manager.patch(path, {"inherits_access": True}))
    assert viewer.get(path).status_code == 200
    assert wrong_rows() == 0


def test_owner_is_responsibility_and_no_right(world: World) -> None:
    """An owner must be a reader, and being it changes nobody's rights."""
    document, viewer = world.document(), world.member("viewer")
    path = f"documents/{document}/"
    assert World.ok(world.owner.patch(path, {"owner": uid_of(viewer)}))["owner"] == uid_of(viewer)
    assert World.ok(viewer.get(path))["abilities"]["edit"] is False
    assert world.owner.patch(path, {"owner": uid_of(world.client_for())}).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_moves_against_each_other_end_in_one_tree(client_for: Any) -> None:
    """Overlapping moves and creations wait for each other: no deadlock, no cycle, no stale path."""
    world = World(client_for)
    roots = [world.document(str(number)) for number in range(4)]
    statuses: list[int] = []

    def shuffle(seed: int) -> None:
        for step in range(4):
            source, target = roots[(seed + step) % 4], roots[(seed * 3 + step + 1) % 4]
            statuses.append(world.act(source, "move", parent=target).status_code)
            body = {"workspace": world.workspace, "title": "child", "parent": target}
            statuses.append(world.owner.post("documents/", body).status_code)
        connection.close()

    threads = [threading.Thread(target=shuffle, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 201, 409}
    assert wrong_rows() == 0
    assert Document.objects.count() == len(roots) + 16
