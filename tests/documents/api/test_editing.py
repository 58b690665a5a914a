"""PATCH documents/{id}/: who may, from which version, and what comes of it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from documents import limits
from documents.models import Document, DocumentBody, Revision, RevisionPayload
from tests.documents.editing import BODY, Page, page_make
from tests.documents.world import uid_of
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Page:
    """A document that its author just made."""
    return page_make(client_make)


def test_edit_author_from_the_current_version(page: Page) -> None:
    """A write from the current version is applied: a new revision, a new tag, nothing merged."""
    answer = page.edit(content="ONE\n", title="Renamed", tags=["a"], icon="x", language="de")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["content"], body["title"], body["tags"], body["icon"], body["language"]) == (
        "ONE\n",
        "Renamed",
        ["a"],
        "x",
        "de",
    )
    assert body["merged"] is False
    assert body["revision"] == 2
    assert answer.headers["ETag"] != page.etag
    assert answer.headers["ETag"] == page.author.get(page.path).headers["ETag"]
    assert {key: value for key, value in body.items() if key != "merged"} == page.now()


def test_edit_keeps_the_superseded_body(page: Page) -> None:
    """The head's digest is that of its body, and the body before it is stored once."""
    page.edit(content="ONE\n")
    document = Document.objects.get(uid=page.id)
    assert bytes(DocumentBody.objects.get(pk=document.pk).sha256) == hashlib.sha256(b"ONE\n").digest()
    stored = RevisionPayload.objects.filter(revision__document=document)
    assert [row.revision.number for row in stored] == [1]
    assert page.author.get(f"{page.path}revisions/1/").json()["content"] == BODY


def test_edit_records_one_event_with_revision_numbers_for_the_body(page: Page) -> None:
    """The trail says what changed; bodies are named by number, never copied."""
    page.edit(content="secret words\n", title="Renamed")
    event = Event.objects.filter(action="document.updated").select_related("detail").get()
    assert event.facts == {"revision": 2}
    assert event.detail.content["changes"] == {
        "title": {"before": "Page", "after": "Renamed"},
        "content": {"before": 1, "after": 2},
    }


def test_edit_that_changes_nothing_makes_no_revision(page: Page) -> None:
    """200 and the same version: no revision, no event."""
    answer = page.edit(content=BODY, title="Page", note="nothing")
    assert answer.status_code == 200
    assert answer.json()["revision"] == 1
    assert answer.json()["merged"] is False
    assert answer.headers["ETag"] == page.etag
    assert Revision.objects.count() == 1
    assert not Event.objects.filter(action="document.updated").exists()


def test_edit_note_stands_in_the_revision(page: Page) -> None:
    """What the writer says about the change is kept with it."""
    page.edit(title="Renamed", note="a better name")
    assert page.revisions()[0]["note"] == "a better name"


def test_edit_without_if_match_is_428(page: Page) -> None:
    """Nobody overwrites what they never saw."""
    answer = page.author.patch(page.path, {"content": "x"})
    assert answer.status_code == 428
    assert answer.json()["code"] == "precondition_required"
    assert page.now()["content"] == BODY


def test_edit_if_match_any_is_refused(page: Page) -> None:
    """`*` would be the same as no condition."""
    answer = page.edit(etag="*", content="x")
    assert answer.status_code == 400
    assert answer.json()["code"] == "if_match_any"


@pytest.mark.parametrize("tag", ['"1-2.x"', '"9-1.x"', '"1-0.x"', '"abc"', 'W/"1-1.x"', '"1-999999999.x"'])
def test_edit_tag_of_no_version_is_412(page: Page, tag: str) -> None:
    """A version that never was, of another epoch, weak, or not ours."""
    answer = page.edit(etag=tag, content="x")
    assert answer.status_code == 412
    assert answer.json()["error_type"] == "BusinessError"
    assert page.now()["revision"] == 1


def test_edit_if_match_that_cannot_be_read_is_400(page: Page) -> None:
    """Not a list of entity tags."""
    assert page.edit(etag="1-1", content="x").status_code == 400


def test_edit_editor(page: Page) -> None:
    """An editor of the workspace edits what others made, and is named as the author."""
    editor = page.member("editor")
    assert editor.user is not None
    assert page.edit(editor, title="Renamed").status_code == 200
    assert page.revisions()[0]["author"] == {
        "kind": "user",
        "id": str(editor.user.uid),
        "name": editor.user.name,
    }


@pytest.mark.parametrize("role", ["viewer", "commenter"])
@pytest.mark.parametrize("tag", [None, '"abc"', '"1-9.x"', 'W/"1-1.x"'])
def test_edit_reader_is_403(page: Page, role: str, tag: str | None) -> None:
    """Who may only see or comment is refused whatever version they name, and nothing changes."""
    answer = page.edit(page.member(role), etag=tag, content="x")
    assert answer.status_code == 403
    assert page.now()["content"] == BODY


@pytest.mark.parametrize(
    ("act", "body"), [("move", {}), ("trash", {}), ("links", {}), ("grants", {"role": "viewer"})]
)
def test_acts_keep_to_an_if_match(page: Page, act: str, body: dict[str, str]) -> None:
    """What takes If-Match without need refuses another version, after who may not do it at all."""
    viewer = page.member("viewer")
    subject = {"user": uid_of(page.client_for())} if body else {}
    for tag in ('"1-9.x"', '"abc"'):
        for who, status in ((viewer, 403), (page.author, 412)):
            answer = who.post(f"{page.path}{act}/", {**body, **subject}, If_Match=tag)
            assert answer.status_code == status
    assert page.author.post(f"{page.path}{act}/", {**body, **subject}, If_Match=page.etag).status_code < 300


def test_edit_outsider_is_404(page: Page) -> None:
    """Hidden is not there, with the tag right or wrong."""
    outsider = page.client_for()
    assert page.edit(outsider, content="x").status_code == 404
    assert page.edit(outsider, etag='"1-7.x"', content="x").status_code == 404


def test_edit_without_sign_in_is_401(page: Page, anonymous: ApiClient) -> None:
    """Nobody in particular."""
    assert page.edit(anonymous, content="x").status_code == 401


def test_edit_archived_is_409(page: Page) -> None:
    """An archived document takes no writes."""
    assert page.author.post(f"{page.path}archive/").status_code == 200
    answer = page.edit(content="x")
    assert answer.status_code == 409
    assert answer.json()["code"] == "document_archived"


def test_edit_trashed_is_410_for_who_may_edit_and_404_for_who_may_not(page: Page) -> None:
    """The trash is told only to those who could take it out of there."""
    viewer = page.member("viewer")
    assert page.author.post(f"{page.path}trash/").status_code == 200
    assert page.edit(content="x").status_code == 410
    assert page.edit(viewer, content="x").status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": "x" * (limits.TITLE_LENGTH + 1)}, "/title"),
        ({"title": 5}, "/title"),
        ({"title": None}, "/title"),
        ({"content": ["x"]}, "/content"),
        ({"content": "x" * (limits.BODY_BYTES + 1)}, "/content"),
        ({"content": "ä" * (limits.BODY_BYTES // 2 + 1)}, "/content"),
        ({"tags": "a"}, "/tags"),
        ({"tags": [str(number) for number in range(limits.TAGS + 1)]}, "/tags"),
        ({"tags": ["x" * (limits.TAG_LENGTH + 1)]}, "/tags/0"),
        ({"template": "yes"}, "/template"),
        ({"note": "x" * (limits.NOTE_LENGTH + 1)}, "/note"),
        ({"state": "archived"}, "/state"),
        ({"revision": 7}, "/revision"),
    ],
)
def test_edit_bad_input_is_400_and_named(page: Page, changes: dict[str, Any], pointer: str) -> None:
    """Each fault is pointed at, and nothing is written."""
    answer = page.edit(**changes)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert page.now()["revision"] == 1


@pytest.mark.parametrize("text", ["a\\u0000b", "a\\ud800b"])
def test_edit_text_that_is_no_text_is_400(page: Page, text: str) -> None:
    """NUL and half a letter never reach the database."""
    raw = b'{"content": "' + text.encode() + b'"}'
    answer = page.author.call("PATCH", page.path, raw=raw, If_Match=page.etag)
    assert answer.status_code == 400
    assert page.now()["revision"] == 1


def test_edit_inherits_access_goes_alone(page: Page) -> None:
    """What is no part of a revision doesn't mix with what is; alone it needs no If-Match."""
    answer = page.author.patch(page.path, {"inherits_access": False, "title": "x"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "mixed_fields"
    answer = page.author.patch(page.path, {"inherits_access": False})
    assert answer.status_code == 200
    assert answer.json()["inherits_access"] is False
    assert answer.json()["revision"] == 1


def test_edit_owner_goes_alone_to_a_reader(page: Page) -> None:
    """A manager makes a reader responsible; whoever can't see it is refused like whoever isn't there."""
    viewer, outsider = page.member("viewer"), page.client_for()
    assert viewer.user is not None
    assert outsider.user is not None
    answer = page.author.patch(page.path, {"owner": str(viewer.user.uid)})
    assert answer.status_code == 200
    assert answer.json()["owner"] == str(viewer.user.uid)
    refused = [
        page.author.patch(page.path, {"owner": owner})
        for owner in (str(outsider.user.uid), "01900000-0000-7000-8000-000000000000")
    ]
    assert [answer.status_code for answer in refused] == [400, 400]
    one, other = (answer.json() for answer in refused)
    assert (one["detail"], one["errors"]) == (other["detail"], other["errors"])


def test_edit_owner_by_an_editor_is_403(page: Page) -> None:
    """Who is responsible is for managers to say, and for no reader to learn an account from."""
    editor = page.member("editor")
    assert editor.user is not None
    for owner in (str(editor.user.uid), "01900000-0000-7000-8000-000000000000"):
        assert editor.patch(page.path, {"owner": owner}).status_code == 403


@pytest.mark.parametrize("letter", ["x", "ж"])
def test_edit_largest_body(page: Page, letter: str) -> None:
    """2 MB are taken, and come back, whatever the letters and however the client's JSON spells them."""
    line = letter * (98 // len(letter.encode())) + "\n\n"
    body = line * (limits.BODY_BYTES // 100)
    answer = page.edit(content=body)
    assert answer.status_code == 200
    assert page.now()["content"] == body


def test_edit_redis_gone(page: Page, redis_gone: None) -> None:
    """Writes don't notice that the cache is away."""
    assert page.edit(content="ONE\n").status_code == 200


def test_edit_queries(page: Page) -> None:
    """Six statements, warm.

    Session, user and stamps; the document; lock of document and body; clock and stamps of now; document, body
    with its vector, revision, payload of the one before and the answer; the event.
    """
    etag = page.edit(title="Warm").headers["ETag"]
    with CaptureQueriesContext(connection) as queries:
        answer = page.edit(etag=etag, content="ONE\n", title="Renamed")
    assert answer.status_code == 200
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in (query["sql"] or "")]
    assert len(statements) <= 6, statements
