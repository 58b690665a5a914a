"""What draft, published, archived and trashed mean, wherever a document can be met."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import Event
from documents.models import Document, DocumentUserPermission, WorkspaceUserPermission
from documents.services import copying, locking, trash, trees
from tests.accounts.factories import token_make
from tests.documents.api.test_documents_places import wrong_rows
from tests.documents.world import World, uid_of
from tests.fixtures import ApiClient

PLACES = ("detail", "list", "search", "tree", "children", "backlinks", "tags", "suggest")


class Scene:
    """A page below another, which it links to, with a word and a tag of its own."""

    def __init__(self, world: World, maker: ApiClient, **fields: Any) -> None:
        self.world = world
        self.top = world.document("Top")
        self.page = world.document(
            "Quince", by=maker, parent=self.top, content=f"marmalade [up](cs://{self.top})", tags=["fruit"],
            **fields,
        )  # fmt: skip

    def met(self, reader: ApiClient) -> set[str]:
        """Where the reader meets the page."""
        found = {name for name in PLACES[1:] if getattr(self, f"_{name}")(reader)}
        return found | ({"detail"} if reader.get(f"documents/{self.page}/").status_code == 200 else set())

    def _ids(self, reader: ApiClient, path: str) -> bool:
        rows = World.ok(reader.get(path))
        rows = rows["results"] if isinstance(rows, dict) else rows
        return self.page in [row.get("document", row)["id"] for row in rows]

    def _list(self, reader: ApiClient) -> bool:
        return self._ids(reader, f"documents/?workspace={self.world.workspace}")

    def _search(self, reader: ApiClient) -> bool:
        return self._ids(reader, "search/?q=marmalade")

    def _suggest(self, reader: ApiClient) -> bool:
        return self._ids(reader, "search/suggest/?q=quin")

    def _tree(self, reader: ApiClient) -> bool:
        return self._ids(reader, f"workspaces/{self.world.workspace}/tree/?parent={self.top}")

    def _children(self, reader: ApiClient) -> bool:
        return self._ids(reader, f"documents/{self.top}/children/")

    def _backlinks(self, reader: ApiClient) -> bool:
        return self._ids(reader, f"documents/{self.top}/backlinks/")

    def _tags(self, reader: ApiClient) -> bool:
        return bool(World.ok(reader.get(f"workspaces/{self.world.workspace}/tags/"))["results"])


def test_published_is_met_everywhere(world: World) -> None:
    """By everybody whom its place lets see it."""
    scene = Scene(world, world.owner)
    assert scene.met(world.member("viewer")) == set(PLACES)


def test_draft_is_met_by_its_maker_alone(world: World) -> None:
    """Everywhere; by nobody else anywhere, owners of the workspace included, until it is published."""
    maker, viewer = world.member("editor"), world.member("viewer")
    scene = Scene(world, maker, state="draft")
    assert scene.met(maker) == set(PLACES)
    assert scene.met(viewer) == scene.met(world.owner) == set()
    World.ok(world.act(scene.page, "publish", maker))
    assert scene.met(viewer) == set(PLACES)


def test_draft_hides_what_stands_below_it(world: World) -> None:
    """A draft is a cut."""
    maker, viewer = world.member("editor"), world.member("viewer")
    draft = world.document("Draft", by=maker, state="draft")
    below = world.document("Below", by=maker, parent=draft)
    assert viewer.get(f"documents/{below}/").status_code == 404
    assert maker.get(f"documents/{below}/").status_code == 200
    assert world.titles(viewer) == []


def test_archived_is_read_and_left_out(world: World) -> None:
    """Readable by its address, in no list, search, tree or count unless asked for."""
    viewer = world.member("viewer")
    scene = Scene(world, world.owner)
    World.ok(world.act(scene.page, "archive"))
    met = scene.met(viewer)
    assert met - {"backlinks"} == {"detail"}
    assert world.titles(viewer, "?state=archived") == ["Quince"]
    rows = World.ok(viewer.get("search/?q=marmalade&state=archived"))["results"]
    assert [row["document"]["state"] for row in rows] == ["archived"]
    World.ok(world.act(scene.page, "unarchive"))
    assert scene.met(viewer) == set(PLACES)


def test_archived_takes_no_writes(world: World) -> None:
    """409 for each, and nothing is changed; it can be copied, trashed and brought back."""
    page = world.document("Page", content="x", tags=["a"])
    child = world.document("Child")
    World.ok(world.act(page, "archive"))
    etag = world.owner.get(f"documents/{page}/").headers["ETag"]
    cut = {"inherits_access": False}
    for answer in (
        world.owner.patch(f"documents/{page}/", {"content": "y"}, If_Match=etag),
        world.owner.patch(f"documents/{page}/", cut),
        world.owner.post(f"documents/{page}/revisions/1/restore/", If_Match=etag),
        world.act(page, "move", before=child),
        world.act(child, "move", parent=page),
        world.act(child, "copy", parent=page),
        world.act(page, "publish"),
        world.act(page, "unpublish"),
        world.owner.post("documents/", {"workspace": world.workspace, "title": "New", "parent": page}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "document_archived"), answer.content
    assert world.owner.get(f"documents/{page}/").headers["ETag"] == etag
    World.ok(world.act(page, "copy"), 201)
    World.ok(world.act(page, "trash"))
    assert World.ok(world.act(page, "restore"))["state"] == "archived"


def test_trashed_is_met_nowhere(world: World) -> None:
    """But in the trash, by those who may edit it; by its address 410 for them and 404 for readers."""
    viewer, editor = world.member("viewer"), world.member("editor")
    scene = Scene(world, world.owner)
    link = World.ok(world.owner.post(f"documents/{scene.page}/links/", {"role": "viewer"}), 201)
    assert ApiClient().get(f"shared/{link['secret']}/").status_code == 200
    World.ok(world.act(scene.page, "trash"))
    for reader, status in ((viewer, 404), (editor, 410)):
        assert scene.met(reader) == set()
        for path in ("", "html/", "revisions/", "children/", "ancestors/", "backlinks/", "attachments/"):
            assert reader.get(f"documents/{scene.page}/{path}").status_code == status, path
    assert ApiClient().get(f"shared/{link['secret']}/").status_code == 404
    rows = World.ok(editor.get(f"workspaces/{world.workspace}/trash/"))["results"]
    assert [row["id"] for row in rows] == [scene.page]
    World.ok(world.act(scene.page, "restore", editor))
    assert scene.met(viewer) == set(PLACES)
    assert ApiClient().get(f"shared/{link['secret']}/").status_code == 200


@pytest.mark.parametrize(
    ("path", "event", "state"),
    [
        (["unpublish"], "document.unpublished", "draft"),
        (["unpublish", "publish"], "document.published", "published"),
        (["archive"], "document.archived", "archived"),
        (["archive", "unarchive"], "document.unarchived", "published"),
    ],
)
def test_each_change_of_state_is_one_event(world: World, path: list[str], event: str, state: str) -> None:
    """With before and after; asking twice changes nothing and tells nothing."""
    page = world.document()
    for action in [*path, path[-1]]:
        assert World.ok(world.act(page, action))
    assert Document.objects.get(uid=page).state == state
    changes = Event.objects.get(action=event, target_uid=page).detail.content["changes"]
    assert changes["state"]["after"] == state
    assert wrong_rows() == 0


def test_state_is_changed_by_its_own_routes_alone(world: World) -> None:
    """No PATCH sets it, and no document begins as an archived one."""
    page = world.document()
    etag = world.owner.get(f"documents/{page}/").headers["ETag"]
    answer = world.owner.patch(f"documents/{page}/", {"state": "draft"}, If_Match=etag)
    assert answer.json()["errors"][0]["pointer"] == "/state"
    for state in ("archived", "trashed", ""):
        body = {"workspace": world.workspace, "title": "New", "state": state}
        assert world.owner.post("documents/", body).status_code == 400


def test_cut_by_a_token_takes_the_scope_of_grants(world: World) -> None:
    """Who may read is more than what it says; the dry run, which names readers, is no less."""
    page = world.document()
    assert world.owner.user is not None
    writer = ApiClient(token_make(world.owner.user, "documents:write", "documents:read"))
    manager = ApiClient(token_make(world.owner.user, "documents:write", "workspaces:manage"))
    for query in ("?dry_run=true", ""):
        for inherits in (False, True):
            refused = writer.patch(f"documents/{page}/{query}", {"inherits_access": inherits})
            assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
            assert refused.json()["scope"] == "workspaces:manage"
    assert "loses" in World.ok(manager.patch(f"documents/{page}/?dry_run=true", {"inherits_access": False}))
    World.ok(manager.patch(f"documents/{page}/", {"inherits_access": False}))
    assert World.ok(writer.get(f"documents/{page}/"))["inherits_access"] is False
    colleague = world.member("viewer")
    World.ok(world.owner.patch(f"documents/{page}/", {"inherits_access": True}))
    World.ok(writer.patch(f"documents/{page}/", {"owner": uid_of(colleague)}))


def test_cut_by_hand_survives_the_states(world: World) -> None:
    """`inherits_access` is what was set by hand; publishing doesn't let anybody in."""
    page, viewer = world.document(), world.member("viewer")
    World.ok(world.owner.patch(f"documents/{page}/", {"inherits_access": False}))
    for action in ("unpublish", "publish", "archive", "unarchive"):
        assert World.ok(world.act(page, action))["inherits_access"] is False
        assert viewer.get(f"documents/{page}/").status_code == 404
    assert wrong_rows() == 0


def test_drafts_grant_ends_with_the_membership(world: World) -> None:
    """Who leaves the workspace leaves the drafts there."""
    maker = world.member("editor")
    draft = world.document("Draft", by=maker, state="draft")
    members = World.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"]
    (member,) = [row["id"] for row in members if row["user"] == uid_of(maker)]
    World.ok(world.owner.delete(f"workspaces/{world.workspace}/members/{member}/"), 204)
    assert maker.get(f"documents/{draft}/").status_code == 404
    assert not DocumentUserPermission.objects.filter(content_object__uid=draft).exists()


@pytest.mark.parametrize(
    ("service", "action", "body"),
    [
        (locking, "archive/", {}),
        (trash, "trash/", {}),
        (trees, "move/", {"parent": None}),
        (copying, "copy/", {}),
    ],
)
def test_change_by_who_loses_the_right_while_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch, service: Any, action: str, body: dict[str, Any]
) -> None:
    """Rights are those of after the lock: what is taken before it is had changes nothing."""
    document, manager = world.document(), world.member("manager")
    before = Document.objects.values("state", "trashed_at", "path").get(uid=document)
    lock = service.document_lock

    def late(actor: Any, pk: int) -> Any:
        WorkspaceUserPermission.objects.filter(user=manager.user).delete()
        return lock(actor, pk)

    monkeypatch.setattr(service, "document_lock", late)
    assert manager.post(f"documents/{document}/{action}", body).status_code == 404
    assert Document.objects.values("state", "trashed_at", "path").get(uid=document) == before
    assert Document.objects.count() == 1
