"""A token that is cut to a workspace or a subtree: what lies outside isn't there, on any route."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import Token, User
from accounts.services import admin_create
from cloudscribe.jobs.exceptions import CredentialRevoked
from cloudscribe.jobs.ports import StoredActor, actor_rebuilder
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor, ActorKind, CredentialKind, Limit
from documents.models import Document, RecentView, Workspace
from tests.accounts.factories import PASSWORD, token_make, user_make
from tests.actors import command, person
from tests.fixtures import ApiClient, client_make
from tests.rolled_back import transaction_of_many_tests, undone


class World:
    """One owner of two rooms, each with a tree `top > page > leaf` and a colleague."""

    def __init__(self) -> None:
        self.owner = client_make()
        self.ids: dict[str, str] = {}
        for room in ("mine", "other"):
            made = self.owner.post("workspaces/", {"name": room}).json()
            self.ids[room], parent = made["id"], None
            for name in ("top", "page", "leaf"):
                parent = self.document(room, f"{room} {name} zebra", parent)
                self.ids[f"{room}-{name}"] = parent
            colleague = user_make(name=f"Colleague {room}")
            self.ids[f"{room}-colleague"] = str(colleague.uid)
            body = {"user": str(colleague.uid), "role": "viewer"}
            self.owner.post(f"workspaces/{made['id']}/members/", body)
        self.ids["mine-sibling"] = self.document("mine", "mine sibling zebra", None)

    def document(self, room: str, title: str, parent: str | None) -> str:
        """A new document's id."""
        body = {"workspace": self.ids[room], "title": title, "content": "A zebra."}
        return str(
            self.owner.post("documents/", {**body, **({"parent": parent} if parent else {})}).json()["id"]
        )

    def client(self, kind: str, user: User | None = None) -> ApiClient:
        """One of the owner's or of another's, cut to the workspace `mine` or the subtree of `mine-page`."""
        fields: dict[str, Any]
        if kind == "workspace":
            row = Workspace.objects.get(uid=self.ids["mine"])
            fields = {"workspace_pk": row.pk, "workspace_uid": row.uid}
        else:
            page = Document.objects.get(uid=self.ids["mine-page"])
            fields = {"document_pk": page.pk, "document_uid": page.uid}
        user = user or self.owner.user
        assert user
        return ApiClient(token_make(user, **fields))


@pytest.fixture(scope="module")
def rooms(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once for this file."""
    with transaction_of_many_tests(django_db_blocker):
        yield World()


@pytest.fixture
def world(rooms: World) -> Iterator[World]:
    """Two rooms; what a test does to them is undone."""
    with undone():
        yield rooms


KINDS = pytest.mark.parametrize("kind", ["workspace", "subtree"])
INSIDE = {
    "workspace": {"mine top zebra", "mine page zebra", "mine leaf zebra", "mine sibling zebra"},
    "subtree": {"mine page zebra", "mine leaf zebra"},
}
OUTSIDE = {"workspace": ["other-top", "other-leaf"], "subtree": ["other-top", "mine-top", "mine-sibling"]}


@KINDS
@pytest.mark.parametrize(
    "path",
    [
        "documents/",
        "documents/?workspace={mine}",
        "documents/?ordering=title",
        "documents/?workspace={other}",
        "documents/?workspace={other}&ordering=title",
        "documents/?parent={other-top}",
        "search/?q=zebra",
        "search/?q=zebra&sort=updated",
        "search/?q=zebra&workspace={other}",
        "search/?q=zebra&subtree={other-top}",
        "search/?q=zebra&subtree={mine-top}",
        "search/suggest/?q=zeb",
    ],
)
def test_lists_and_search_show_only_what_lies_inside(world: World, kind: str, path: str) -> None:
    """No list, hit, total, facet or suggestion speaks of a place outside, whatever filter is asked for."""
    filled = path.format(**world.ids)
    answer = world.client(kind).get(filled)
    shown = answer.json()
    rows = [row.get("document", row) for row in shown.get("results", [])]
    assert answer.status_code == 200
    assert {row["title"] for row in rows} <= INSIDE[kind]
    assert "total" not in shown or shown["total"] == len(rows)
    rooms = [facet["value"] for facet in shown.get("facets", {}).get("workspace", [])]
    assert set(rooms) <= {world.ids["mine"]}
    if "{" not in path:
        assert {row["title"] for row in rows} == INSIDE[kind]


@KINDS
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "html/", None),
        ("GET", "children/", None),
        ("GET", "ancestors/", None),
        ("GET", "grants/", None),
        ("GET", "revisions/", None),
        ("GET", "revisions/1/", None),
        ("GET", "revisions/1/diff/", None),
        ("PATCH", "", {"title": "Mine now"}),
        ("POST", "move/", {"parent": None}),
        ("POST", "trash/", None),
        ("POST", "archive/", None),
        ("POST", "unpublish/", None),
        ("POST", "restore/", None),
        ("DELETE", "", None),
        ("POST", "grants/", {"user": "{other-colleague}", "role": "viewer"}),
        ("POST", "revisions/1/restore/", None),
    ],
)
def test_documents_outside_are_absent(
    world: World, kind: str, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """404 on each route of a document outside, though the person may do all of it."""
    client = world.client(kind)
    filled = {key: world.ids.get(str(value).strip("{}"), value) for key, value in (body or {}).items()}
    for name in OUTSIDE[kind]:
        headers = {"If_Match": world.owner.get(f"documents/{world.ids[name]}/").headers["ETag"]}
        answer = client.call(
            method, f"documents/{world.ids[name]}/{path}", filled if body else None, **headers
        )
        assert (name, answer.status_code) == (name, 404)


@KINDS
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "tree/"),
        ("GET", "trash/"),
        ("GET", "members/"),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "members/"),
    ],
)
def test_workspaces_outside_are_absent(world: World, kind: str, method: str, path: str) -> None:
    """To a token of a workspace the others aren't there; to one of a subtree none is, not even its own."""
    client = world.client(kind)
    body = {
        "PATCH": {"name": "Other"},
        "POST": {"user": world.ids["mine-colleague"], "role": "viewer"},
    }.get(method)
    rooms = ["other"] if kind == "workspace" else ["other", "mine"]
    for room in rooms:
        assert client.call(method, f"workspaces/{world.ids[room]}/{path}", body).status_code == 404
    listed = [row["id"] for row in client.get("workspaces/").json()["results"]]
    assert listed == ([world.ids["mine"]] if kind == "workspace" else [])


@KINDS
def test_people_outside_are_not_found(world: World, kind: str) -> None:
    """People whom one shares only an outer workspace with don't show."""
    answer = world.client(kind).get("users/?search=colleague").json()["results"]
    assert [row["name"] for row in answer] == (["Colleague mine"] if kind == "workspace" else [])


@KINDS
def test_nothing_is_made_or_moved_beyond(world: World, kind: str) -> None:
    """New documents, and moved ones, stay within; a place outside is absent."""
    client, ids = world.client(kind), world.ids
    new = {"title": "New"}
    assert (
        client.post("documents/", {**new, "workspace": ids["mine"], "parent": ids["mine-page"]}).status_code
        == 201
    )
    refused = [
        client.post("documents/", {**new, "workspace": ids["other"]}),
        client.post("documents/", {**new, "workspace": ids["other"], "parent": ids["other-top"]}),
        client.post(f"documents/{ids['mine-leaf']}/move/", {"workspace": ids["other"]}),
        client.post(f"documents/{ids['mine-leaf']}/move/", {"parent": ids["other-top"]}),
        client.post(f"documents/{ids['mine-leaf']}/move/", {"before": ids["other-leaf"]}),
    ]
    if kind == "subtree":
        refused += [
            client.post("documents/", {**new, "workspace": ids["mine"]}),
            client.post(f"documents/{ids['mine-leaf']}/move/", {"parent": None}),
            client.post(f"documents/{ids['mine-leaf']}/move/", {"parent": ids["mine-top"]}),
            client.post(f"documents/{ids['mine-page']}/move/", {"parent": ids["mine-sibling"]}),
        ]
    assert {answer.status_code for answer in refused} <= {400, 404}
    assert Document.objects.filter(uid=ids["mine-leaf"], parent__uid=ids["mine-page"]).exists()
    assert Document.objects.count() == 8


@KINDS
def test_nothing_of_the_platform_is_reached(world: World, kind: str) -> None:
    """Workspaces aren't made and the trail isn't read by a token of one place, whatever its person may."""
    boss, _ = admin_create(actor=command(), email="boss@example.org", password=PASSWORD)
    Token.objects.all().delete()
    client = world.client(kind, boss)
    for answer in (client.post("workspaces/", {"name": "New"}), client.get("audit/events/")):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


@KINDS
def test_jobs_of_others_are_absent(world: World, kind: str) -> None:
    """Jobs that the person asked for otherwise tell of places beyond."""
    assert world.owner.user
    with transaction.atomic():
        job = job_enqueue(actor=person(world.owner.user), kind="mail.send", payload={})
    client = world.client(kind)
    assert client.get("jobs/").json()["results"] == []
    assert client.get(f"jobs/{job.uid}/").status_code == 404
    assert client.post(f"jobs/{job.uid}/cancel/").status_code == 404


@KINDS
def test_it_mints_only_within(world: World, kind: str) -> None:
    """A token of a place mints tokens of that place or one inside, which must be named."""
    client, ids = world.client(kind), world.ids
    body = {
        "name": "Child",
        "scopes": ["documents:read"],
        "expires_at": (timezone.now() + dt.timedelta(days=5)).isoformat(),
    }
    missing = client.post("me/tokens/", body)
    assert (missing.status_code, missing.json()["code"]) == (403, "token_too_wide")
    assert client.post("me/tokens/", {**body, "workspace": ids["other"]}).status_code == 404
    assert client.post("me/tokens/", {**body, "document": ids["other-top"]}).status_code == 404
    made = client.post("me/tokens/", {**body, "document": ids["mine-leaf"]}).json()
    assert made["workspace"] == (ids["mine"] if kind == "workspace" else None)
    child = ApiClient(made["token"])
    assert [row["id"] for row in child.get("documents/").json()["results"]] == [ids["mine-leaf"]]


def test_place_that_is_gone_opens_nothing(world: World) -> None:
    """A token whose subtree was purged sees nothing, not everything."""
    client = world.client("subtree")
    Document.objects.filter(uid__in=[world.ids["mine-leaf"], world.ids["mine-page"]]).delete()
    assert client.get("documents/").json()["results"] == []
    assert client.get("search/?q=zebra").json()["results"] == []
    assert client.get(f"documents/{world.ids['mine-top']}/").status_code == 404


def test_jobs_of_a_token_keep_its_limit_and_end_with_it(world: World) -> None:
    """A job runs within the token's limit; revoked, the token takes its jobs along, run out it doesn't."""
    world.client("workspace")
    row = Token.objects.get()
    stored = StoredActor(
        kind=ActorKind.USER,
        uid=row.user.uid,
        name="",
        credential_kind=CredentialKind.TOKEN,
        credential_uid=row.uid,
        scopes=frozenset(row.scopes),
        authenticated_at=None,
        on_behalf_of=None,
        limit=Limit(workspace_pk=row.workspace_pk),
    )

    def rebuilt() -> Actor:
        return actor_rebuilder(stored, job_uid=row.uid, now=timezone.now())

    Token.objects.update(expires_at=timezone.now())
    assert rebuilt().limit == Limit(workspace_pk=row.workspace_pk)
    Token.objects.update(revoked_at=timezone.now(), revoked_reason="revoked")
    with pytest.raises(CredentialRevoked):
        rebuilt()


def test_recent_is_forgotten_inside_alone(world: World) -> None:
    """What the person opened outside is none of the token's."""
    user = world.owner.user
    pages = Document.objects.filter(uid__in=[world.ids["mine-leaf"], world.ids["mine-top"]])
    RecentView.objects.bulk_create(RecentView(user=user, document=page) for page in pages)
    assert world.client("subtree").delete("me/recent/").status_code == 204
    left = RecentView.objects.filter(user=user).values_list("document__uid", flat=True)
    assert [str(uid) for uid in left] == [world.ids["mine-top"]]
