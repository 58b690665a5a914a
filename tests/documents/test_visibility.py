"""What stands beside the rule of what is visible."""

from __future__ import annotations

import datetime as dt
import pathlib
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission

from accounts.actors import actor_for_command
from accounts.models import User
from accounts.selectors import database_now
from cloudscribe.lib.actor import Actor, command_actor
from documents.models import Document, Origin, Revision, ScopeCount, Workspace
from documents.roles import SEE_BIT, Role
from documents.services.counting import scope_counts_refresh
from documents.services.documents import NewDocument, document_create
from documents.services.granting import grant_insert
from documents.services.locking import actor_renewed
from documents.services.workspaces import workspace_create
from documents.visibility import actions_of, visible_to
from tests.accounts.factories import user_make

pytestmark = pytest.mark.django_db
ROOT = pathlib.Path(__file__).parents[2]


def actor_of(user: User) -> Actor:
    """The person as they are now."""
    return actor_for_command(user, "tests")


def test_object_rights_of_django_follow_inheritance() -> None:
    """`has_perm` with an object resolves what is inherited; being a superuser counts for nothing."""
    maker, reader, root = user_make(), user_make(), user_make(is_superuser=True, is_staff=True)
    workspace = workspace_create(actor=actor_of(maker), name="W")
    top = document_create(actor=actor_of(maker), workspace=workspace, new=NewDocument(title="Top")).document
    leaf = document_create(
        actor=actor_of(maker), workspace=workspace, parent=top, new=NewDocument(title="Leaf")
    ).document
    grant_insert(top, role=Role.EDITOR, origin=Origin.STANDING, user_pk=reader.pk)
    assert reader.has_perm("documents.edit_document", leaf)
    assert not reader.has_perm("documents.manage_document", leaf)
    assert not reader.has_perm("documents.read_workspace", workspace)
    assert maker.has_perm("documents.own_workspace", workspace)
    assert not root.has_perm("documents.read_document", leaf)
    assert root.has_perm("documents.view_document")


def test_generic_grants_stay_empty(world: Any) -> None:
    """Every right stands in a direct table; guardian's generic ones hold nothing."""
    world.grant(world.document(), world.member("viewer"), "editor")
    assert not UserObjectPermission.objects.exists()
    assert not GroupObjectPermission.objects.exists()


def test_rights_of_a_change_that_was_rolled_back_are_kept_nowhere() -> None:
    """Another change reaches the same stamps later: no map read inside the failed one stands under them."""
    maker, reader = user_make(), user_make()
    workspace = workspace_create(actor=actor_of(maker), name="W")
    page = document_create(actor=actor_of(maker), workspace=workspace, new=NewDocument(title="Page")).document
    before = actor_of(reader)
    with transaction.atomic():
        grant_insert(page, role=Role.EDITOR, origin=Origin.STANDING, user_pk=reader.pk)
        within = actor_renewed(before)
        assert actions_of(within, page) & SEE_BIT
        transaction.set_rollback(True)
    elsewhere = workspace_create(actor=actor_of(maker), name="Elsewhere")
    grant_insert(elsewhere, role=Role.VIEWER, origin=Origin.STANDING, user_pk=reader.pk)
    after = actor_of(reader)
    assert after.access_key == within.access_key
    assert not actions_of(after, page) & SEE_BIT
    assert not visible_to(Document.objects.filter(pk=page.pk), after).exists()


def test_guardians_shortcuts_are_called_nowhere() -> None:
    """They take seconds with many grants and know no inheritance."""
    names = ("get_objects_for_user", "get_objects_for_group", "ObjectPermissionChecker", "assign_perm")
    banned = re.compile("|".join(names))
    apps = ("cloudscribe", "accounts", "audit", "documents", "security")
    found = [
        str(path) for app in apps for path in (ROOT / app).rglob("*.py") if banned.search(path.read_text())
    ]
    assert found == []


def test_database_refuses_what_must_never_be(world: Any) -> None:
    """Constraints hold where no service stands in front."""
    document = Document.objects.get(uid=world.document())
    for changes in (
        {"parent_id": document.pk},
        {"position": ""},
        {"title": ""},
        {"state": "odd"},
        {"inherits_access": False},
        {"scope_id": document.pk},
        {"trashed_at": timezone.now()},
        {"depth": 21},
        {"reach": [1 << 40]},
        {"tags": ["x"] * 51},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Document.objects.filter(pk=document.pk).update(**changes)
    with pytest.raises(IntegrityError), transaction.atomic():
        Revision.objects.update(note="rewritten")


def test_scope_counts_are_those_of_the_documents(world: Any) -> None:
    """The counts that choose the plan follow the documents."""
    world.document()
    world.act(world.document(), "trash")
    scope_counts_refresh(actor=command_actor("tests", database_now()))
    workspace = Workspace.objects.get()
    assert list(ScopeCount.objects.values_list("scope_id", "n")) == [(-workspace.pk, 1)]


def test_purge_trash_removes_what_is_due(world: Any) -> None:
    """What has lain in the trash for longer than the workspace keeps it goes; what is younger stays."""
    old, young = world.document("Old"), world.document("Young")
    for document in (old, young):
        world.ok(world.act(document, "trash"))
    past = timezone.now() - dt.timedelta(days=31)
    Document.objects.filter(uid=old).update(trashed_at=past)
    call_command("purge_trash")
    assert [str(uid) for uid in Document.objects.values_list("uid", flat=True)] == [young]
