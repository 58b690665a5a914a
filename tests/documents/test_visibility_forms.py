"""The one rule in its three forms: what is visible in worlds of random trees and grants."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Iterator

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.selectors import database_now
from cloudscribe.lib.actor import Limit
from documents.models import Document, Origin, ShareLink, Workspace
from documents.roles import LINK_BITS, ROLES, SEE_BIT, Role
from documents.selectors.access import readers_of
from documents.selectors.links import link_actor
from documents.services.documents import NewDocument, document_create
from documents.services.granting import grant_insert
from documents.services.states import document_inheritance_set
from documents.services.workspaces import workspace_create
from documents.visibility import VISIBLE_SQL, actions_of, visible_parameters, visible_to
from tests.accounts.factories import user_make
from tests.documents.test_visibility import actor_of
from tests.rolled_back import undone

pytestmark = pytest.mark.django_db


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


@pytest.fixture(scope="module", params=range(4))
def seed(request: pytest.FixtureRequest) -> int:
    """What a world is drawn by."""
    number: int = request.param
    return number


@pytest.fixture(scope="module")
def made(for_all_tests: None, seed: int) -> Iterator[list[User]]:
    """The people of a random world."""
    with undone():
        yield random_world(seed)


@pytest.fixture
def people(made: list[User], as_made: None) -> list[User]:
    """They, as if no other test had been there."""
    return [*made]


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


def test_queryset_sql_and_python_agree(seed: int, people: list[User]) -> None:
    """Whoever it is, whatever the credential's limit: the three forms of the rule show the same documents."""
    chance = random.Random(seed)
    for person in people:
        for limit in limits_of(chance):
            actor = dataclasses.replace(actor_of(person), limit=limit)
            by_queryset = set(visible_to(Document.objects.all(), actor).values_list("pk", flat=True))
            with connection.cursor() as cursor:
                sql = f"SELECT d.id FROM documents_document d WHERE {VISIBLE_SQL}"
                cursor.execute(sql, visible_parameters(actor))
                by_sql = {row[0] for row in cursor.fetchall()}
            by_python = {row.pk for row in Document.objects.all() if actions_of(actor, row) & SEE_BIT}
            assert by_queryset == by_sql == by_python


def test_readers_of_many_documents_are_those_who_see_them(people: list[User]) -> None:
    """Asked for all at once, as one by one; who may not sign in sees nothing."""
    rows = list(Document.objects.all())
    User.objects.filter(pk=people[-1].pk).update(is_active=False)
    seen = readers_of(rows, [person.pk for person in people], database_now())
    for person in people[:-1]:
        visible = visible_to(Document.objects.all(), actor_of(person)).values_list("pk", flat=True)
        assert seen.get(person.pk, set()) == set(visible)
    assert people[-1].pk not in seen


def test_forms_of_the_rule_agree_on_share_links(seed: int, people: list[User]) -> None:
    """A link reaches its document and, with children, what inherits from it; nothing by any other form."""
    chance = random.Random(seed)
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
