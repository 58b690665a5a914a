"""`workspaces/{id}/tags/`."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import Event
from cloudscribe.jobs.models import Job
from documents.models import Document, Revision
from tests.documents.jobs import job_done
from tests.documents.world import ABSENT, World, statements
from tests.fixtures import ApiClient


def tags_of(world: World, by: ApiClient, query: str = "") -> list[tuple[str, int]]:
    """What somebody sees, in one page."""
    rows = World.ok(by.get(f"workspaces/{world.workspace}/tags/{query}"))["results"]
    return [(row["tag"], row["count"]) for row in rows]


def path_of(world: World, tag: str) -> str:
    """The address of a tag."""
    return f"workspaces/{world.workspace}/tags/{tag}/"


def tags_by_title() -> dict[str, list[str]]:
    """Every document's tags."""
    return dict(Document.objects.values_list("title", "tags"))


def test_list_counts_what_the_reader_sees(world: World) -> None:
    """As a list of the tag would show: without what is hidden, trashed, archived or a template."""
    viewer = world.member("viewer")
    world.document("1", tags=["b", "a"])
    world.document("2", tags=["a", "é"])
    hidden = world.document("3", tags=["a", "secret"])
    World.ok(world.owner.patch(f"documents/{hidden}/", {"inherits_access": False}))
    World.ok(world.act(world.document("4", tags=["a", "gone"]), "trash"))
    World.ok(world.act(world.document("5", tags=["a", "old"]), "archive"))
    world.document("6", tags=["a", "form"], template=True)
    assert tags_of(world, viewer) == [("a", 2), ("b", 1), ("é", 1)]
    assert tags_of(world, world.owner) == [("a", 3), ("b", 1), ("secret", 1), ("é", 1)]
    tags_of(world, viewer)
    with statements(3):  # 1 sign-in, 2 workspace, 3 tags
        tags_of(world, viewer)


def test_list_by_pages(world: World) -> None:
    """Forwards and backwards; a foreign cursor is refused."""
    world.document("1", tags=["a", "b", "c", "d", "e"])
    path = f"workspaces/{world.workspace}/tags/?page_size=2"
    first = World.ok(world.owner.get(path))
    second = World.ok(world.owner.get(first["next"]))
    assert [row["tag"] for row in second["results"]] == ["c", "d"]
    assert World.ok(world.owner.get(second["previous"]))["results"] == first["results"]
    assert World.ok(world.owner.get(second["next"]))["next"] is None
    assert world.owner.get(f"workspaces/{world.workspace}/tags/?cursor=x").status_code == 400


def test_rename_revises_each_document(world: World) -> None:
    """A revision each with a note, its author who asked; what may not be edited is left and counted."""
    manager, editor = world.member("manager"), world.member("editor")
    world.document("1", tags=["x", "old/name", "y"])
    world.document("2", tags=["old/name"], by=editor, state="draft")
    World.ok(world.act(world.document("3", tags=["old/name"]), "archive"))
    World.ok(world.act(world.document("4", tags=["old/name"]), "trash"))
    world.document("5", tags=["other"])
    assert editor.patch(path_of(world, "old/name"), {"tag": "new"}).status_code == 403
    done = job_done(manager, manager.patch(path_of(world, "old/name"), {"tag": "new"}))
    assert (done["state"], done["result"]) == ("succeeded", {"changed": 1, "left": 1})
    tags = tags_by_title()
    assert tags["1"] == ["x", "new", "y"]
    assert tags["2"] == tags["3"] == tags["4"] == ["old/name"]
    revision = Revision.objects.get(document__title="1", number=2)
    assert (revision.note, revision.author) == ("Tag old/name became new", manager.user)
    event = Event.objects.get(action="tag.renamed")
    assert event.detail.content["changes"]["tag"] == {"before": "old/name", "after": "new"}
    assert Event.objects.filter(action="document.updated").count() == 1


def test_merge_leaves_each_tag_once(world: World) -> None:
    """Two tags become one, at the place of the first."""
    world.document("1", tags=["a", "b", "c"])
    world.document("2", tags=["c", "b"])
    world.document("3", tags=["a"])
    assert world.owner.patch(path_of(world, "b"), {"tag": "c"}).json()["code"] == "tag_exists"
    done = job_done(world.owner, world.owner.post(path_of(world, "b") + "merge/", {"into": "c"}))
    assert done["result"] == {"changed": 2, "left": 0}
    assert tags_by_title() == {"1": ["a", "c"], "2": ["c"], "3": ["a"]}
    assert Event.objects.filter(action="tag.merged").count() == 1


def test_delete_takes_the_tag_away(world: World) -> None:
    """From every document."""
    world.document("1", tags=["a", "b"])
    world.document("2", tags=["b"])
    job_done(world.owner, world.owner.delete(path_of(world, "b")))
    assert tags_by_title() == {"1": ["a"], "2": []}
    assert tags_of(world, world.owner) == [("a", 1)]
    assert world.owner.delete(path_of(world, "b")).status_code == 404


def test_rename_of_a_tag_that_only_hidden_documents_have(world: World) -> None:
    """Is as absent as one that nobody uses, as a target as well."""
    manager = world.member("manager")
    hidden = world.document("1", tags=["secret"])
    world.document("2", tags=["open"])
    World.ok(world.owner.patch(f"documents/{hidden}/", {"inherits_access": False}))
    for tag in ("secret", "nobody's"):
        assert manager.patch(path_of(world, tag), {"tag": "x"}).status_code == 404
        answer = manager.post(path_of(world, "open") + "merge/", {"into": tag})
        assert answer.json()["errors"][0]["code"] == "no_such_tag"
    job_done(manager, manager.patch(path_of(world, "open"), {"tag": "secret"}))
    outsider = world.client_for()
    for workspace in (world.workspace, ABSENT):
        assert outsider.get(f"workspaces/{workspace}/tags/").status_code == 404
        assert outsider.delete(f"workspaces/{workspace}/tags/open/").status_code == 404


def test_rights_are_those_of_the_jobs_moment(world: World) -> None:
    """A manager who no longer is one changes nothing."""
    manager = world.member("manager")
    world.document("1", tags=["a"])
    answer = manager.patch(path_of(world, "a"), {"tag": "b"})
    member = World.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"][-1]["id"]
    World.ok(world.owner.patch(f"workspaces/{world.workspace}/members/{member}/", {"role": "editor"}))
    done = job_done(manager, answer)
    assert (done["state"], done["error"]["code"]) == ("failed", "permission_denied")
    assert tags_by_title() == {"1": ["a"]}


@pytest.mark.parametrize(
    ("tag", "body", "status", "pointer"),
    [
        ("a", {"tag": "a"}, 400, "/tag"),
        ("a", {"tag": ""}, 400, "/tag"),
        ("a", {"tag": "x" * 101}, 400, "/tag"),
        ("a", {"tag": 1}, 400, "/tag"),
        ("a", {}, 400, "/tag"),
        ("a", {"tag": "b", "bogus": 1}, 400, "/bogus"),
        ("a%00b", {"tag": "b"}, 400, None),
        ("x" * 300, {"tag": "b"}, 404, None),
    ],
)
def test_rename_with_bad_input(
    world: World, tag: str, body: dict[str, Any], status: int, pointer: str | None
) -> None:
    """Refused with the field named, and no job is asked for."""
    world.document("1", tags=["a"])
    answer = world.owner.patch(path_of(world, tag), body)
    assert answer.status_code == status, answer.content
    assert [error["pointer"] for error in answer.json()["errors"]][:1] == ([pointer] if pointer else [])
    assert not Job.objects.filter(kind="documents.tag_change").exists()
