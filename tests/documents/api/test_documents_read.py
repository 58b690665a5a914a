"""`documents/` read: one, lists, children, ancestors, the tree."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now

from accounts.models import Session
from documents.addresses import document_path
from documents.api.serializers import DocumentAnswer, DocumentListed
from documents.models import Document
from documents.selectors import listing
from tests.documents.world import ABSENT, World, statements, uid_of


def orm_answer(pk: str, person: Any) -> dict[str, Any]:
    """What the ORM knows of a document, in the form of the answers."""
    row = Document.objects.select_related(
        "workspace", "parent", "owner", "created_by", "updated_by", "body"
    ).get(uid=pk)

    def author(user: Any) -> dict[str, Any]:
        return {"kind": "user", "id": str(user.uid), "name": user.name}

    return {
        "id": str(row.uid),
        "workspace": str(row.workspace.uid),
        "parent": str(row.parent.uid) if row.parent else None,
        **row.fields_of_revision(),
        "state": row.state,
        "owner": str(row.owner.uid),
        "position": row.position,
        "revision": row.revision,
        "inherits_access": row.inherits_access,
        "lock": None,
        "created_by": author(row.created_by),
        "updated_by": author(row.updated_by),
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": row.updated_at.isoformat().replace("+00:00", "Z"),
        "trashed_at": None,
        "content": row.body.content,
        "url": f"{settings.PUBLIC_URL}{document_path(row.uid, row.title)}",
    }


def test_read_equals_what_the_orm_knows(world: World) -> None:
    """The prebuilt statement answers what the rows say, with every field of the contract."""
    parent = world.document("Above")
    document = world.document(
        "Below", parent=parent, content="# Ä\n", tags=["b", "a"], icon="📄", language="de", template=True
    )
    body = World.ok(world.owner.get(f"documents/{document}/"))
    abilities = body.pop("abilities")
    assert body == orm_answer(document, world.owner)
    assert set(DocumentAnswer().fields) - {"hidden", "merged"} == {*body, "abilities"}
    assert abilities["edit"] is True


def test_read_costs_two_statements(world: World) -> None:
    """Sign-in with its stamps, and the row with its rights; no more for the 304."""
    document = world.document()
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    with statements(2):
        World.ok(world.owner.get(f"documents/{document}/"))
    with statements(2):
        assert world.owner.get(f"documents/{document}/", If_None_Match=etag).status_code == 304


def test_read_asks_who_it_is_and_for_the_row_at_once(world: World, pieces: list[int]) -> None:
    """One way to the server and back; a read with parameters takes its time."""
    document = world.document()
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    pieces.clear()
    assert world.owner.get(f"documents/{document}/", If_None_Match=etag).status_code == 304
    World.ok(world.owner.get(f"documents/{document}/"))
    assert pieces == [2, 2]
    World.ok(world.owner.get(f"documents/{document}/?fields=title"))
    assert pieces == [2, 2]


def test_read_by_whose_session_has_ended_is_refused_with_the_row_at_hand(
    world: World, pieces: list[int]
) -> None:
    """What came along with the refusal is nobody's, the next reader's neither."""
    document, outsider = world.document(), world.client_for()
    World.ok(world.owner.get(f"documents/{document}/"))
    pieces.clear()
    Session.objects.filter(user__uid=uid_of(world.owner)).update(revoked_at=Now(), revoked_reason="test")
    assert world.owner.get(f"documents/{document}/").status_code == 401
    assert outsider.get(f"documents/{document}/").status_code == 404
    assert pieces == [2, 2]


def test_not_modified_has_no_content_type_and_no_policy_of_pages(world: World) -> None:
    """A 304 is no page: it says nothing of a content that it doesn't have (RFC 9110, section 15.4.5)."""
    document = world.document("Page")
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    answer = world.owner.get(f"documents/{document}/", If_None_Match=etag)
    assert answer.status_code == 304
    assert "Content-Type" not in answer.headers
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; frame-ancestors 'none'")


def test_read_with_a_tag_of_another_state_gives_the_whole_answer(world: World) -> None:
    """The same revision elsewhere in the tree is another answer: body and all."""
    first, second = world.document("First", content="text"), world.document("Second")
    etag = world.owner.get(f"documents/{first}/").headers["ETag"]
    World.ok(world.act(first, "move", after=second))
    answer = world.owner.get(f"documents/{first}/", If_None_Match=etag)
    assert (answer.status_code, answer.json()["content"]) == (200, "text")
    assert answer.headers["ETag"] != etag


def test_read_by_outsider_is_as_absent(world: World) -> None:
    """Hidden and absent answer alike but for the request's id; nobody signed in gets 401."""
    document, outsider = world.document(), world.client_for()
    hidden, absent = outsider.get(f"documents/{document}/"), outsider.get(f"documents/{ABSENT}/")
    own = {"request_id", "instance"}
    assert hidden.status_code == absent.status_code == 404
    assert {k: v for k, v in hidden.json().items() if k not in own} == {
        k: v for k, v in absent.json().items() if k not in own
    }
    for path in ("children/", "ancestors/", "grants/"):
        assert outsider.get(f"documents/{document}/{path}").status_code == 404


def test_read_of_a_long_body_by_outsider_never_touches_it(world: World) -> None:
    """How long a hidden document is can't be told by the time; its reader pays one statement more."""
    text = "long " * 10_000
    document = world.document(content=text)
    outsider = world.client_for()
    for person, cost in ((outsider, 2), (world.owner, 3)):
        person.get(f"documents/{document}/")
        with statements(cost):
            person.get(f"documents/{document}/")
    read = world.owner.get(f"documents/{document}/")
    assert read.json()["content"] == text
    tag = {"If-None-Match": read.headers["ETag"]}
    with statements(2):
        assert world.owner.get(f"documents/{document}/", **tag).status_code == 304


def test_read_shows_no_hidden_parent(world: World) -> None:
    """Whoever was given a document alone doesn't learn what stands above it."""
    top = world.document("Top")
    below = world.document("Below", parent=top)
    guest = world.client_for()
    world.grant(below, guest, "viewer")
    assert World.ok(guest.get(f"documents/{below}/"))["parent"] is None
    assert World.ok(guest.get(f"documents/{below}/ancestors/"))["results"] == []
    assert World.ok(world.owner.get(f"documents/{below}/"))["parent"] == top


def test_read_of_chosen_fields(world: World) -> None:
    """`fields` cuts the answer; an unknown one is refused."""
    document = world.document()
    body = World.ok(world.owner.get(f"documents/{document}/?fields=title,state"))
    assert set(body) == {"id", "revision", "title", "state"}
    assert world.owner.get(f"documents/{document}/?fields=secret").status_code == 400
    path = f"documents/?workspace={world.workspace}&fields="
    assert World.ok(world.owner.get(f"{path}title,state"))["results"] == [body]
    assert set(World.ok(world.owner.get(f"{path}content"))["results"][0]) == {"id", "revision", "content"}
    assert world.owner.get(f"{path}secret").status_code == 400


def test_list_costs_two_statements_and_leaves_bodies_out(world: World) -> None:
    """A page of documents with rights is one statement beside the sign-in."""
    for number in range(3):
        world.document(f"Page {number}", content="body")
    for path in ("documents/", f"documents/?workspace={world.workspace}"):
        world.owner.get(path)
        with statements(2):
            rows = World.ok(world.owner.get(path))["results"]
        assert [row["title"] for row in rows] == ["Page 2", "Page 1", "Page 0"]
        assert set(rows[0]) == set(DocumentListed().fields) - {"content"}
    expanded = World.ok(world.owner.get("documents/?expand=content"))["results"]
    assert [row.pop("content") for row in expanded] == ["body"] * 3
    assert expanded == rows


def test_list_pages_there_and_back(world: World) -> None:
    """Pages join without gap or repetition, in both directions, by both plans."""
    titles = [f"Page {number}" for number in range(5)]
    ids = [world.document(title) for title in titles]
    guest = world.client_for()
    for document in ids:
        world.grant(document, guest, "viewer")
    for person, query in ((world.owner, ""), (guest, ""), (guest, f"&workspace={world.workspace}")):
        found, path, page = [], f"documents/?page_size=2{query}", {}
        while path:
            page = World.ok(person.get(path))
            found += [row["title"] for row in page["results"]]
            path = page["next"]
        assert found == titles[::-1]
        back = World.ok(person.get(page["previous"]))
        assert [row["title"] for row in back["results"]] == ["Page 2", "Page 1"]


def test_list_holds_what_lies_beyond_the_walk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk through the newest is cut after so many rows; what one sees may all be older than that."""
    texts = {shape: listing._text(shape, window=2) for shape in listing._TEXTS}
    monkeypatch.setattr(listing, "_TEXTS", texts)
    seen = [world.document(f"Old {number}") for number in range(3)]
    for number in range(3):
        world.document(f"New {number}")
    guest = world.client_for()
    for document in seen:
        world.grant(document, guest, "viewer")
    first = World.ok(guest.get("documents/?page_size=2"))
    assert [row["title"] for row in first["results"]] == ["Old 2", "Old 1"]
    second = World.ok(guest.get(first["next"]))
    assert [row["title"] for row in second["results"]] == ["Old 0"]
    assert second["next"] is None
    every = World.ok(world.owner.get("documents/?page_size=200"))["results"]
    assert len(every) == 6


@pytest.mark.parametrize("query", ["", "&workspace={workspace}"])
def test_list_gathers_at_once_after_a_walk_in_vain(
    world: World, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """The newest are hidden from the viewer, whose next list doesn't walk past them again."""
    texts = {shape: listing._text(shape, window=2) for shape in listing._TEXTS}
    monkeypatch.setattr(listing, "_TEXTS", texts)
    viewer = world.member("viewer")
    for title in ("Old 0", "Old 1", "Old 2"):
        world.document(title)
    for title in ("New 0", "New 1", "New 2"):
        cut = world.document(title)
        World.ok(world.owner.patch(f"documents/{cut}/", {"inherits_access": False}))
    path = f"documents/?page_size=2{query.format(workspace=world.workspace)}"
    viewer.get(path)
    with statements(2):
        rows = World.ok(viewer.get(path))["results"]
    assert [row["title"] for row in rows] == ["Old 2", "Old 1"]
    assert [row["title"] for row in World.ok(world.owner.get(path))["results"]] == ["New 2", "New 1"]


@pytest.mark.parametrize(
    "query", ["cursor=nonsense", "page_size=0", "page_size=201", "bogus=1", "state=odd", "ordering=x"]
)
def test_list_with_bad_parameters(world: World, query: str) -> None:
    """What a list doesn't know is refused by name."""
    answer = world.owner.get(f"documents/?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"].startswith("?")


def test_list_filters(world: World) -> None:
    """Filters narrow the list, archived ones and templates come only when asked for."""
    world.document("German", language="de", tags=["x"])
    world.document("Template", template=True)
    World.ok(world.act(world.document("Old"), "archive"))
    owner = uid_of(world.owner)
    assert world.titles(world.owner) == ["German"]
    assert world.titles(world.owner, "?language=de&tag=x") == ["German"]
    assert world.titles(world.owner, "?tag=y") == []
    assert world.titles(world.owner, "?state=archived") == ["Old"]
    assert world.titles(world.owner, "?template=true") == ["Template"]
    assert world.titles(world.owner, f"?author={owner}&owner={owner}&ordering=title") == ["German"]
    assert world.titles(world.owner, f"?author={ABSENT}") == []
    assert world.titles(world.owner, f"?workspace={ABSENT}") == []


def test_children_stand_in_order(world: World) -> None:
    """Children come by position, page by page, and only those that the reader may see."""
    parent = world.document("Parent")
    ids = [world.document(f"Child {number}", parent=parent) for number in range(3)]
    world.document("First", parent=parent, before=ids[0])
    page = World.ok(world.owner.get(f"documents/{parent}/children/?page_size=3"))
    assert [row["title"] for row in page["results"]] == ["First", "Child 0", "Child 1"]
    assert [row["title"] for row in World.ok(world.owner.get(page["next"]))["results"]] == ["Child 2"]


def test_tree_nests_below_the_nearest_visible(world: World) -> None:
    """The tree holds what the reader sees, each below the nearest ancestor that they see."""
    top = world.document("Top")
    cut = world.document("Cut", parent=top)
    below = world.document("Below", parent=cut)
    leaf = world.document("Leaf", parent=below)
    viewer = world.member("viewer")
    World.ok(world.owner.patch(f"documents/{cut}/", {"inherits_access": False}))

    def shape(nodes: list[dict[str, Any]]) -> list[Any]:
        return [[node["title"], node["has_children"], shape(node["children"])] for node in nodes]

    path = f"workspaces/{world.workspace}/tree/"
    assert shape(World.ok(viewer.get(path))) == [["Top", False, []]]
    world.grant(below, viewer, "viewer")
    assert shape(World.ok(viewer.get(path))) == [["Top", False, [["Below", True, [["Leaf", False, []]]]]]]
    whole = [["Top", True, [["Cut", True, [["Below", True, [["Leaf", False, []]]]]]]]]
    assert shape(World.ok(world.owner.get(path))) == whole
    assert shape(World.ok(world.owner.get(path + "?depth=1"))) == [["Top", True, []]]
    assert shape(World.ok(world.owner.get(f"{path}?parent={below}"))) == [["Leaf", False, []]]
    assert viewer.get(f"{path}?parent={cut}").status_code == 404
    ancestors = World.ok(viewer.get(f"documents/{leaf}/ancestors/"))["results"]
    assert [row["title"] for row in ancestors] == ["Top", "Below"]
    with statements(3):  # 1 sign-in, 2 the workspace, 3 the tree
        viewer.get(path)


def test_reads_go_on_without_redis(world: World, redis_gone: None) -> None:
    """Rights are computed from PostgreSQL where no cache answers."""
    document = world.document()
    assert world.owner.get(f"documents/{document}/").status_code == 200
    assert world.client_for().get(f"documents/{document}/").status_code == 404
