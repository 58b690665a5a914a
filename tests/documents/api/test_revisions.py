"""documents/{id}/revisions/…: what a document said before."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from documents.models import Document, RevisionPayload
from documents.payloads import KEYFRAME_EVERY, payload_for
from documents.selectors.revisions import CHAIN_SQL
from tests.documents.editing import BODY, Page, page_make
from tests.fixtures import client_make

pytestmark = pytest.mark.django_db

SECOND = BODY.replace("two", "2")


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Page:
    """A document with two revisions; `etag` is that of the second."""
    page = page_make(client_make, note="first")
    page.etag = page.edit(content=SECOND, title="Renamed", note="second").headers["ETag"]
    return page


def test_list_revisions_newest_first(page: Page) -> None:
    """Each with who, when, why and on what; bodies are not in the list."""
    newest, first = page.revisions()
    assert page.author.user is not None
    author = {"kind": "user", "id": str(page.author.user.uid), "name": page.author.user.name}
    meta = {"language": "en", "tags": [], "icon": "", "template": False}
    created = newest.pop("created_at")
    assert newest == {
        "number": 2,
        "author": author,
        "note": "second",
        "parent": 1,
        "base": 1,
        "meta": {"title": "Renamed", **meta},
        "sha256": hashlib.sha256(SECOND.encode()).hexdigest(),
        "size": len(SECOND),
        "name": "",
    }
    assert created > first["created_at"]
    assert (first["number"], first["parent"], first["base"], first["note"]) == (1, None, None, "first")


def test_list_revisions_pages(page: Page) -> None:
    """By cursor, in both directions."""
    one = page.author.get(f"{page.path}revisions/?page_size=1").json()
    two = page.author.get(one["next"]).json()
    assert [row["number"] for row in one["results"] + two["results"]] == [2, 1]
    assert two["next"] is None
    assert page.author.get(two["previous"]).json()["results"] == one["results"]


def test_list_revisions_queries(page: Page) -> None:
    """Four: session, user and stamps · the document · the page with names · its authors."""
    page.revisions()
    with CaptureQueriesContext(connection) as queries:
        page.revisions()
    assert len(queries) <= 4, [query["sql"] for query in queries]


def test_get_revision_with_its_body(page: Page) -> None:
    """An old one and the newest."""
    assert page.author.get(f"{page.path}revisions/1/").json()["content"] == BODY
    answer = page.author.get(f"{page.path}revisions/2/")
    assert answer.json()["content"] == SECOND
    etag = answer.headers["ETag"]
    assert page.author.get(f"{page.path}revisions/2/", If_None_Match=etag).status_code == 304


GROW_SQL = """
INSERT INTO documents_revision (document_id, number, parent, base, note, meta, sha256, size)
SELECT document_id, n, n - 1, 1, '', '{}', sha256, 1
FROM documents_revision, generate_series(3, %s) n WHERE document_id = %s AND number = 2
"""
PAYLOADS_SQL = """
INSERT INTO documents_revisionpayload (revision_id, base_number, payload)
SELECT id, CASE WHEN number %% %s > 0 THEN number + 1 END, CASE WHEN number %% %s > 0 THEN %s ELSE %s END
FROM documents_revision WHERE document_id = %s AND number BETWEEN 2 AND 9999
"""


def grown(page: Page, newest: int) -> Document:
    """The row of a page whose history goes up to `newest`, and says the same since the second."""
    document = Document.objects.get(uid=page.id)
    with connection.cursor() as cursor:
        cursor.execute(GROW_SQL, [newest, document.pk])
    return document


def test_get_first_revision_of_ten_thousand_reads_twenty_payloads(page: Page) -> None:
    """However long the history is: what is read are the rows up to the next keyframe."""
    document, every = grown(page, 10_000), KEYFRAME_EVERY
    alone, against = (payload_for(number, SECOND, SECOND).data for number in (every, every + 1))
    with connection.cursor() as cursor:
        cursor.execute(PAYLOADS_SQL, [every, every, against, alone, document.pk])
    Document.objects.filter(pk=document.pk).update(revision=10_000)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + CHAIN_SQL, {"document": document.pk, "number": 1})
        ((plan,),) = cursor.fetchall()
    assert rows_read(plan[0]["Plan"], "documents_revisionpayload") == 20
    assert rows_read(plan[0]["Plan"], "documents_revision") <= 21
    assert page.author.get(f"{page.path}revisions/1/").json()["content"] == BODY


def test_list_revisions_walks_the_index(page: Page) -> None:
    """A page reads its own rows, in the order of the index and without a sort."""
    grown(page, 3_000)
    with CaptureQueriesContext(connection) as captured:
        page.author.get(f"{page.path}revisions/?page_size=20")
    [sql] = [query["sql"] for query in captured if 'FROM "documents_revision" WHERE' in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql)
        ((plan,),) = cursor.fetchall()
    assert '"Sort"' not in json.dumps(plan)
    assert "documents_revision_number" in json.dumps(plan)
    assert rows_read(plan[0]["Plan"], "documents_revision") == 21


def rows_read(plan: dict[str, Any], table: str) -> int:
    """How many rows of a table a plan has really read."""
    own = plan["Actual Rows"] * plan["Actual Loops"] if plan.get("Relation Name") == table else 0
    removed = plan.get("Rows Removed by Filter", 0) if own else 0
    return int(own + removed) + sum(rows_read(part, table) for part in plan.get("Plans", ()))


def test_get_every_revision_of_a_long_history(page: Page) -> None:
    """Over keyframes and renamings, each body is what was written."""
    etag = page.etag
    for number in range(3, 48):
        change = {"title": f"T{number}"} if number % 5 == 0 else {"content": f"{SECOND}{number}\n"}
        etag = page.edit(etag=etag, **change).headers["ETag"]
    written = [BODY, SECOND]
    for number in range(3, 48):
        written.append(written[-1] if number % 5 == 0 else f"{SECOND}{number}\n")
    found = [page.author.get(f"{page.path}revisions/{number}/").json()["content"] for number in range(1, 48)]
    assert found == written


@pytest.mark.parametrize("number", ["3", "0", "99999999", "9999999999", "x", "-1"])
def test_get_revision_that_never_was_is_404(page: Page, number: str) -> None:
    """A number without a revision, or no number."""
    answer = page.author.get(f"{page.path}revisions/{number}/")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_get_revision_whose_body_is_gone_is_410(page: Page) -> None:
    """Retention takes bodies, never revisions."""
    RevisionPayload.objects.all().delete()
    answer = page.author.get(f"{page.path}revisions/1/")
    assert answer.status_code == 410
    assert answer.json()["code"] == "revision_gone"
    assert len(page.revisions()) == 2


def test_revisions_viewer_reads_and_outsider_finds_nothing(page: Page) -> None:
    """History is for whoever sees the document."""
    viewer, outsider = page.member("viewer"), page.client_for()
    for path in ("", "1/", "2/diff/"):
        assert viewer.get(f"{page.path}revisions/{path}").status_code == 200
        assert outsider.get(f"{page.path}revisions/{path}").status_code == 404


def test_diff_unified(page: Page) -> None:
    """Against the one before by default, as plain text."""
    answer = page.author.get(f"{page.path}revisions/2/diff/")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == (
        "--- revision 1\n+++ revision 2\n@@ -1,5 +1,5 @@\n one\n \n-two\n+2\n \n three\n"
    )


def test_diff_of_the_first_revision_is_all_new(page: Page) -> None:
    """There is nothing before it."""
    text = page.author.get(f"{page.path}revisions/1/diff/").content.decode()
    assert text.startswith("--- revision 0\n+++ revision 1\n@@ -0,0 +1,5 @@\n+one\n")


def test_diff_backwards_as_json(page: Page) -> None:
    """Against any other one; changed fields beside the hunks."""
    body = page.author.get(f"{page.path}revisions/1/diff/?against=2&format=json").json()
    assert (body["against"], body["number"]) == (2, 1)
    assert body["fields_changed"] == {"title": {"before": "Renamed", "after": "Page"}}
    [hunk] = body["hunks"]
    assert [line["text"] for line in hunk["lines"] if line["op"] == "insert"] == ["two\n"]


def test_diff_by_words(page: Page) -> None:
    """Runs of words with their fates."""
    etag = page.edit(etag=page.etag, content=SECOND.replace("one", "one more")).headers["ETag"]
    assert etag
    [hunk] = page.author.get(f"{page.path}revisions/3/diff/?format=words").json()["hunks"]
    assert {"op": "insert", "text": " more"} in hunk["words"]


@pytest.mark.parametrize("query", ["format=html", "against=x", "against=0", "agianst=1"])
def test_diff_bad_query_is_400(page: Page, query: str) -> None:
    """Misspelt or impossible parameters are named."""
    assert page.author.get(f"{page.path}revisions/2/diff/?{query}").status_code == 400


def test_diff_against_one_that_never_was_is_404(page: Page) -> None:
    """No such revision."""
    assert page.author.get(f"{page.path}revisions/2/diff/?against=9").status_code == 404


def test_restore_makes_a_new_revision(page: Page) -> None:
    """Fields and body of then are the newest; what lay between stays in history."""
    answer = page.author.post(f"{page.path}revisions/1/restore/", {"note": "back"}, If_Match=page.etag)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["title"], body["content"], body["revision"]) == ("Page", BODY, 3)
    assert body["merged"] is False
    assert answer.headers["ETag"] == page.author.get(page.path).headers["ETag"]
    assert [row["note"] for row in page.revisions()] == ["back", "second", "first"]
    event = Event.objects.filter(action="document.updated").latest("sequence")
    assert event.facts == {"revision": 3, "restored_revision": 1}


def test_restore_without_if_match_is_428(page: Page) -> None:
    """Going back is a write like any other."""
    assert page.author.post(f"{page.path}revisions/1/restore/").status_code == 428


def test_restore_from_a_stale_version_merges_or_conflicts(page: Page) -> None:
    """What somebody wrote meanwhile is not thrown away by going back."""
    stale = page.etag
    page.edit(etag=stale, content=SECOND + "\nadded\n")
    answer = page.author.post(f"{page.path}revisions/1/restore/", If_Match=stale)
    assert answer.status_code == 200
    assert answer.json()["merged"] is True
    assert answer.json()["content"] == BODY + "\nadded\n"
    answer = page.author.post(f"{page.path}revisions/1/restore/", If_Match=stale, Prefer="merge=never")
    assert answer.status_code == 412


def test_restore_of_the_newest_changes_nothing(page: Page) -> None:
    """200 and no revision."""
    answer = page.author.post(f"{page.path}revisions/2/restore/", If_Match=page.etag)
    assert answer.status_code == 200
    assert len(page.revisions()) == 2


def test_restore_viewer_is_403_and_outsider_404(page: Page) -> None:
    """Reading history is not a right to repeat it."""
    for who, status in ((page.member("viewer"), 403), (page.client_for(), 404)):
        answer = who.post(f"{page.path}revisions/1/restore/", If_Match=page.etag)
        assert answer.status_code == status
    assert page.now()["revision"] == 2


def test_restore_of_one_that_never_was_is_404(page: Page) -> None:
    """No such revision."""
    assert page.author.post(f"{page.path}revisions/9/restore/", If_Match=page.etag).status_code == 404
