"""Favourites, what one opened last, and watches."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from accounts.models import Notification
from documents import caching
from documents.models import Favorite, RecentView, Watch, WatchProgress
from documents.services.marks import recent_prune
from documents.services.watching import watchers_tell
from tests.accounts.factories import token_make
from tests.actors import command
from tests.documents.world import ABSENT, World, statements
from tests.fixtures import ApiClient


def titles(person: ApiClient, path: str) -> list[str]:
    """The titles of a list of one's own."""
    return [row["title"] for row in World.ok(person.get(path))["results"]]


def names(person: ApiClient) -> list[tuple[str, bool]]:
    """What one watches."""
    return [(row["name"], row["subtree"]) for row in World.ok(person.get("me/watches/"))["results"]]


# --- favourites ---
def test_favorites_are_ones_own(world: World) -> None:
    """Twice is once, the latest stands first, nobody else sees it, and it goes as it came."""
    viewer, other = world.member("viewer"), world.member("viewer")
    pages = [world.document(title) for title in ("One", "Two")]
    for page in (*pages, pages[0]):
        World.ok(viewer.put(f"documents/{page}/favorite/"), 204)
    assert (titles(viewer, "me/favorites/"), titles(other, "me/favorites/")) == (["Two", "One"], [])
    row = World.ok(viewer.get("me/favorites/"))["results"][0]
    assert row.keys() - World.ok(viewer.get("documents/"))["results"][0].keys() == {"favorited_at"}
    for _ in range(2):
        World.ok(viewer.delete(f"documents/{pages[1]}/favorite/"), 204)
    assert titles(viewer, "me/favorites/") == ["One"]


def test_favorites_show_what_one_may_see_now(world: World) -> None:
    """What was hidden or trashed stays out, and stands there again once it may be seen."""
    viewer, page = world.member("viewer"), world.document("Page")
    World.ok(viewer.post(f"documents/{page}/favorite/"), 204)
    for away, back in (("unpublish", "publish"), ("trash", "restore")):
        World.ok(world.act(page, away))
        assert titles(viewer, "me/favorites/") == []
        World.ok(world.act(page, back))
        assert titles(viewer, "me/favorites/") == ["Page"]


def test_favorite_of_what_is_hidden_is_not_found(world: World) -> None:
    """A mark tells nothing of whether there is such a document."""
    page, outsider = world.document("Page"), world.client_for()
    for uid in (page, ABSENT):
        assert outsider.put(f"documents/{uid}/favorite/").status_code == 404
        assert outsider.put(f"documents/{uid}/watch/", {}).status_code == 404
    assert not Favorite.objects.exists()
    assert not Watch.objects.exists()


def test_favorites_by_pages(world: World) -> None:
    """The list goes on behind its cursor."""
    for number in range(3):
        World.ok(world.owner.put(f"documents/{world.document(str(number))}/favorite/"), 204)
    first = World.ok(world.owner.get("me/favorites/?page_size=2"))
    rest = World.ok(world.owner.get(first["next"]))
    assert [row["title"] for row in (*first["results"], *rest["results"])] == ["2", "1", "0"]


def test_lists_of_ones_own_cost_three_statements(world: World) -> None:
    """1 sign-in, 2 the page, 3 its documents; of watches the page has all."""
    for number in range(3):
        page = world.document(str(number))
        World.ok(world.owner.put(f"documents/{page}/favorite/"), 204)
        World.ok(world.owner.put(f"documents/{page}/watch/", {}))
        world.owner.get(f"documents/{page}/")
    caching._opened.flush()
    world.owner.get("me/favorites/")
    for path, cost in (("me/favorites/", 3), ("me/recent/", 3), ("me/watches/", 2)):
        with statements(cost):
            assert len(World.ok(world.owner.get(path))["results"]) == 3


# --- what one opened ---
def test_recent_is_what_one_opened(world: World) -> None:
    """The latest first, each once; reading costs no statement, and it is written a moment later."""
    viewer = world.member("viewer")
    one, two = world.document("One"), world.document("Two")
    for page, path in ((one, ""), (two, ""), (one, "html/")):
        viewer.get(f"documents/{page}/")
        with statements(2):
            World.ok(viewer.get(f"documents/{page}/{path}"))
    assert titles(viewer, "me/recent/") == []
    caching._opened.flush()
    assert titles(viewer, "me/recent/") == ["One", "Two"]
    assert titles(world.owner, "me/recent/") == []
    World.ok(viewer.delete("me/recent/"), 204)
    assert titles(viewer, "me/recent/") == []


def test_recent_leaves_out_what_programs_read(world: World) -> None:
    """A token's reads are no history of its person, nor is what was refused."""
    page = world.document("Page")
    program = ApiClient(token_make(world.owner.user))
    World.ok(program.get(f"documents/{page}/"))
    assert world.owner.get(f"documents/{ABSENT}/").status_code == 404
    caching._opened.flush()
    assert not RecentView.objects.exists()


def test_recent_of_a_document_that_is_gone(world: World) -> None:
    """What was purged before its opening was written hurts nothing."""
    page = world.document("Page")
    world.owner.get(f"documents/{page}/")
    World.ok(world.act(page, "trash"))
    World.ok(world.owner.delete(f"documents/{page}/"), 204)
    caching._opened.flush()
    assert not RecentView.objects.exists()


def test_recent_keeps_the_newest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older ones go by a job, person by person."""
    monkeypatch.setattr("documents.services.marks._RECENT_KEPT", 2)
    viewer = world.member("viewer")
    for number in range(3):
        page = world.document(str(number))
        for person in (viewer, world.owner):
            world.ok(person.get(f"documents/{page}/"))
    caching._opened.flush()
    assert recent_prune(actor=command()) == 2
    assert titles(viewer, "me/recent/") == titles(world.owner, "me/recent/") == ["2", "1"]


# --- watches ---
def test_watch_says_how_far(world: World) -> None:
    """A document, all below it, a workspace: the latest wish counts, and one's own are listed."""
    viewer, page = world.member("viewer"), world.document("Page")
    assert viewer.get(f"documents/{page}/watch/").status_code == 404
    watch = World.ok(viewer.put(f"documents/{page}/watch/", {"subtree": True}))
    assert (watch["document"], watch["workspace"], watch["subtree"]) == (page, world.workspace, True)
    assert World.ok(viewer.get(f"documents/{page}/watch/")) == watch
    assert World.ok(viewer.post(f"documents/{page}/watch/", {}))["subtree"] is False
    World.ok(viewer.put(f"workspaces/{world.workspace}/watch/", {}))
    assert names(viewer) == [("World", False), ("Page", False)]
    assert names(world.owner) == []
    for path in (f"documents/{page}/", f"workspaces/{world.workspace}/"):
        World.ok(viewer.delete(f"{path}watch/"), 204)
    assert names(viewer) == []


@pytest.mark.parametrize("body", [{"subtree": "yes"}, {"deep": True}, {"subtree": None}])
def test_watch_with_bad_input(world: World, body: dict[str, Any]) -> None:
    """A workspace has no part of it to leave out, and a flag is a flag."""
    page = world.document("Page")
    assert world.owner.put(f"documents/{page}/watch/", body).status_code == 400
    assert world.owner.put(f"workspaces/{world.workspace}/watch/", {"subtree": True}).status_code == 400


def news(person: ApiClient) -> list[tuple[str, str]]:
    """What somebody was told of changes, the newest first."""
    rows = World.ok(person.get("me/notifications/"))["results"]
    found = [row for row in rows if row["kind"] == "document.changed"]
    return [(row["target"]["title"], row["facts"]["change"]) for row in found]


def tell() -> None:
    """Take the job's turns until there is nothing more to tell."""
    while watchers_tell(actor=command()):
        pass


def edit(world: World, page: str, content: str, by: ApiClient | None = None) -> None:
    """Write a document."""
    person = by or world.owner
    etag = person.get(f"documents/{page}/").headers["ETag"]
    World.ok(person.patch(f"documents/{page}/", {"content": content}, If_Match=etag))


@pytest.fixture
def told(transactional_db: None, world: World) -> World:
    """A workspace whose past has been told; what is told is what was committed."""
    WatchProgress.objects.all().delete()
    tell()
    return world


def test_watchers_hear_of_many_saves_once(told: World) -> None:
    """One piece of news for all saves, no further one until it was read or has grown old."""
    viewer, page = told.member("viewer"), told.document("Page")
    tell()
    World.ok(viewer.put(f"documents/{page}/watch/", {}))
    for number in range(3):
        edit(told, page, str(number))
    tell()
    assert news(viewer) == [("Page", "changed")]
    edit(told, page, "again")
    tell()
    assert len(news(viewer)) == 1
    Notification.objects.update(created_at=F("created_at") - dt.timedelta(hours=2))
    edit(told, page, "later")
    tell()
    assert len(news(viewer)) == 2
    Notification.objects.update(read_at=Now())
    edit(told, page, "read")
    tell()
    assert len(news(viewer)) == 3
    tell()
    assert len(news(viewer)) == 3


def test_watchers_of_a_subtree_and_of_a_workspace(told: World) -> None:
    """Below is told to who watches the subtree, all to who watches the workspace, nothing to anybody else."""
    top, other = told.document("Top"), told.document("Other")
    leaf = told.document("Leaf", parent=top)
    plain, deep, wide, none = (told.member("viewer") for _ in range(4))
    tell()
    World.ok(plain.put(f"documents/{top}/watch/", {}))
    World.ok(deep.put(f"documents/{top}/watch/", {"subtree": True}))
    World.ok(wide.put(f"workspaces/{told.workspace}/watch/", {}))
    edit(told, leaf, "x")
    edit(told, other, "x")
    told.document("New", parent=leaf)
    tell()
    assert (news(plain), news(none)) == ([], [])
    assert sorted(news(deep)) == [("Leaf", "changed"), ("New", "made")]
    assert sorted(news(wide)) == [("Leaf", "changed"), ("New", "made"), ("Other", "changed")]


def test_watchers_do_not_hear_of_their_own_acts(told: World) -> None:
    """Nor of another's acts only because they wrote after them."""
    editor, page = told.member("editor"), told.document("Page")
    tell()
    for person in (editor, told.owner):
        World.ok(person.put(f"documents/{page}/watch/", {}))
    edit(told, page, "mine", by=editor)
    tell()
    assert (news(editor), news(told.owner)) == ([], [("Page", "changed")])
    edit(told, page, "theirs")
    edit(told, page, "mine again", by=editor)
    tell()
    assert news(editor) == [("Page", "changed")]


def test_watchers_hear_nothing_of_what_is_hidden(told: World) -> None:
    """The right is asked when it is told: of what was cut off, or of a lost membership, not a word."""
    viewer, page = told.member("viewer"), told.document("Page")
    told.document("Draft", state="draft")
    tell()
    World.ok(viewer.put(f"workspaces/{told.workspace}/watch/", {}))
    edit(told, page, "x")
    World.ok(told.act(page, "unpublish"))
    told.document("Hidden", state="draft")
    tell()
    assert not Notification.objects.filter(kind="document.changed").exists()


def test_watchers_are_asked_for_their_rights_all_at_once(told: World) -> None:
    """However many there are, and of however many documents."""
    counts = []
    tell()
    for number in (1, 6):
        page = told.document("Page")
        tell()
        for _ in range(number):
            World.ok(told.member("viewer").put(f"documents/{page}/watch/", {}))
        edit(told, page, "x")
        with CaptureQueriesContext(connection) as captured:
            assert not watchers_tell(actor=command())
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert Notification.objects.filter(kind="document.changed").count() == 7


def test_watchers_hear_nothing_of_the_past(told: World) -> None:
    """The first turn of the job begins with what comes after it."""
    viewer, page = told.member("viewer"), told.document("Page")
    World.ok(viewer.put(f"documents/{page}/watch/", {}))
    edit(told, page, "x")
    WatchProgress.objects.all().delete()
    tell()
    assert news(viewer) == []


def test_marks_go_with_their_person(world: World) -> None:
    """Nothing of them is left once the account is deleted."""
    viewer, page = world.member("viewer"), world.document("Page")
    World.ok(viewer.put(f"documents/{page}/favorite/"), 204)
    World.ok(viewer.put(f"documents/{page}/watch/", {}))
    viewer.get(f"documents/{page}/")
    caching._opened.flush()
    World.ok(viewer.delete("me/"), 204)
    for marks in (Favorite, RecentView, Watch):
        assert not marks.objects.exists()
