"""`manage.py check_access`, after the database was damaged by hand."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from audit.models import Event
from documents.models import Document, Workspace
from documents.services.mending import access_mend_next
from tests.actors import command
from tests.documents.world import World
from tests.fixtures import client_make


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> tuple[World, dict[str, str]]:
    """A workspace and what stands in it, by name."""
    world = World(client_make)
    top = world.document("top")
    middle = world.document("middle", parent=top)
    cut = world.document("cut", parent=middle)
    leaf = world.document("leaf", parent=cut)
    World.ok(world.owner.patch(f"documents/{cut}/", {"inherits_access": False}))
    draft, other = world.document("draft", parent=top, state="draft"), world.document("other")
    return world, {"top": top, "middle": middle, "cut": cut, "leaf": leaf, "draft": draft, "other": other}


@pytest.fixture
def world(made: tuple[World, dict[str, str]], as_made: None) -> World:
    """The workspace."""
    return made[0]


@pytest.fixture
def tree(made: tuple[World, dict[str, str]], as_made: None) -> dict[str, str]:
    """`top` > `middle` > `cut` > `leaf`, a `draft` below top, and `other` beside; ids by name."""
    return made[1]


def derived() -> dict[str, tuple[Any, ...]]:
    """What all documents derive, by title."""
    columns = ("title", "path", "depth", "reach", "scope_id", "workspace_id", "parent_id")
    return {row[0]: row[1:] for row in Document.objects.values_list(*columns)}


def row(tree: dict[str, str], name: str) -> Any:
    """A document of the tree as a queryset."""
    return Document.objects.filter(uid=tree[name])


def test_check_finds_nothing_where_all_is_right(tree: dict[str, str], capsys: Any) -> None:
    """Exit code 0 and a sentence."""
    call_command("check_access")
    assert "1 workspaces are right." in capsys.readouterr().out


DAMAGE: dict[str, tuple[str, dict[str, Any]]] = {
    "path": ("middle", {"path": "00000fffff"}),
    "depth": ("leaf", {"depth": 2}),
    "reach": ("other", {}),
    "scope_id": ("leaf", {}),
}


def damage(tree: dict[str, str], column: str) -> str:
    """Change one column of one row by hand; the id of the document."""
    name, changes = DAMAGE[column]
    pks = {key: row(tree, key).get().pk for key in tree}
    if column == "reach":
        changes = {"reach": [pks["other"], pks["top"], -row(tree, "top").get().workspace_id]}
    if column == "scope_id":
        changes = {"scope_id": pks["top"]}
    row(tree, name).update(**changes)
    return tree[name]


@pytest.mark.parametrize("column", sorted(DAMAGE))
def test_check_names_and_mends_a_damaged_column(tree: dict[str, str], column: str, capsys: Any) -> None:
    """Exit code 1, the document and the column; with --fix all is as before, and on the record."""
    before = derived()
    document = damage(tree, column)
    with pytest.raises(CommandError) as refused:
        call_command("check_access")
    assert refused.value.returncode == 1
    assert f"document {document} in world: {column}\n" in capsys.readouterr().out
    call_command("check_access", "--fix")
    assert derived() == before
    assert Event.objects.get(action="workspace.access_mended").facts == {"documents": 1, "circles": 0}
    call_command("check_access")


def test_check_mends_everything_in_batches(tree: dict[str, str]) -> None:
    """Paths that stand in each other's way, wrong ones above wrong ones, a batch of two."""
    before = derived()
    top, other = row(tree, "top").get(), row(tree, "other").get()
    row(tree, "top").update(path="~")
    row(tree, "other").update(path=top.path)
    row(tree, "top").update(path=other.path, depth=7)
    for name in ("middle", "leaf", "draft"):
        row(tree, name).update(depth=9)
    actor, room = command(), Workspace.objects.get()
    turns = [access_mend_next(actor=actor, workspace=room, most=2) for _ in range(4)]
    assert turns == [2, 2, 1, 0]
    assert derived() == before


def test_check_gives_nobody_what_the_damage_did(tree: dict[str, str], world: World) -> None:
    """A reader whom a wrong reach let in is out again, whom it shut out is in."""
    reader, member = world.client_for(), world.member("viewer")
    world.grant(tree["top"], reader, "viewer")
    damage(tree, "reach")
    row(tree, "middle").update(reach=[row(tree, "middle").get().pk])
    assert reader.get(f"documents/{tree['other']}/").status_code == 200
    assert reader.get(f"documents/{tree['middle']}/").status_code == 404
    call_command("check_access", "--fix")
    assert reader.get(f"documents/{tree['other']}/").status_code == 404
    assert reader.get(f"documents/{tree['middle']}/").status_code == 200
    assert member.get(f"documents/{tree['other']}/").status_code == 200


def test_check_opens_a_circle(tree: dict[str, str], capsys: Any) -> None:
    """Top below its own leaf: named once, opened at the lowest key, which is cut; then all is right."""
    leaf = row(tree, "leaf").get()
    row(tree, "top").update(parent_id=leaf.pk)
    with pytest.raises(CommandError):
        call_command("check_access")
    out = capsys.readouterr().out
    assert f"document {tree['top']} in world: stands below itself" in out
    assert out.count("stands below itself") == 1
    call_command("check_access", "--fix")
    top = row(tree, "top").get()
    assert (top.parent_id, top.inherits_access, top.scope_id, top.reach) == (None, False, top.pk, [top.pk])
    call_command("check_access")


def test_check_puts_a_subtree_back_into_its_workspace(tree: dict[str, str], world: World) -> None:
    """Rows that say another workspace than what stands above them, which no foreign key lets in."""
    before = derived()
    other = World(world.client_for)
    elsewhere = Workspace.objects.get(uid=other.workspace)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    row(tree, "middle").update(workspace_id=elsewhere.pk)
    row(tree, "cut").update(workspace_id=elsewhere.pk)
    call_command("check_access", "--fix")
    assert derived() == before


def test_check_leaves_a_workspace_alone_that_is_being_rearranged(tree: dict[str, str], capsys: Any) -> None:
    """Exit code 1, nothing mended; after that it is."""
    damage(tree, "depth")
    Workspace.objects.update(busy_job=uuid.uuid4())
    with pytest.raises(CommandError) as refused:
        call_command("check_access", "--fix")
    assert refused.value.returncode == 1
    assert "is being rearranged" in capsys.readouterr().err
    Workspace.objects.update(busy_job=None)
    call_command("check_access", "--fix")
