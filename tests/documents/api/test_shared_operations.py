"""`shared/{secret}/content/`: small edits by a share link, on the text as the link shows it."""

from __future__ import annotations

from typing import Any

import pytest

from documents import limits
from documents.models import Revision
from tests.documents.sharing import edited, keys, link_make, shared
from tests.documents.world import World
from tests.fixtures import ApiClient

APPEND = {"op": "append", "text": "four\n"}
REPLACE = {"op": "replace", "find": "two", "text": "2"}


def operate(secret: str, etag: str, *operations: Any, path: str = "", **more: Any) -> Any:
    """The answer that a stranger gets to operations."""
    headers = {name: more.pop(name) for name in ("Prefer",) if name in more}
    body = {"operations": list(operations), **more}
    return ApiClient().patch(f"shared/{secret}/{path}content/", body, If_Match=etag, **headers)


def test_shared_operations(world: World) -> None:
    """Done as by everybody, with the link as the author; a note stays with those who see the history."""
    document, secret = edited(world)
    answer = operate(secret, shared(secret).headers["ETag"], APPEND, REPLACE, note="By a guest")
    body = World.ok(answer)
    assert (body["content"], body["merged"]) == ("one\n\n2\n\nthree\nfour\n", False)
    assert answer.headers["ETag"] == shared(secret).headers["ETag"]
    assert "By a guest" not in shared(secret).content.decode()
    newest = World.ok(world.owner.get(f"documents/{document}/revisions/"))["results"][0]
    assert (newest["note"], newest["author"]["kind"]) == ("By a guest", "link")


def test_shared_operations_beside_others(world: World) -> None:
    """Merged; done on the text of now where the merge is a conflict; else the conflict, without numbers."""
    document, secret = edited(world)
    etag = shared(secret).headers["ETag"]
    own = world.owner.get(f"documents/{document}/").headers["ETag"]
    body = {"operations": [{"op": "append", "text": "4\n"}]}
    World.ok(world.owner.patch(f"documents/{document}/content/", body, If_Match=own))
    merged = World.ok(operate(secret, etag, REPLACE))
    assert (merged["content"], merged["merged"]) == ("one\n\n2\n\nthree\n4\n", True)
    appended = World.ok(operate(secret, etag, APPEND))
    assert (appended["content"], appended["merged"]) == ("one\n\n2\n\nthree\n4\nfour\n", True)
    refused = operate(secret, etag, {**REPLACE, "text": "II"})
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "edit_conflict")
    assert set(problem["current"]) == {"content", "etag"}
    assert operate(secret, etag, APPEND, Prefer="merge=never").status_code == 412


def test_shared_operations_see_keys_and_no_ids(world: World) -> None:
    """What is found, and how often, is told of the text that the link shows: no id is guessed by parts."""
    other = world.document("Other")
    document, secret = edited(world, content=f"[a](cs://{other}) and [b](cs://{other})\n")
    read = shared(secret)
    etag, key = read.headers["ETag"], World.ok(read)["content"].partition("cs://")[2].partition(")")[0]
    for part in (other, other[:8], f"cs://{other[:4]}"):
        refused = operate(secret, etag, {"op": "replace", "find": part, "text": "x", "count": 2})
        assert (refused.status_code, refused.json()["found"]) == (422, 0)
        assert other not in refused.content.decode()
    assert Revision.objects.filter(document__uid=document).count() == 1
    written = operate(
        secret,
        etag,
        {"op": "replace", "find": f"[b](cs://{key})", "text": f"[c](cs://{key}#part)"},
        {"op": "append", "text": f"cs://{key}"},
    )
    assert other not in written.content.decode()
    now = World.ok(world.owner.get(f"documents/{document}/"))["content"]
    assert now == f"[a](cs://{other}) and [c](cs://{other}#part)\ncs://{other}"


def test_shared_operation_that_does_not_fit(world: World) -> None:
    """422 with what is to blame and how often it was found, and no use is counted."""
    document = world.document(content="a a\n")
    link = link_make(world, document, role="editor", max_uses=2)
    etag = shared(link["secret"]).headers["ETag"]
    refused = operate(link["secret"], etag, {"op": "replace", "find": "a", "text": "b"})
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (422, "operation_not_applicable")
    assert problem["errors"][0]["pointer"] == "/operations/0/find"
    assert (problem["found"], problem["expected"]) == (2, 1)
    assert "X-Link-Visit" not in refused.headers
    assert World.ok(operate(link["secret"], etag, APPEND))["content"] == "a a\nfour\n"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/content", "required"),
        ({"note": "x"}, "/content", "required"),
        ({"content": "x", "operations": [APPEND]}, "/operations", "contradiction"),
        ({"operations": []}, "/operations", "empty"),
        ({"operations": [{**APPEND, "find": "x"}]}, "/operations/0/find", "not_here"),
        ({"operations": [APPEND] * (limits.OPERATIONS + 1)}, "/operations", "max_length"),
        ({"operations": [APPEND], "nonsense": 1}, "/nonsense", "unknown_property"),
    ],
)
def test_shared_operations_of_another_form(world: World, body: Any, pointer: str, code: str) -> None:
    """Each fault is pointed at."""
    _, secret = edited(world)
    etag = shared(secret).headers["ETag"]
    answer = ApiClient().patch(f"shared/{secret}/content/", body, If_Match=etag)
    assert answer.status_code == 400
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [(pointer, code)]


def test_shared_operations_by_links_that_write_nothing(world: World) -> None:
    """Those for reading and commenting, and all where the workspace has switched writing off."""
    document, secret = edited(world)
    for role in ("viewer", "commenter"):
        lesser = link_make(world, document, role=role)["secret"]
        assert operate(lesser, shared(lesser).headers["ETag"], APPEND).status_code == 403
    etag = shared(secret).headers["ETag"]
    World.ok(world.act(document, "lock"))
    held = operate(secret, etag, APPEND)
    assert (held.status_code, held.json()["code"]) == (423, "locked")
    assert "lock" not in held.json()
    assert world.owner.delete(f"documents/{document}/lock/").status_code == 204
    room = f"workspaces/{world.workspace}/"
    World.ok(world.owner.patch(room, {"policies": {"edit_links_allowed": False}}))
    assert operate(secret, etag, APPEND).status_code == 403
    World.ok(world.act(document, "trash"))
    assert operate(secret, etag, APPEND).status_code == 404
    assert Revision.objects.filter(document__uid=document).count() == 1


def test_shared_operations_below(world: World) -> None:
    """A link with children does them to what it reaches."""
    top = world.document("Top")
    world.document("Child", parent=top, content="one\n")
    secret = link_make(world, top, role="editor", include_children=True)["secret"]
    path = f"documents/{keys(shared(secret))['Child']}/"
    etag = ApiClient().get(f"shared/{secret}/{path}content/").headers["ETag"]
    assert World.ok(operate(secret, etag, APPEND, path=path))["content"] == "one\nfour\n"


def test_shared_put_with_a_note(world: World) -> None:
    """As a signed-in writer gives one; what names documents by keys is their ids again."""
    other = world.document("Other")
    document, secret = edited(world, content=f"cs://{other}\n")
    read = shared(secret)
    key = World.ok(read)["content"].strip().removeprefix("cs://")
    answer = ApiClient(CONTENT_TYPE="text/markdown").call(
        "PUT", f"shared/{secret}/content/?note=see%20cs://{key}", raw=b"", If_Match=read.headers["ETag"]
    )
    assert World.ok(answer)["content"] == ""
    newest = World.ok(world.owner.get(f"documents/{document}/revisions/"))["results"][0]
    assert newest["note"] == f"see cs://{other}"


def test_shared_content_varies_by_accept(world: World) -> None:
    """As plain text without ids or signs; each form with a tag of its own, good for writing."""
    other = world.document("Other")
    _, secret = edited(world, content=f"# *Hi*\n\n[you](cs://{other}) cs://{other}\n")
    answers = [
        shared(secret, "content/", Accept=kind) for kind in ("text/markdown", "text/plain", "text/html")
    ]
    assert len({answer.headers["ETag"] for answer in answers}) == 3
    for answer in answers:
        assert "Accept" in answer.headers["Vary"]
        assert other not in answer.content.decode()
    assert answers[1].content.decode().startswith("Hi\n\nyou cs://")
    assert World.ok(operate(secret, answers[2].headers["ETag"], APPEND))["merged"] is False
