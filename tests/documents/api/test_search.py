"""`search/` and `search/suggest/`: what is found, by whom, in which order."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.db import connection

from accounts.actors import session_actor
from cloudscribe.jobs.models import Job
from documents.models import DocumentBody
from documents.queues import SEARCH_INDEX
from documents.services.indexing import bodies_index, lexemes_refresh
from tests.documents.world import ABSENT, World, statements, uid_of
from tests.fixtures import ApiClient


def search(person: ApiClient, query: str, **parameters: Any) -> dict[str, Any]:
    """The body of a search that succeeds."""
    more = "".join(f"&{name}={value}" for name, value in parameters.items())
    body: dict[str, Any] = World.ok(person.get(f"search/?q={query}{more}"))
    return body


def titles(person: ApiClient, query: str, **parameters: Any) -> list[str]:
    """The titles found, in their order."""
    return [hit["document"]["title"] for hit in search(person, query, **parameters)["results"]]


def count_words() -> None:
    """What the scheduled job does."""
    lexemes_refresh(actor=mock.Mock(), force=True)


def test_search_answers_with_the_whole_contract(world: World) -> None:
    """Document as in lists, score, marked title and snippet, total, facets, no suggestion."""
    document = world.document(
        "Owning things", content="# Owning things\n\nThe ownership of **things**.", tags=["t"]
    )
    body = search(world.owner, "ownership")
    (hit,) = body.pop("results")
    (listed,) = World.ok(world.owner.get("documents/"))["results"]
    assert hit.pop("document") == listed
    assert hit.pop("score") > 0
    assert hit == {
        "snippet": "Owning things The <mark>ownership</mark> of things.",
        "title_highlighted": "Owning things",
    }
    assert listed["id"] == document
    assert body == {
        "next": None,
        "previous": None,
        "total": 1,
        "total_relation": "eq",
        "facets": {
            "workspace": [{"value": world.workspace, "count": 1}],
            "tag": [{"value": "t", "count": 1}],
            "author": [{"value": uid_of(world.owner), "count": 1}],
            "state": [{"value": "published", "count": 1}],
            "language": [{"value": "en", "count": 1}],
        },
        "suggestion": None,
    }


def test_search_puts_titles_first_then_the_more_frequent(world: World) -> None:
    """A word in the title weighs more than any number in the text; then BM25 decides."""
    world.document(
        "Once", content="ownership among many other words that make this text longer than the others"
    )
    world.document("Often", content="ownership ownership ownership")
    world.document("What is ownership?", content="text")
    world.document("None", content="other")
    assert titles(world.owner, "ownership") == ["What is ownership?", "Often", "Once"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("borrowing", {"Both", "Borrow"}),
        ("check borrow", {"Both", "Check", "Borrow"}),
        ("%22borrow%20checker%22", {"Both"}),
        ("borrow -checker", {"Borrow"}),
        ("checks OR borrow", {"Both", "Check", "Borrow"}),
        ("check", {"Both", "Check"}),
        ("chec", {"Both", "Check"}),
        ("CAFE", {"Accent"}),
        ("caf%C3%A9", {"Accent"}),
        ("naive", {"Accent"}),
        ("%E6%9C%89%E6%A8%A9", {"Japanese"}),
        ("%E6%9C%89", {"Japanese"}),
        ("%E6%A8%A9%E6%9C%89", set()),
        ("-borrow", set()),
        ("the", set()),
        ("%22%22", set()),
        ("%27%20%26%20%7C%20!%20(%20%3A*", set()),
    ],
)
def test_search_finds_what_was_meant(world: World, query: str, found: set[str]) -> None:
    """Stems, phrases, OR, minus, an unfinished last word, folded accents, parts of spaceless words."""
    world.document("Both", content="the borrow checker")
    world.document("Check", content="a check")
    world.document("Borrow", content="borrowed")
    world.document("Accent", content="a café, naïve")
    world.document("Japanese", content="所有権とは", language="ja")
    assert set(titles(world.owner, query)) == found


def test_search_prefers_all_words_to_any(world: World) -> None:
    """Documents with one of the words follow where those with all fill no page, and not else."""
    world.document("Any", content="mutex mutex mutex")
    world.document("All", content="a mutex and a channel")
    assert titles(world.owner, "mutex channel") == ["All", "Any"]
    assert titles(world.owner, "mutex channel", page_size=1) == ["All"]


def test_search_by_a_stranger_finds_nothing(world: World) -> None:
    """Hits, totals, facets and suggestions never speak of what the reader can't see."""
    world.document("Ownership", content="ownership")
    count_words()
    stranger = world.client_for()
    for query in ("ownership", "onwership"):
        body = search(stranger, query)
        assert (body["results"], body["total"], body["suggestion"]) == ([], 0, None)
        assert not any(body["facets"].values())
    assert World.ok(stranger.get("search/suggest/?q=own"))["results"] == []


def test_search_by_a_grantee_finds_the_part_that_was_granted(world: World) -> None:
    """A grant on a document reaches what stands below it, and not what is cut off there."""
    top = world.document("Top", content="canary")
    world.document("Below", parent=top, content="canary")
    cut = world.document("Cut", parent=top, content="canary")
    World.ok(world.owner.patch(f"documents/{cut}/", {"inherits_access": False}))
    world.document("Beside", content="canary")
    reader = world.client_for()
    world.grant(top, reader, "viewer")
    assert set(titles(reader, "canary")) == {"Top", "Below"}
    assert search(reader, "canary")["total"] == 2


def test_search_after_a_grant_was_removed_finds_nothing(world: World) -> None:
    """A right that was taken holds no more on the next request."""
    document = world.document("Canary", content="canary")
    reader = world.client_for()
    grant = world.grant(document, reader, "viewer")
    assert titles(reader, "canary") == ["Canary"]
    world.owner.delete(f"documents/{document}/grants/{grant['id']}/")
    assert titles(reader, "canary") == []


def test_search_leaves_out_drafts_of_others_trash_templates_and_archived(world: World) -> None:
    """A draft is its maker's, trash and templates are never found, what is archived only when asked for."""
    editor = world.member("editor")
    world.document("Draft", by=editor, content="canary", state="draft")
    world.document("Template", content="canary", template=True)
    archived, trashed = (
        world.document("Archived", content="canary"),
        world.document("Trash", content="canary"),
    )
    World.ok(world.act(archived, "archive"))
    World.ok(world.act(trashed, "trash"))
    assert titles(world.owner, "canary") == []
    assert titles(editor, "canary") == ["Draft"]
    assert titles(world.owner, "canary", state="archived") == ["Archived"]


def test_search_finds_a_change_at_once(world: World) -> None:
    """The vector is written with the body: old words are gone, new ones there, titles too."""
    document = world.document("Old title", content="sparrow")
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    changed = {"title": "New heading", "content": "canary"}
    World.ok(world.owner.patch(f"documents/{document}/", changed, **{"If-Match": etag}))
    assert titles(world.owner, "sparrow") == titles(world.owner, "old") == []
    assert titles(world.owner, "canary") == titles(world.owner, "heading") == ["New heading"]


def test_search_filters_narrow_and_facets_count_what_is_left(world: World) -> None:
    """Workspace, subtree, author, tag, language and times."""
    editor = world.member("editor")
    top = world.document("Top", content="canary", tags=["a"])
    world.document("Below", by=editor, parent=top, content="canary", tags=["a", "b"], language="de")
    world.document("Beside", content="canary")
    assert set(titles(world.owner, "canary", workspace=world.workspace)) == {"Top", "Below", "Beside"}
    assert titles(world.owner, "canary", workspace=ABSENT) == []
    assert set(titles(world.owner, "canary", subtree=top)) == {"Top", "Below"}
    assert titles(world.owner, "canary", subtree=ABSENT) == []
    assert titles(world.owner, "canary", author=uid_of(editor)) == ["Below"]
    assert titles(world.owner, "canary", tag="b") == ["Below"]
    assert titles(world.owner, "canary", language="de") == ["Below"]
    assert titles(world.owner, "canary", updated__gte="2999-01-01T00:00:00Z") == []
    assert titles(world.owner, "canary", updated__lte="2999-01-01T00:00:00Z", tag="b") == ["Below"]
    facets = search(world.owner, "canary", tag="a")["facets"]
    assert facets["tag"] == [{"value": "a", "count": 2}, {"value": "b", "count": 1}]
    assert {entry["value"] for entry in facets["author"]} == {uid_of(world.owner), uid_of(editor)}


def test_search_within_a_hidden_document_finds_nothing(world: World) -> None:
    """A subtree whose top is hidden from the reader is absent, even where a part of it is granted."""
    top = world.document("Top", content="canary")
    below = world.document("Below", parent=top, content="canary")
    reader = world.client_for()
    world.grant(below, reader, "viewer")
    assert titles(reader, "canary") == ["Below"]
    assert titles(reader, "canary", subtree=top) == []


@pytest.mark.parametrize("sort", ["relevance", "updated"])
def test_search_pages_show_each_hit_once_both_ways(world: World, sort: str) -> None:
    """Following `next` shows all of them in order, following `previous` brings back the same pages."""
    for number in range(5):
        world.document(f"Page {number}", content="canary " * (number + 1))
    whole = titles(world.owner, "canary", sort=sort)
    first = search(world.owner, "canary", sort=sort, page_size=2)
    second = World.ok(world.owner.get(first["next"]))
    third = World.ok(world.owner.get(second["next"]))
    pages = [[hit["document"]["title"] for hit in body["results"]] for body in (first, second, third)]
    assert [title for page in pages for title in page] == whole
    assert third["next"] is None
    back = World.ok(world.owner.get(third["previous"]))
    assert [hit["document"]["title"] for hit in back["results"]] == pages[1]
    assert {body["total"] for body in (first, second, third, back)} == {5}


def test_search_sorted_by_update_shows_the_newest_first(world: World) -> None:
    """`sort=updated` puts what changed last in front, however well it matches."""
    first = world.document("First", content="canary canary canary")
    world.document("Second", content="canary")
    assert titles(world.owner, "canary", sort="updated") == ["Second", "First"]
    etag = world.owner.get(f"documents/{first}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{first}/", {"icon": "x"}, **{"If-Match": etag}))
    assert titles(world.owner, "canary", sort="updated") == ["First", "Second"]


def test_search_escapes_what_it_shows(world: World) -> None:
    """Titles and texts come as HTML whose only tags are marks, whatever the document holds."""
    world.document(
        "<b>canary</b> & \x01co", content="<script>alert(1)</script> \x02canary\x01 <mark>no</mark> &amp;"
    )
    (hit,) = search(world.owner, "canary")["results"]
    assert hit["title_highlighted"] == "&lt;b&gt;<mark>canary</mark>&lt;/b&gt; &amp; co"
    assert "<script" not in hit["snippet"]
    assert hit["snippet"].count("<mark>") == hit["snippet"].count("</mark>") == 1
    assert "<mark>canary</mark>" in hit["snippet"]


def test_search_finds_the_passage_in_a_long_text(world: World) -> None:
    """The snippet shows the place that was found, not the beginning."""
    world.document("Long", content="filler words here. " * 400 + "The canary sings. " + "more filler. " * 50)
    (hit,) = search(world.owner, "canaries")["results"]
    assert "<mark>canary</mark> sings" in hit["snippet"]
    assert len(hit["snippet"]) < 500


def test_search_marks_other_forms_of_a_word_beside_it(world: World) -> None:
    """A snippet shows whatever was found, not the word as it was typed alone."""
    world.document("Rules", content="What is borrowed, by borrowing. Who borrows?")
    (hit,) = search(world.owner, "borrowing rules")["results"]
    assert hit["snippet"] == (
        "What is <mark>borrowed</mark>, by <mark>borrowing</mark>. Who <mark>borrows</mark>?"
    )
    assert hit["title_highlighted"] == "<mark>Rules</mark>"


def test_search_costs_four_statements(world: World) -> None:
    """Pinned: sign-in with its stamps, the plan, hits with totals, facets and snippets, the documents."""
    for number in range(3):
        world.document(f"Page {number}", content="canary")
    search(world.owner, "canary")
    with statements(4):
        search(world.owner, "canary")


def test_search_without_redis_finds_the_same(world: World, redis_gone: None) -> None:
    """The database alone decides."""
    world.document("Page", content="canary")
    assert titles(world.owner, "canary") == ["Page"]


def test_search_unsigned_is_401(world: World, anonymous: ApiClient) -> None:
    """Not signed in means 401."""
    assert anonymous.get("search/?q=a").status_code == 401
    assert anonymous.get("search/suggest/?q=a").status_code == 401


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "?q"),
        ("q=", "?q"),
        ("q=%20", "?q"),
        ("q=a&" + "tag=" + "x" * 101, "?tag"),
        ("q=" + "x" * 501, "?q"),
        ("q=a&sort=best", "?sort"),
        ("q=a&state=secret", "?state"),
        ("q=a&workspace=1", "?workspace"),
        ("q=a&updated__gte=yesterday", "?updated__gte"),
        ("q=a&page_size=0", "?page_size"),
        ("q=a&page_size=201", "?page_size"),
        ("q=a&page_size=1_0", "?page_size"),
        ("q=a&page_size=%D9%A3", "?page_size"),
        ("q=a&page_size=5.0", "?page_size"),
        ("q=a&cursor=nonsense", "?cursor"),
        ("q=a&colour=red", "?colour"),
    ],
)
def test_search_with_a_wrong_parameter_names_it(world: World, query: str, pointer: str) -> None:
    """Every refusal is a problem that names the parameter."""
    answer = world.owner.get(f"search/?{query}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert pointer in {fault["pointer"] for fault in answer.json()["errors"]}


def test_search_with_a_cursor_of_another_query_is_refused(world: World) -> None:
    """A cursor means nothing under other words or filters."""
    for number in range(2):
        world.document(f"Page {number}", content="canary other")
    cursor = search(world.owner, "canary", page_size=1)["next"].rpartition("cursor=")[2].partition("&")[0]
    assert world.owner.get(f"search/?q=other&cursor={cursor}").json()["code"] == "invalid_cursor"


def test_large_body_is_found_once_the_job_has_indexed_it(world: World) -> None:
    """Above 100 KB the vector is left to the job; the document itself stands at once."""
    world.document("Large", content="canary " + "filler words " * 10_000)
    assert DocumentBody.objects.get().search_vector is None
    assert titles(world.owner, "canary") == []
    actor = session_actor(world.owner.user, mock.Mock(), mock.Mock())
    assert bodies_index(actor=actor, after=0, pending=True)[0] == 1
    assert bodies_index(actor=actor, after=0, pending=True)[0] == 0
    assert titles(world.owner, "canary") == ["Large"]


def test_large_body_asks_for_its_index_in_the_transaction_that_writes_it(world: World) -> None:
    """Made or edited, above 100 KB of bytes a job waits at once; one for all."""
    waiting = Job.objects.filter(kind=SEARCH_INDEX, state="queued")
    world.document("Small", content="é" * 49_000)
    assert not waiting.exists()
    large = world.document("Large", content="é" * 51_000)
    assert waiting.count() == 1
    waiting.delete()
    etag = world.owner.get(f"documents/{large}/").headers["ETag"]
    world.ok(world.owner.patch(f"documents/{large}/", {"content": "è" * 51_000}, **{"If-Match": etag}))
    assert waiting.count() == 1


def test_indexing_survives_a_vector_that_is_too_large(world: World) -> None:
    """A text of nothing but different long words is indexed as far as a vector reaches."""
    words = " ".join(f"w{number:x}{'y' * 400}" for number in range(4_000))
    world.document("Huge canary", content=words)
    assert bodies_index(actor=mock.Mock(), after=0, pending=True)[0] == 1
    assert titles(world.owner, "canary") == ["Huge canary"]


def test_counting_words_again_changes_only_what_changed(world: World) -> None:
    """The table of words follows the documents; without a change nothing is counted."""
    document = world.document("Page", content="canary canary")
    assert lexemes_refresh(actor=mock.Mock()) > 0
    assert lexemes_refresh(actor=mock.Mock()) == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT documents FROM documents_lexeme WHERE word = 'canari'")
        assert cursor.fetchall() == [(1,)]
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{document}/", {"content": "sparrow"}, **{"If-Match": etag}))
    assert lexemes_refresh(actor=mock.Mock()) > 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM documents_lexeme WHERE word = 'canari'")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    ("language", "text", "query"),
    [
        ("ja", "これは所有権の話です", "所有権"),
        ("zh", "所有权是一组规则", "规则"),
        ("th", "ความเป็นเจ้าของคือชุดของกฎ", "เจ้าของ"),
    ],
)
def test_search_marks_parts_of_words_without_spaces(
    world: World, language: str, text: str, query: str
) -> None:
    """Languages without spaces find substrings, and show them."""
    world.document("Page", content=text, language=language)
    (hit,) = search(world.owner, query)["results"]
    assert f"<mark>{query}</mark>" in hit["snippet"]
