"""The one rule in its three forms, and what stands beside it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import pathlib
import random
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission

from accounts.actors import actor_for_command
from accounts.models import User
from accounts.selectors import database_now
from cloudscribe.lib.actor import Actor, Limit, command_actor
from documents.models import Document, Origin, Revision, ScopeCount, ShareLink, Workspace
from documents.roles import LINK_BITS, ROLES, SEE_BIT, Role
from documents.selectors.access import readers_of
from documents.selectors.links import link_actor
from documents.services.counting import scope_counts_refresh
from documents.services.documents import NewDocument, document_create
from documents.services.granting import grant_insert
from documents.services.locking import actor_renewed
from documents.services.states import document_inheritance_set
from documents.services.workspaces import workspace_create
from documents.visibility import VISIBLE_SQL, actions_of, visible_parameters, visible_to
from tests.accounts.factories import user_make

pytestmark = pytest.mark.django_db
ROOT = pathlib.Path(__file__).parents[2]


def actor_of(user: User) -> Actor:
    """The person as they are now."""
    return actor_for_command(user, "tests")


def random_world(seed: int) -> list[User]:
    """Three workspaces of random trees with cuts and drafts, and people with random grants, some run out."""
    chance = random.Random(seed)
    maker, people = user_make(), [user_make() for _ in range(4)]
    for number in range(3):
        workspace = workspace_create(actor=actor_of(maker), name=f"W{number}")
        rows: list[Document] = []
        for _ in range(12):
            parent = chance.choice([None, *rows])
            state = chance.choice(["published", "published", "draft"])
            new = NewDocument(title="x", state=state)
            rows.append(
                document_create(actor=actor_of(maker), workspace=workspace, parent=parent, new=new).document
            )
        for row in chance.sample(rows, 3):
            document_inheritance_set(actor=actor_of(maker), document=row, inherits_access=False)
        for person in people:
            ends = chance.choice([None, timezone.now() + dt.timedelta(hours=chance.choice([-1, 1]))])
            target = chance.choice([workspace, *rows])
            grant_insert(
                target,
                role=chance.choice([role for role in ROLES if role is not Role.OWNER]),
                origin=Origin.STANDING if ends is None else Origin.TEMPORARY,
                user_pk=person.pk,
                expires_at=ends,
            )
    return [maker, *people]


def limits_of(chance: random.Random) -> list[Limit | None]:
    """No limit, and one of each kind."""
    workspace = chance.choice(list(Workspace.objects.values_list("pk", flat=True)))
    document = chance.choice(list(Document.objects.values_list("pk", flat=True)))
    return [
        None,
        Limit(workspace_pk=workspace),
        Limit(document_pk=document),
        Limit(document_pk=document, whole_subtree=False),
        Limit(actions=0),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_queryset_sql_and_python_agree(seed: int) -> None:
    """Whoever it is, whatever the credential's limit: the three forms of the rule show the same documents."""
    chance = random.Random(seed)
    for person in random_world(seed):
        for limit in limits_of(chance):
            actor = dataclasses.replace(actor_of(person), limit=limit)
            by_queryset = set(visible_to(Document.objects.all(), actor).values_list("pk", flat=True))
            with connection.cursor() as cursor:
                sql = f"SELECT d.id FROM documents_document d WHERE {VISIBLE_SQL}"
                cursor.execute(sql, visible_parameters(actor))
                by_sql = {row[0] for row in cursor.fetchall()}
            by_python = {row.pk for row in Document.objects.all() if actions_of(actor, row) & SEE_BIT}
            assert by_queryset == by_sql == by_python


@pytest.mark.parametrize("seed", range(4))
def test_readers_of_many_documents_are_those_who_see_them(seed: int) -> None:
    """Asked for all at once, as one by one; who may not sign in sees nothing."""
    people, rows = random_world(seed), list(Document.objects.all())
    User.objects.filter(pk=people[-1].pk).update(is_active=False)
    seen = readers_of(rows, [person.pk for person in people], database_now())
    for person in people[:-1]:
        visible = visible_to(Document.objects.all(), actor_of(person)).values_list("pk", flat=True)
        assert seen.get(person.pk, set()) == set(visible)
    assert people[-1].pk not in seen


@pytest.mark.parametrize("seed", range(4))
def test_forms_of_the_rule_agree_on_share_links(seed: int) -> None:
    """A link reaches its document and, with children, what inherits from it; nothing by any other form."""
    chance = random.Random(seed)
    random_world(seed)
    rows = {row.pk: row for row in Document.objects.all()}
    for document in chance.sample(sorted(rows), 8):
        for children in (False, True):
            link = ShareLink.objects.create(
                document_id=document,
                secret_hash=random.randbytes(32),
                role="editor",
                include_children=children,
            )
            actor = link_actor(link.uid)
            by_queryset = set(visible_to(Document.objects.all(), actor).values_list("pk", flat=True))
            with connection.cursor() as cursor:
                sql = f"SELECT d.id FROM documents_document d WHERE {VISIBLE_SQL}"
                cursor.execute(sql, visible_parameters(actor))
                by_sql = {row[0] for row in cursor.fetchall()}
            by_python = {pk for pk, row in rows.items() if actions_of(actor, row) & SEE_BIT}
            wanted = {pk for pk, row in rows.items() if document in row.reach} if children else {document}
            assert by_queryset == by_sql == by_python == wanted
            assert not visible_to(Workspace.objects.all(), actor).exists()
            allowed = {actions_of(actor, rows[pk]) for pk in wanted}
            assert allowed == {LINK_BITS[Role.EDITOR]}


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
