"""`documents/{id}/content/`: the body itself, read in three forms and written as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from documents import caching, limits
from documents.models import Document, RecentView, Revision
from tests.documents.editing import BODY, Page, page_make
from tests.documents.world import ABSENT, statements
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db
MARKDOWN = "text/markdown"


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Page:
    """A document that its author just made."""
    return page_make(client_make)


def read(page: Page, accept: str = "*/*", who: ApiClient | None = None, **headers: str) -> Any:
    """The answer to a GET of the body."""
    return (who or page.author).get(f"{page.path}content/", Accept=accept, **headers)


def put(page: Page, body: bytes, who: ApiClient | None = None, query: str = "", **headers: str) -> Any:
    """The answer to a PUT, from the first revision unless `If_Match` says otherwise."""
    sent: Any = {"If_Match": page.etag, "Content_Type": MARKDOWN, **headers}
    return (who or page.author).call("PUT", f"{page.path}content/{query}", raw=body, **sent)


# --- reading ---
@pytest.mark.parametrize(
    ("accept", "kind", "text"),
    [
        ("*/*", "text/markdown", "# Hi\r\n\n*you*"),
        ("", "text/markdown", "# Hi\r\n\n*you*"),
        ("text/markdown", "text/markdown", "# Hi\r\n\n*you*"),
        ("text/plain;q=0.2, text/html", "text/html", '<h1 id="hi">Hi</h1>\n<p><em>you</em></p>\n'),
        ("text/plain", "text/plain", "Hi\n\nyou\n"),
        ("application/json, text/plain", "text/plain", "Hi\n\nyou\n"),
    ],
)
def test_read_by_accept(client_for: Callable[..., ApiClient], accept: str, kind: str, text: str) -> None:
    """Markdown byte for byte unless another form is asked for; no JSON around it."""
    page = page_make(client_for, content="# Hi\r\n\n*you*")
    answer = read(page, accept)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert answer.content.decode() == text
    assert answer.headers["Vary"] == "Accept, Authorization"
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("accept", ["application/json", "image/png", "text/markdown;q=0"])
def test_read_in_no_such_form_is_406(page: Page, accept: str) -> None:
    """As a problem, which depends on Accept as well."""
    answer = read(page, accept)
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    assert "Accept" in answer.headers["Vary"]


def test_read_html_is_that_of_the_html_route(page: Page) -> None:
    """One renderer, one cache."""
    assert read(page, "text/html").content.decode() == page.author.get(f"{page.path}html/").json()["html"]


def test_read_what_the_client_holds_is_304(page: Page) -> None:
    """For each form by its own tag: that of another form, and that of the document, stand for other bytes."""
    kinds = ("text/markdown", "text/html", "text/plain")
    tags = [read(page, kind).headers["ETag"] for kind in kinds]
    assert len({*tags, page.etag}) == 4
    for kind, own in zip(kinds, tags, strict=True):
        for tag in (*tags, page.etag):
            answer = read(page, kind, If_None_Match=tag)
            assert answer.status_code == (304 if tag == own else 200)
            assert answer.headers["ETag"] == own
            assert bool(answer.content) is (tag != own)
    page.edit(content="new\n")
    assert read(page, If_None_Match=tags[0]).content == b"new\n"


def test_read_head(page: Page) -> None:
    """The headers without the body."""
    answer = page.author.call("HEAD", f"{page.path}content/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["ETag"] == read(page).headers["ETag"]
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"


def test_read_tag_is_of_the_revision_alone(page: Page) -> None:
    """A lock or a new owner changes no byte of the body, so its tag stays."""
    before = read(page).headers["ETag"]
    assert page.author.post(f"{page.path}lock/", {}).status_code == 200
    assert page.author.get(page.path).headers["ETag"] != page.etag
    assert read(page).headers["ETag"] == before


def test_read_large(page: Page) -> None:
    """What is read in a second statement is as whole, and too much for HTML stays text."""
    body = ("word " * 20 + "\n") * 20_000
    etag = put(page, body.encode()).headers["ETag"]
    answer = read(page)
    assert answer.content.decode() == body
    assert read(page, If_None_Match=answer.headers["ETag"]).status_code == 304
    assert read(page, If_None_Match=etag).content.decode() == body
    assert read(page, "text/plain").content.decode() == body
    assert read(page, "text/html").content.startswith(b"<pre")


def test_read_deep(page: Page) -> None:
    """Nesting beyond measure ends somewhere and takes nothing down."""
    put(page, b">" * 5_000 + b" deep\n")
    for accept in ("text/html", "text/plain", "text/markdown"):
        answer = read(page, accept)
        assert answer.status_code == 200
    assert answer.content.endswith(b"> deep\n")


def test_read_who_may(page: Page, anonymous: ApiClient) -> None:
    """Readers do; for others it is not there, whatever tag they hold."""
    held = read(page).headers["ETag"]
    assert read(page, who=page.member("viewer")).status_code == 200
    assert read(page, who=page.client_for()).status_code == 404
    assert read(page, who=page.client_for(), If_None_Match=held).status_code == 404
    assert read(page, who=anonymous).status_code == 401
    assert page.author.get(f"documents/{ABSENT}/content/").status_code == 404


def test_read_trashed(page: Page) -> None:
    """410 for who may edit it, 404 for who may not; archived it is read."""
    viewer = page.member("viewer")
    assert page.author.post(f"{page.path}archive/").status_code == 200
    assert read(page, who=viewer).status_code == 200
    assert page.author.post(f"{page.path}trash/").status_code == 200
    assert (read(page).status_code, read(page).json()["code"]) == (410, "trashed")
    assert read(page, who=viewer).status_code == 404


def test_read_unknown_parameter(page: Page) -> None:
    """A misspelt wish is no wish."""
    answer = page.author.get(f"{page.path}content/?at=now")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")


def test_read_stands_in_what_one_opened(page: Page) -> None:
    """As reading the document does."""
    read(page)
    caching._opened.flush()
    assert RecentView.objects.filter(document__uid=page.id).exists()


def test_read_statements(page: Page) -> None:
    """Two: session, user and stamps; the document with its body. And so for a 304."""
    held = read(page).headers["ETag"]
    with statements(2):
        assert read(page).status_code == 200
    with statements(2):
        assert read(page, If_None_Match=held).status_code == 304


# --- writing the whole ---
def test_put(page: Page) -> None:
    """The body of the request is the body of the document; the answer that of a PATCH."""
    answer = put(page, "# Größe\n".encode(), query="?note=Measured%20anew")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["content"], body["revision"], body["merged"]) == ("# Größe\n", 2, False)
    assert {name: value for name, value in body.items() if name != "merged"} == page.now()
    assert answer.headers["ETag"] == page.author.get(page.path).headers["ETag"]
    assert page.revisions()[0]["note"] == "Measured anew"
    assert page.revisions()[0]["base"] == 1


def test_put_of_nothing_empties_the_body(page: Page) -> None:
    """A request without a body, whose type says what it would be; without a type it is a slip."""
    path, headers = f"{page.path}content/", {"If_Match": page.etag}
    assert page.author.call("PUT", path, **headers).status_code == 415
    answer = ApiClient(page.author.token, CONTENT_TYPE=MARKDOWN).call("PUT", path, **headers)
    assert (answer.status_code, answer.json()["content"]) == (200, "")
    assert read(page).content == b""
    assert read(page, "text/plain").content == b""


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf# With a mark\n",
        b"a\r\nb\nc\rd",
        b"  leading and trailing  \n\n\n",
        "\u2028\x0b\x0c\x85\u00a0\U0001f9c1e\u0301".encode(),
    ],
)
def test_put_keeps_every_byte(page: Page, body: bytes) -> None:
    """Line ends, mixed or not, a byte order mark, spaces, no text at all: as it came it is read."""
    assert put(page, body).status_code == 200
    assert read(page).content == body
    size = len(body)
    assert page.revisions()[0]["size"] == size


def test_put_in_chunks(page: Page) -> None:
    """The largest body is taken, one byte more is not."""
    body = b"x" * (limits.BODY_BYTES - 1) + b"\n"
    assert put(page, body).status_code == 200
    refused = put(page, body + b"x", If_Match='"1-2.x"')
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert refused.json()["limit"] == limits.BODY_BYTES
    assert page.now()["revision"] == 2


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"caf\xe9", MARKDOWN, 400, "malformed_body"),
        (b"\xed\xa0\x80", MARKDOWN, 400, "malformed_body"),
        (b"\xff\xfea\0", MARKDOWN, 400, "malformed_body"),
        (b"a\0b", MARKDOWN, 400, "malformed_body"),
        (b"text", "text/plain", 415, "unsupported_media_type"),
        (b'{"content": "x"}', "application/json", 415, "unsupported_media_type"),
        (b"", "application/json", 415, "unsupported_media_type"),
        (b"text", "text/markdown; charset=iso-8859-1", 415, "unsupported_media_type"),
        (b"text", "nonsense", 415, "unsupported_media_type"),
    ],
)
def test_put_of_no_markdown(page: Page, body: bytes, kind: str, status: int, code: str) -> None:
    """Refused with the reason, and nothing is changed."""
    answer = put(page, body, Content_Type=kind)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert page.now()["revision"] == 1


def test_put_with_parameters_of_the_type(page: Page) -> None:
    """The charset may be said, and which Markdown it is (RFC 7763)."""
    answer = put(page, b"x\n", Content_Type="Text/Markdown; charset=UTF-8; variant=GFM")
    assert answer.status_code == 200


def test_put_note_that_is_too_long(page: Page) -> None:
    """Named, and nothing written."""
    answer = put(page, b"x", query=f"?note={'n' * (limits.NOTE_LENGTH + 1)}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "?note"
    assert page.now()["revision"] == 1


def test_put_that_changes_nothing(page: Page) -> None:
    """200 and no revision."""
    answer = put(page, BODY.encode(), query="?note=nothing")
    assert (answer.status_code, answer.json()["revision"], answer.json()["merged"]) == (200, 1, False)
    assert Revision.objects.count() == 1


# --- from which version ---
def test_tags_of_both_routes_are_good_in_either(page: Page) -> None:
    """If-Match looks at the revision alone, whichever answer its tag came with."""
    of_body = read(page, "text/html").headers["ETag"]
    written = page.edit(content="one!\n\ntwo\n\nthree\n", etag=of_body)
    assert written.status_code == 200
    again = put(page, b"one!\n\ntwo!\n\nthree\n", If_Match=written.headers["ETag"])
    assert again.json()["revision"] == 3
    assert put(page, b"x", If_Match=read(page).headers["ETag"]).json()["revision"] == 4


def test_put_stale_is_merged(page: Page) -> None:
    """Three ways, as a PATCH; a title that changed meanwhile stays."""
    page.edit(content="ONE\n\ntwo\n\nthree\n", title="Renamed")
    answer = put(page, b"one\n\ntwo\n\nTHREE\n")
    assert answer.json()["merged"] is True
    assert answer.json()["content"] == "ONE\n\ntwo\n\nTHREE\n"
    assert answer.json()["title"] == "Renamed"
    assert page.revisions()[0]["base"] == 1


def test_put_conflict(page: Page) -> None:
    """409 with all that a choice needs; its tag goes on on this route, too."""
    page.edit(content="ONE\n\ntwo\n\nthree\n")
    answer = put(page, b"1\n\ntwo\n\nthree\n")
    assert (answer.status_code, answer.json()["code"]) == (409, "edit_conflict")
    assert [conflict["field"] for conflict in answer.json()["conflicts"]] == ["content"]
    assert put(page, b"1\n\ntwo\n\nthree\n", If_Match=answer.headers["ETag"]).status_code == 200


def test_put_stale_without_merge_is_412(page: Page) -> None:
    """`Prefer: merge=never`."""
    page.edit(content="ONE\n\ntwo\n\nthree\n")
    answer = put(page, b"one\n\ntwo\n\nTHREE\n", Prefer="merge=never")
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert page.now()["revision"] == 2


_WRONG = [
    ('"1-0.x"', 412),
    ('"1-2.x"', 412),
    ('"1-999999999.x"', 412),
    ('"9-1.x"', 412),
    ('"garbage"', 412),
    ('W/"1-1.x"', 412),
    ('W/"1-1.x", "7-1.x"', 412),
    ("*", 400),
    ("1-1.x", 400),
    ('"1-1.x', 400),
    ("", 400),
]


@pytest.mark.parametrize(("tag", "status"), _WRONG)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_write_from_no_version(page: Page, method: str, tag: str, status: int) -> None:
    """That never was, of another epoch, weak, no list of tags, any."""
    answer = write(page, method, If_Match=tag)
    assert answer.status_code == status
    assert page.now()["revision"] == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_write_without_if_match_is_428(page: Page, method: str) -> None:
    """Nobody overwrites what they never saw."""
    kind = {"PUT": MARKDOWN}.get(method, "application/json")
    raw = b"new" if method == "PUT" else b'{"operations": [{"op": "append", "text": "new"}]}'
    answer = page.author.call(method, f"{page.path}content/", raw=raw, Content_Type=kind)
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_write_from_one_of_several_versions(page: Page, method: str) -> None:
    """The current one among several counts."""
    assert write(page, method, If_Match=f'"x", W/"1-9.x", {page.etag}').json()["merged"] is False


def write(page: Page, method: str, who: ApiClient | None = None, **headers: str) -> Any:
    """A write of the body, as a whole or by an operation."""
    if method == "PUT":
        return put(page, b"new\n", who, **headers)
    body = {"operations": [{"op": "append", "text": "new\n"}]}
    return (who or page.author).patch(f"{page.path}content/", body, **{"If_Match": page.etag, **headers})


# --- who, and in which state ---
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_write_who_may(page: Page, anonymous: ApiClient, method: str) -> None:
    """Editors; readers are refused, outsiders find nothing."""
    for role in ("viewer", "commenter"):
        assert write(page, method, page.member(role)).status_code == 403
    assert write(page, method, page.client_for()).status_code == 404
    assert write(page, method, anonymous).status_code == 401
    assert page.now()["revision"] == 1
    assert write(page, method, page.member("editor")).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_write_what_somebody_holds(page: Page, method: str) -> None:
    """423 with the holder, the merge included; the holder writes."""
    holder = page.member("editor")
    assert holder.user is not None
    assert holder.post(f"{page.path}lock/", {"reason": "Chapter two"}).status_code == 200
    page.edit(holder, content="one\n\ntwo\n\nTHREE\n")
    refused = write(page, method)
    assert (refused.status_code, refused.json()["code"]) == (423, "locked")
    assert refused.json()["lock"]["by"]["id"] == str(holder.user.uid)
    assert refused.json()["lock"]["reason"] == "Chapter two"
    assert int(refused.headers["Retry-After"]) > 0
    assert page.now()["revision"] == 2
    etag = page.author.get(page.path).headers["ETag"]
    assert write(page, method, holder, If_Match=etag).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_write_to_what_takes_no_writes(page: Page, method: str) -> None:
    """Archived 409, trashed 410 and to readers 404."""
    viewer = page.member("viewer")
    assert page.author.post(f"{page.path}archive/").status_code == 200
    refused = write(page, method)
    assert (refused.status_code, refused.json()["code"]) == (409, "document_archived")
    assert page.author.post(f"{page.path}trash/").status_code == 200
    assert (write(page, method).status_code, write(page, method).json()["code"]) == (410, "trashed")
    assert write(page, method, viewer).status_code == 404
    assert Document.objects.get(uid=page.id).revision == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_write_leaves_the_other_fields(client_for: Callable[..., ApiClient], method: str) -> None:
    """The body alone: a template stays one, with its tags and its title."""
    page = page_make(client_for, template=True, tags=["a"])
    body = write(page, method).json()
    assert (body["template"], body["tags"], body["title"]) == (True, ["a"], "Page")
    changed = page.edit(etag=page.author.get(page.path).headers["ETag"], template=False)
    assert changed.json()["template"] is False


def test_put_statements(page: Page) -> None:
    """Six, as a PATCH of the document has them."""
    etag = put(page, b"warm\n").headers["ETag"]
    with statements(6):
        assert put(page, b"new\n", If_Match=etag).status_code == 200
