"""`shared/{secret}/content/`: writing by a share link."""

from __future__ import annotations

from typing import Any

from audit.models import Event
from cloudscribe.jobs.models import Job
from documents.models import Revision, ShareLink
from tests.documents.sharing import edited, keys, link_make, shared
from tests.documents.world import World
from tests.fixtures import ApiClient


def test_shared_edit(world: World) -> None:
    """An editor link writes the body from the version that it read, as the author of the revision."""
    document, secret = edited(world)
    read = shared(secret)
    etag, path = read.headers["ETag"], f"shared/{secret}/content/"
    stranger = ApiClient()
    assert stranger.patch(path, {"content": "new"}).status_code == 428
    assert stranger.patch(path, {"content": "new"}, If_Match="*").status_code == 400
    assert stranger.patch(path, {"content": "new"}, If_Match='"1-1.abc"').status_code == 412
    written = World.ok(stranger.patch(path, {"content": "one!\n\ntwo\n\nthree\n"}, If_Match=etag))
    assert (written["content"], written["merged"]) == ("one!\n\ntwo\n\nthree\n", False)
    revision = World.ok(world.owner.get(f"documents/{document}/revisions/"))["results"][0]
    assert (revision["author"]["kind"], revision["author"]["name"]) == ("link", "Share link")
    event = Event.objects.filter(action="document.updated").latest("sequence")
    assert (event.actor_kind, event.credential_kind) == ("link", "link")


def test_shared_edit_by_put(world: World) -> None:
    """PUT takes the Markdown itself; by links for reading nothing is written."""
    document, secret = edited(world)
    etag = shared(secret).headers["ETag"]
    put: Any = {"If_Match": etag, "Content_Type": "text/markdown"}
    answer = ApiClient().call("PUT", f"shared/{secret}/content/", raw="# Größe\n".encode(), **put)
    assert World.ok(answer)["content"] == "# Größe\n"
    assert ApiClient().call("PUT", f"shared/{secret}/content/", raw=b"\xff", **put).status_code == 400
    assert ApiClient().call("PUT", f"shared/{secret}/content/", raw=b"a\0b", **put).status_code == 400
    foreign = answer.headers["ETag"]
    for role in ("viewer", "commenter"):
        lesser = link_make(world, document, role=role)["secret"]
        for put["If_Match"] in (shared(lesser).headers["ETag"], foreign):
            refused = ApiClient().call("PUT", f"shared/{lesser}/content/", raw=b"mine", **put)
            assert refused.status_code == 403
    assert Revision.objects.count() == 2


def test_shared_edit_is_merged(world: World) -> None:
    """A stale write is merged with what others wrote; where both changed one place it is a conflict.

    Which tells the body alone, and no number.
    """
    document, secret = edited(world)
    etag, path = shared(secret).headers["ETag"], f"shared/{secret}/content/"
    own = world.owner.get(f"documents/{document}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{document}/", {"content": "one\n\ntwo\n\n3\n"}, If_Match=own))
    merged = World.ok(ApiClient().patch(path, {"content": "1\n\ntwo\n\nthree\n"}, If_Match=etag))
    assert (merged["content"], merged["merged"]) == ("1\n\ntwo\n\n3\n", True)
    refused = ApiClient().patch(path, {"content": "uno\n\ntwo\n\nthree\n"}, If_Match=etag)
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "edit_conflict")
    assert set(problem["base"]) == {"content"}
    assert set(problem["current"]) == {"content", "etag"}
    assert [conflict["field"] for conflict in problem["conflicts"]] == ["content"]
    resolved = {"content": "uno\n\ntwo\n\n3\n"}
    again = ApiClient().patch(path, resolved, If_Match=problem["current"]["etag"])
    assert World.ok(again)["content"] == resolved["content"]
    plain = ApiClient().patch(path, {"content": "x"}, If_Match=etag, Prefer="merge=never")
    assert plain.status_code == 412
    assert "revision" not in plain.json()


def test_shared_edit_of_more_than_the_content(world: World) -> None:
    """Title, tags and the like are nobody's by a link."""
    _, secret = edited(world)
    etag = shared(secret).headers["ETag"]
    for body in ({"title": "Mine"}, {"content": "x", "tags": ["a"]}, {"owner": "me"}):
        refused = ApiClient().patch(f"shared/{secret}/content/", body, If_Match=etag)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    unknown = ApiClient().patch(f"shared/{secret}/content/", {"content": "x", "nonsense": 1}, If_Match=etag)
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_property")


def test_shared_edit_keeps_the_ids_of_links(world: World) -> None:
    """Keys that a client read and writes back are the ids again that they stood for."""
    other = world.document("Other")
    document, secret = edited(world, content=f"[x](cs://{other}#a)\n\nend\n")
    read = shared(secret)
    changed = World.ok(read)["content"].replace("end", "END")
    World.ok(
        ApiClient().patch(f"shared/{secret}/content/", {"content": changed}, If_Match=read.headers["ETag"])
    )
    assert World.ok(world.owner.get(f"documents/{document}/"))["content"] == f"[x](cs://{other}#a)\n\nEND\n"


def test_shared_edit_below_and_where_writing_is_off(world: World) -> None:
    """A link with children edits what it reaches; archived, or by policy, nothing is written."""
    top = world.document("Top")
    child = world.document("Child", parent=top, content="a")
    secret = link_make(world, top, role="editor", include_children=True)["secret"]
    path = f"shared/{secret}/documents/{keys(shared(secret))['Child']}/content/"
    etag = ApiClient().get(path).headers["ETag"]
    answer = ApiClient().patch(path, {"content": "b"}, If_Match=etag)
    assert World.ok(answer)["content"] == "b"
    World.ok(world.act(child, "archive"))
    etag = answer.headers["ETag"]
    assert ApiClient().patch(path, {"content": "c"}, If_Match=etag).json()["code"] == "document_archived"
    World.ok(world.act(child, "unarchive"))
    room = f"workspaces/{world.workspace}/"
    World.ok(world.owner.patch(room, {"policies": {"edit_links_allowed": False}}))
    assert ApiClient().patch(path, {"content": "c"}, If_Match=etag).status_code == 403
    assert World.ok(shared(secret))["role"] == "commenter"


def test_shared_edit_by_a_link_that_was_revoked_meanwhile(world: World) -> None:
    """Between reading and writing, and within a visit: nothing is written."""
    document, secret = edited(world)
    read = shared(secret)
    World.ok(world.owner.delete(f"documents/{document}/links/"), 204)
    headers = {"If_Match": read.headers["ETag"], "X_Link_Visit": read.headers["X-Link-Visit"]}
    assert ApiClient().patch(f"shared/{secret}/content/", {"content": "x"}, **headers).status_code == 404
    assert Revision.objects.count() == 1


def test_shared_edit_outside_of_a_visit_is_a_use(world: World) -> None:
    """A write counts where nothing before it did; by a spent link nothing is written."""
    document = world.document(content="a")
    link = link_make(world, document, role="editor", max_uses=2)
    etag = shared(link["secret"]).headers["ETag"]
    path = f"shared/{link['secret']}/content/"
    written = ApiClient().patch(path, {"content": "b"}, If_Match=etag)
    assert (written.status_code, ShareLink.objects.get().use_count) == (200, 2)
    etag, visit = written.headers["ETag"], written.headers["X-Link-Visit"]
    assert ApiClient().patch(path, {"content": "c"}, If_Match=etag).status_code == 404
    assert (
        World.ok(ApiClient().patch(path, {"content": "c"}, If_Match=etag, X_Link_Visit=visit))["content"]
        == "c"
    )


def test_shared_edit_of_a_long_body_is_indexed(world: World) -> None:
    """What is too long for a request is left to a job, which runs though nobody stands behind the link."""
    document, secret = edited(world)
    etag = shared(secret).headers["ETag"]
    body = "word " * 40_000
    World.ok(ApiClient().patch(f"shared/{secret}/content/", {"content": body}, If_Match=etag))
    job = Job.objects.get(kind="documents.search_index")
    assert (job.actor_uid, job.state) == (None, "queued")
    assert document
