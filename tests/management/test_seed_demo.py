"""manage.py seed_demo: the same world for the same numbers, more for larger ones, people who can look."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.models import Team, User
from audit.models import Event
from documents.demo import layout, prose
from documents.management.commands import seed_demo
from documents.models import (
    Document,
    DocumentBody,
    DocumentGroupPermission,
    DocumentUserPermission,
    Placement,
    Revision,
    ScopeCount,
    State,
)
from documents.search.vectors import VECTOR_SQL, search_parameters
from tests.documents.world import World
from tests.fixtures import ApiClient

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
SECRET = "demo-Reader-4711"


def seed(documents: int, users: int, **options: Any) -> dict[str, Any]:
    """Run the command; gives what its last line says."""
    out = io.StringIO()
    options.setdefault("password", SECRET)
    call_command("seed_demo", documents=documents, users=users, stdout=out, stderr=io.StringIO(), **options)
    said: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return said


def signed_in(email: str, password: str = SECRET) -> ApiClient:
    """The client of somebody who signs in over HTTP."""
    answer = ApiClient().post("auth/login/", {"email": email, "password": password})
    assert answer.status_code == 200, answer.content
    return ApiClient(answer.json()["access"])


def ids_of(client: ApiClient, query: str = "") -> list[str]:
    """All documents of a person's list."""
    found: list[str] = []
    path: str | None = f"documents/?page_size=200{query}"
    while path:
        page = client.get(path).json()
        found += [entry["id"] for entry in page["results"]]
        path = page["next"] and page["next"].partition("/api/v1/")[2]
    return found


def world_now() -> list[Any]:
    """All that the command wrote, keys and password apart."""
    bodies = DocumentBody.objects.order_by("document__uid").values_list(
        "document__uid", "document__title", "content", "search_vector", "search_length", "document__tags"
    )
    places = Document.objects.order_by("uid").values_list(
        "uid",
        "parent__uid",
        "workspace__slug",
        "position",
        "depth",
        "state",
        "inherits_access",
        "owner__email",
    )
    revisions = Revision.objects.order_by("document__uid", "number").values_list(
        "document__uid", "number", "author__email", "sha256", "created_at"
    )
    people = DocumentUserPermission.objects.order_by("content_object__uid", "user__email", "origin")
    teams = DocumentGroupPermission.objects.order_by("content_object__uid", "group__team__name")
    return [
        list(bodies),
        list(places),
        [(*row[:3], bytes(row[3]), row[4]) for row in revisions],
        list(people.values_list("content_object__uid", "user__email", "permission__codename", "origin")),
        list(teams.values_list("content_object__uid", "group__team__name", "permission__codename")),
        sorted(Team.objects.values_list("uid", "name")),
    ]


@pytest.fixture(autouse=True)
def _few_paragraphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for hundreds of documents, written in a tenth of the time."""
    monkeypatch.setattr(prose, "_PARAGRAPHS", 200)
    monkeypatch.setattr(prose, "_HEADINGS", 50)
    monkeypatch.setattr(prose, "_LISTS", 30)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Seeds the large world with hundreds of documents: a subtree of 85, and trees that start at 40."""
    trees = [40 // rank for rank in range(1, 11)]
    monkeypatch.setattr(seed_demo, "LARGE_FROM", 300)
    for module in (seed_demo, layout):
        monkeypatch.setattr(module, "SUBTREE", 85)
    monkeypatch.setattr(layout, "_TREES", trees)
    monkeypatch.setattr(layout, "ROUND", sum(trees))
    return seed


def test_seed_says_in_its_last_line_by_whom_to_sign_in_and_what_to_search_for() -> None:
    """Scripts read this line; the address is a pattern."""
    assert seed(40, 8) == {
        "documents": 40,
        "users": 8,
        "password": SECRET,
        "email": "demo{n}@example.org",
        "few": "demo1@example.org",
        "many": "demo2@example.org",
        "owner_of_all": "world-owner@example.org",
        "rare": "astrolabe",
        "common": "regatta",
        "phrase": "tidal almanac",
        "subtree": None,
    }


def test_each_person_of_the_small_world_sees_four_shares_of_it() -> None:
    """Document k belongs to person (k-1) mod M + 1 and is shown to the next three; nobody is a member."""
    said = seed(100, 10)
    assert len(ids_of(signed_in("demo1@example.org"))) == 40
    assert len(ids_of(signed_in("demo7@example.org"))) == 40
    assert len(ids_of(signed_in(said["owner_of_all"]))) == 100
    document = Document.objects.get(title__endswith=" 23")
    assert document.owner.email == "demo3@example.org"
    shown = document.user_grants.order_by("user_id").values_list("user__email", "permission__codename")
    assert list(shown) == [
        ("demo3@example.org", "manage_document"),
        ("demo4@example.org", "edit_document"),
        ("demo5@example.org", "edit_document"),
        ("demo6@example.org", "edit_document"),
    ]
    sizes = DocumentBody.objects.values_list("size", flat=True)
    assert min(sizes) > 2_900
    assert 2_900 < sum(sizes) / len(sizes) < 3_600


def test_people_of_the_world_are_verified_members_of_the_platform() -> None:
    """They may do what whoever registers may: make a workspace of their own."""
    seed(5, 5)
    answer = signed_in("demo5@example.org").post("workspaces/", {"name": "Mine"})
    assert answer.status_code == 201, answer.content


def test_the_same_numbers_make_the_same_world(large: Callable[..., dict[str, Any]]) -> None:
    """Ids, texts, places, histories and grants; the password alone is of the run."""
    worlds = []
    for _ in range(2):
        with transaction.atomic():
            large(320, 30)
            worlds.append(world_now())
            transaction.set_rollback(True)
    assert worlds[0] == worlds[1]


@pytest.mark.parametrize("sizes", [(60, 150), (300, 420)])
def test_a_second_run_adds_what_is_missing(
    large: Callable[..., dict[str, Any]], sizes: tuple[int, int]
) -> None:
    """What was there stays as it was; the same numbers once more change nothing, but for nothing at all."""
    large(sizes[0], 20)
    first = set(Document.objects.values_list("uid", "title", "path", "updated_at"))
    assert large(sizes[1], 20)["documents"] == sizes[1]
    assert first < set(Document.objects.values_list("uid", "title", "path", "updated_at"))
    before, events = world_now(), Event.objects.count()
    large(sizes[1], 20)
    assert world_now() == before
    assert Event.objects.count() == events


def test_documents_that_were_there_before_are_counted(client_for: Callable[..., ApiClient]) -> None:
    """N is what the installation holds in the end, and the command leaves alone what is not its own."""
    world = World(client_for)
    mine = [world.document(f"Page {n}") for n in range(3)]
    assert seed(20, 4)["documents"] == 20
    assert Document.objects.count() == 20
    assert sorted(ids_of(world.owner)) == sorted(mine)
    assert seed(10, 4)["documents"] == 20


def test_what_was_purged_comes_back_and_nothing_goes_below_the_trash(
    large: Callable[..., dict[str, Any]],
) -> None:
    """A parent that lies in the trash gets no child that doesn't lie there."""
    said = large(300, 20)
    owner = signed_in(said["subtree"]["owner"])
    leaf, root = said["subtree"]["leaf"], said["subtree"]["document"]
    parent = str(Document.objects.get(uid=leaf).parent.uid)  # type: ignore[union-attr]
    for path in (f"documents/{leaf}/trash/", f"documents/{parent}/trash/"):
        assert owner.post(path).status_code == 200
    assert owner.delete(f"documents/{leaf}/").status_code == 204
    assert large(300, 20)["documents"] == 300
    assert not Document.objects.filter(uid=leaf).exists()
    assert owner.post(f"documents/{parent}/restore/").status_code == 200
    large(302, 20)
    assert Document.objects.get(uid=leaf).path.startswith(Document.objects.get(uid=root).path)


@pytest.mark.parametrize("documents", [60, 300])
def test_vectors_are_those_that_a_save_would_write(
    large: Callable[..., dict[str, Any]], documents: int
) -> None:
    """They are put together of known words; PostgreSQL's own parser must come to the same."""
    large(documents, 20)
    differ = []
    for body in DocumentBody.objects.select_related("document"):
        document = body.document
        parameters = search_parameters(title=document.title, content=body.content, language=document.language)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {VECTOR_SQL} = search_vector FROM documents_documentbody WHERE document_id = %(pk)s",
                {**parameters, "pk": body.pk},
            )
            (same,) = cursor.fetchone()
        if not same or parameters["search_length"] != body.search_length:
            differ.append(document.title)
    assert differ == []


def test_search_finds_the_words_that_the_last_line_names() -> None:
    """A reader finds them in what is shown to them, and nowhere else."""
    said = seed(120, 6)
    reader = signed_in(said["few"])
    seen = set(ids_of(reader))
    hits = {
        word: reader.get(f"search/?q={word}&page_size=100").json() for word in (said["rare"], said["common"])
    }
    assert [hit["document"]["title"][-2:] for hit in hits["astrolabe"]["results"]] == [" 1"]
    assert {hit["document"]["id"] for hit in hits["regatta"]["results"]} < seen
    assert hits["regatta"]["total"] == sum(
        title.endswith(tuple(f" {n}" for n in range(1, 121, 4)))
        for title in Document.objects.filter(uid__in=seen).values_list("title", flat=True)
    )
    phrase = reader.get(f'search/?q="{said["phrase"]}"').json()
    assert {hit["document"]["title"].split()[-1] for hit in phrase["results"]} <= {"1", "51", "101"}
    assert phrase["total"] >= 2


def test_the_large_world_has_trees_cuts_drafts_and_a_subtree(large: Callable[..., dict[str, Any]]) -> None:
    """The triggers place what COPY brings: paths, reach and scopes hold from the root down."""
    said = large(600, 30)
    subtree = Document.objects.get(uid=said["subtree"]["document"])
    inside = Document.objects.filter(path__startswith=subtree.path)
    assert inside.count() == 85
    assert Document.objects.get(uid=said["subtree"]["leaf"]).depth == inside.order_by("-depth")[0].depth
    assert inside.filter(inherits_access=False).count() == 0
    assert Document.objects.filter(inherits_access=False).exists()
    assert Document.objects.filter(state=State.DRAFT).exists()
    assert Document.objects.filter(state=State.ARCHIVED).exists()
    assert DocumentGroupPermission.objects.exists()
    for document in Document.objects.exclude(parent=None).select_related("parent"):
        above = document.parent
        assert above is not None
        assert document.path == f"{above.path}{document.pk:010x}"
        assert document.workspace_id == above.workspace_id
        assert document.reach[1:] == ([] if document.is_cut else above.reach)
    assert Placement.objects.filter(valid_to=None).count() == 600
    counted = dict(ScopeCount.objects.values_list("scope_id", "n"))
    assert sum(counted.values()) == 600


def test_readers_of_the_large_world_see_what_they_are_named_for(large: Callable[..., dict[str, Any]]) -> None:
    """`few` sees some trees, `many` about a third, the owner of all everything but what is cut off."""
    said = large(600, 30)
    listed = Document.objects.exclude(state=State.ARCHIVED)
    few, many, everything = (len(ids_of(signed_in(said[who]))) for who in ("few", "many", "owner_of_all"))
    assert 0 < few < many < everything <= listed.count()
    owner = signed_in(said["subtree"]["owner"])
    moved = owner.post(f"documents/{said['subtree']['leaf']}/move/", {"parent": said["subtree"]["document"]})
    assert moved.status_code == 200, moved.content


def test_old_revisions_of_the_large_world_can_be_read(large: Callable[..., dict[str, Any]]) -> None:
    """Payloads are chains to the body of today, and the SHA-256 of each revision is checked."""
    said = large(300, 20)
    document = Document.objects.filter(
        revision__gte=5, state=State.PUBLISHED, workspace__slug="demo-library"
    )[0]
    owner = signed_in(said["owner_of_all"])
    bodies = [
        owner.get(f"documents/{document.uid}/revisions/{number}/").json()["content"]
        for number in range(1, document.revision + 1)
    ]
    assert all(after.startswith(before.rstrip("\n")) for before, after in itertools.pairwise(bodies))
    assert bodies[-1] == document.body.content
    assert len(set(bodies)) == document.revision


def test_a_password_of_a_later_run_holds_for_all() -> None:
    """What the last line says is true for people who were there before, too."""
    seed(4, 4)
    made = seed(4, 6, password=None)["password"]
    assert made != SECRET
    for number in (1, 6):
        signed_in(f"demo{number}@example.org", made)
    assert User.objects.filter(email__startswith="demo").count() == 6


def test_a_dry_run_writes_nothing() -> None:
    """It says how many documents would be added."""
    out = io.StringIO()
    call_command("seed_demo", documents=30, users=4, dry_run=True, stdout=out)
    assert out.getvalue() == "30 documents would be added.\n"
    assert not User.objects.filter(email__startswith="demo").exists()
    assert not Document.objects.exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"documents": -1, "users": 5}, "--documents must be 0 or more"),
        ({"documents": 5, "users": 0}, "--users 1 or more"),
        ({"documents": 100_000, "users": 9}, "--users must be 10 or more"),
        ({"documents": 5, "users": 5, "password": "short"}, "too short"),
    ],
)
def test_numbers_that_make_no_world_are_wrong_use(options: dict[str, Any], reason: str) -> None:
    """Exit code 2, with the reason, and nothing is written."""
    with pytest.raises(CommandError, match=reason) as raised:
        seed(**options)
    assert raised.value.returncode == 2
    assert not User.objects.exists()
