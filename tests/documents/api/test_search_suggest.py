"""`search/suggest/`: titles while they are typed."""

from __future__ import annotations

import functools
import importlib
import random
from unittest import mock
from urllib.parse import urlencode

import pytest
from django.db import connection

from documents.models import Document, DocumentTitle
from documents.search import finding
from documents.search.languages import spaced
from documents.search.titles import suggest_sql
from tests.accounts.factories import token_make
from tests.documents.world import World
from tests.fixtures import ApiClient


def found(person: ApiClient, typed: str, size: int = 50) -> list[str]:
    """The titles that somebody is offered."""
    asked = urlencode({"q": typed, "page_size": size})
    rows = World.ok(person.get(f"search/suggest/?{asked}"))["results"]
    return [row["title"] for row in rows]


def test_suggest_gives_titles_as_they_are_typed(world: World) -> None:
    """Titles that start so come first; texts are not looked at; each has its id and workspace."""
    world.document("The ownership model", content="x")
    first = world.document("Owner's guide", content="x")
    world.document("Other", content="ownership")
    body = World.ok(world.owner.get("search/suggest/?q=owner"))
    assert body["results"][0] == {"id": first, "title": "Owner's guide", "workspace": world.workspace}
    assert [row["title"] for row in body["results"]] == ["Owner's guide", "The ownership model"]


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("lett", ["Letters from Élise"]),
        ("letters", ["Letters from Élise"]),
        ("elise LETT", ["Letters from Élise"]),
        ("let fr", ["Letters from Élise"]),
        ("the", ["The 所有権 of things"]),
        ("of t", []),
        ("有権", ["The 所有権 of things"]),
        ("所", ["The 所有権 of things"]),
        ("権有", []),
        ('"from elise"', ["Letters from Élise"]),
        ('"elise from"', []),
        ("things OR elise", ["The 所有権 of things", "Letters from Élise"]),
        ("x' | !a:* & ('", []),
        ("etters", []),
    ],
)
def test_suggest_finds_titles_by_how_their_words_begin(world: World, typed: str, titles: list[str]) -> None:
    """In any order and any language, accents apart; in scripts without spaces any part of a word."""
    world.document("Letters from Élise", language="fr")
    world.document("The 所有権 of things", language="ja")
    assert found(world.owner, typed) == titles


@pytest.mark.parametrize(
    "limits",
    [
        {"listed": 1_000, "few": -1},
        {"few": 1_000},
        {"listed": 0, "few": -1, "walked": 1_000},
        {"listed": 0, "few": -1, "walked": 0},
        {"listed": 0, "few": -1, "most": 0},
    ],
    ids=["judged", "seen", "met", "met in vain", "newest"],
)
def test_suggest_by_every_way_finds_the_same(world: World, limits: dict[str, int]) -> None:
    """Whether titles that match are judged, or what is seen is asked: the same, and nothing hidden."""
    top = world.document("Letter top")
    world.document("Letter below", parent=top)
    world.document("Letter in the trash", parent=top)
    World.ok(world.act(Document.objects.latest("id").uid, "trash"))
    world.document("A letter beside")
    world.document("Letter template", template=True)
    World.ok(world.act(world.document("Letter archived"), "archive"))
    mine = world.document("Letter draft", state="draft")
    reader = world.client_for()
    world.grant(top, reader, "viewer")
    assert world.owner.user is not None
    page = Document.objects.get(uid=mine)
    token = ApiClient(token_make(world.owner.user, document_pk=page.pk, document_uid=page.uid))
    chosen = functools.partial(suggest_sql, **limits)
    with mock.patch.object(finding, "suggest_sql", chosen):
        for person, titles in (
            (world.owner, ["Letter draft", "Letter below", "Letter top", "A letter beside"]),
            (world.member("viewer"), ["Letter below", "Letter top", "A letter beside"]),
            (reader, ["Letter below", "Letter top"]),
            (token, ["Letter draft"]),
            (world.client_for(), []),
        ):
            assert found(person, "lett") == titles
            for size in (1, 2, 3):
                assert found(person, "lett", size) == titles[:size]


def test_suggest_follows_the_title(world: World) -> None:
    """From the moment that it changes, by whatever way; purged it is forgotten."""
    page = world.document("Before")
    etag = world.owner.get(f"documents/{page}/").headers["ETag"]
    etag = world.owner.patch(f"documents/{page}/", {"title": "After"}, If_Match=etag).headers["ETag"]
    assert found(world.owner, "bef") == []
    assert found(world.owner, "aft") == ["After"]
    World.ok(world.owner.post(f"documents/{page}/revisions/1/restore/", {}, If_Match=etag))
    assert found(world.owner, "bef") == ["Before"]
    World.ok(world.act(page, "copy", title="Copied before"), 201)
    assert found(world.owner, "bef") == ["Before", "Copied before"]
    World.ok(world.act(page, "trash"))
    assert found(world.owner, "bef") == ["Copied before"]
    World.ok(world.owner.delete(f"documents/{page}/"), 204)
    assert DocumentTitle.objects.count() == 1


def test_titles_of_before_are_filled_in(world: World) -> None:
    """What stood before there was a table of titles, in batches; what is there already stays."""
    for number in range(3):
        world.document(f"Page {number}")
    DocumentTitle.objects.exclude(document__title="Page 1").delete()
    migration = importlib.import_module("documents.migrations.0013_titles")
    with mock.patch.object(migration, "FILL", migration.FILL.replace("LIMIT 5000", "LIMIT 2")):
        migration.fill(None, mock.Mock(connection=connection))
    assert found(world.owner, "pag") == ["Page 2", "Page 1", "Page 0"]


def test_titles_of_before_are_lowered(world: World) -> None:
    """Rows that were made before titles were kept in them get theirs, in batches; others stay as they are."""
    for number in range(3):
        world.document(f"Page {number}")
    DocumentTitle.objects.exclude(document__title="Page 1").update(lowered="")
    DocumentTitle.objects.exclude(lowered="").update(lowered="kept")
    migration = importlib.import_module("documents.migrations.0016_titles_lowered")
    with mock.patch.object(migration, "FILL", migration.FILL.replace("LIMIT 5000", "LIMIT 2")):
        migration.fill(None, mock.Mock(connection=connection))
    assert set(DocumentTitle.objects.values_list("lowered", flat=True)) == {"page 0", "kept", "page 2"}


def test_words_of_titles_are_those_of_bodies(world: World) -> None:
    """The function that the index is made of parts scripts without spaces as the service does."""
    chance = random.Random(7)
    letters = ["所", "有", "権", "ก", "ฎ", "a", "B", "é", " ", "-", "1", "\U00020000", "ー", "々"]
    texts = ["".join(chance.choices(letters, k=chance.randrange(1, 30))) for _ in range(500)]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT t.title FROM unnest(%s::text[], %s::text[]) AS t(title, spaced)
            WHERE tsvector_to_array(cs_title_words(t.title))
                  <> tsvector_to_array(to_tsvector('cs_simple', t.spaced))""",
            [texts, [spaced(text) for text in texts]],
        )
        assert cursor.fetchall() == []
