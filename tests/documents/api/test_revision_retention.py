"""Bodies that a workspace keeps no longer, and those that stay."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection, transaction

from accounts.selectors import database_now
from audit.models import Event
from cloudscribe.lib.actor import command_actor
from documents.models import Document, Hold, Revision, RevisionPayload, Workspace
from documents.services import expiring
from documents.services.expiring import Expired, revisions_expire, revisions_expiring
from tests.documents.editing import Page, page_make
from tests.documents.world import World
from tests.fixtures import client_make

pytestmark = pytest.mark.django_db

DAYS = 30


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Page:
    """A document with thirty revisions in a workspace that keeps bodies for 30 days."""
    caches["default"].clear()
    page = page_make(client_make, content=body(1))
    for number in range(2, 31):
        page.etag = page.edit(etag=page.etag, content=body(number)).headers["ETag"]
    keep(page, DAYS)
    return page


def body(number: int) -> str:
    """What revision `number` says."""
    return "".join(f"line {line} of {number if line % 7 == number % 7 else 0}\n" for line in range(40))


def keep(page: Page, days: int | None) -> None:
    """Set the policy."""
    answer = page.author.patch(
        f"workspaces/{page.workspace}/", {"policies": {"revision_retention_days": days}}
    )
    World.ok(answer)


def expire(days: float = DAYS + 1) -> Expired:
    """What the job does after so many days."""
    actor = command_actor("test", database_now() + dt.timedelta(days=days))
    due = revisions_expiring(actor=actor)
    done = revisions_expire(actor=actor, progress=lambda _: None)
    assert due == done
    return done


def readable(page: Page) -> list[int]:
    """The revisions whose bodies can be read; each is what was written."""
    found = []
    for number in range(1, page.now()["revision"] + 1):
        answer = page.author.get(f"{page.path}revisions/{number}/")
        if answer.status_code == 200:
            assert answer.json()["content"] == body(number)
            found.append(number)
        else:
            assert (answer.status_code, answer.json()["code"]) == (410, "revision_gone")
    return found


def test_retention_takes_old_bodies_and_never_the_newest(page: Page) -> None:
    """Revisions stay with all that is known of them; the trail says how many bodies went."""
    assert expire() == Expired(29, 1)
    assert readable(page) == [30]
    rows = World.ok(page.author.get(f"{page.path}revisions/?page_size=100"))["results"]
    assert [row["number"] for row in rows] == list(range(30, 0, -1))
    event = Event.objects.get(action="revision.expired")
    assert event.facts == {"revisions": 29, "first": 1, "last": 29}
    assert event.target_uid == Document.objects.get(uid=page.id).uid
    assert expire() == Expired(0, 0)


def test_retention_keeps_what_stood_within_the_time(page: Page) -> None:
    """A body counts from when another took its place."""
    assert expire(DAYS - 1) == Expired(0, 0)
    assert readable(page) == list(range(1, 31))


def test_retention_is_off_unless_a_workspace_wants_it(page: Page) -> None:
    """Without the policy everything is kept for ever."""
    keep(page, None)
    assert expire(10_000) == Expired(0, 0)


def test_retention_keeps_named_ones_and_all_that_they_need(page: Page) -> None:
    """Named ones can be read, whatever went between them; the name taken away, they go, too."""
    for number in (1, 3, 4, 20, 28):
        World.ok(page.author.patch(f"{page.path}revisions/{number}/", {"name": f"No. {number}"}))
    assert expire() == Expired(24, 1)
    assert readable(page) == [1, 3, 4, 20, 28, 30]
    World.ok(page.author.patch(f"{page.path}revisions/3/", {"name": ""}))
    assert expire() == Expired(1, 1)
    assert readable(page) == [1, 4, 20, 28, 30]
    # The chain goes on being written.
    page.etag = page.edit(etag=page.etag, content=body(31)).headers["ETag"]
    assert readable(page) == [1, 4, 20, 28, 30, 31]


def test_retention_in_small_pieces_comes_to_the_same(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece is a transaction and an event of its own."""
    monkeypatch.setattr(expiring, "_MOST", 4)
    monkeypatch.setattr(expiring, "_MOST_REPACKED", 1)
    for number in range(2, 30, 3):
        World.ok(page.author.patch(f"{page.path}revisions/{number}/", {"name": "x"}))
    assert expire() == Expired(19, 1)
    assert readable(page) == [*range(2, 30, 3), 30]
    assert sum(event.facts["revisions"] for event in Event.objects.filter(action="revision.expired")) == 19


def test_retention_stops_at_a_legal_hold(page: Page) -> None:
    """On the document or its workspace; released, it goes on."""
    room = Workspace.objects.get(uid=page.workspace)
    for target in ({"workspace": room}, {"document": Document.objects.get(uid=page.id)}):
        hold = Hold.objects.create(reason="law", **target)
        assert expire() == Expired(0, 0)
        Hold.objects.filter(pk=hold.pk).update(released_at=database_now())
    assert expire() == Expired(29, 1)


def test_retention_keeps_what_a_snapshot_names(page: Page) -> None:
    """The body of its moment, of the whole workspace or of a part that the document stood in."""
    part = World.ok(page.author.post("documents/", {"workspace": page.workspace, "title": "Elsewhere"}), 201)[
        "id"
    ]
    snapshots = f"workspaces/{page.workspace}/snapshots/"
    World.ok(page.author.post(snapshots, {"name": "whole"}), 201)
    page.etag = page.edit(etag=page.etag, content=body(31)).headers["ETag"]
    World.ok(page.author.post(snapshots, {"name": "other part", "root": part}), 201)
    page.etag = page.edit(etag=page.etag, content=body(32)).headers["ETag"]
    own = World.ok(page.author.post(snapshots, {"name": "own part", "root": page.id}), 201)
    page.etag = page.edit(etag=page.etag, content=body(33)).headers["ETag"]
    assert expire() == Expired(30, 1)
    assert readable(page) == [30, 32, 33]
    World.ok(page.author.post(f"{snapshots}{own['id']}/restore/"))
    assert page.now()["content"] == body(32)


def test_retention_leaves_a_snapshots_part_also_below_a_document(page: Page) -> None:
    """What stood below the root of a snapshot is in it, wherever it stands now."""
    top = World.ok(page.author.post("documents/", {"workspace": page.workspace, "title": "Top"}), 201)["id"]
    World.ok(page.author.post(f"{page.path}move/", {"parent": top}))
    World.ok(page.author.post(f"workspaces/{page.workspace}/snapshots/", {"name": "part", "root": top}), 201)
    World.ok(page.author.post(f"{page.path}move/", {"parent": None}))
    page.etag = page.author.get(page.path).headers["ETag"]
    page.etag = page.edit(etag=page.etag, content=body(31)).headers["ETag"]
    expire()
    assert readable(page) == [30, 31]


def test_after_retention_old_bases_and_diffs_are_refused(page: Page) -> None:
    """An edit from a body that is gone is 412 `base_gone`, its diff and its restore 410; of others none."""
    old = page.etag
    page.etag = page.edit(etag=page.etag, content=body(31)).headers["ETag"]
    expire()
    answer = page.edit(etag=old, content="mine\n")
    assert (answer.status_code, answer.json()["code"]) == (412, "base_gone")
    assert page.now()["content"] == body(31)
    for path in ("30/diff/", "31/diff/?against=29", "31/diff/"):
        assert page.author.get(f"{page.path}revisions/{path}").status_code == 410
    answer = page.author.post(f"{page.path}revisions/30/restore/", If_Match=page.etag)
    assert (answer.status_code, answer.json()["code"]) == (410, "revision_gone")


def test_after_retention_a_moment_still_has_its_title_and_place(page: Page) -> None:
    """`at`: the body is gone, title, tags and language of then are not; lists and trees need no body."""
    created = {row["number"]: row["created_at"] for row in page.revisions()}
    moment = created[29].replace("Z", "%2B00:00")
    expire()
    answer = page.author.get(f"{page.path}?at={moment}")
    assert (answer.status_code, answer.json()["code"]) == (410, "revision_gone")
    tree = World.ok(page.author.get(f"workspaces/{page.workspace}/tree/?at={moment}"))
    assert [node["title"] for node in tree] == ["Page"]
    meta = {row["number"]: row["meta"] for row in page.revisions()}
    assert meta[29]["title"] == "Page"


def test_after_retention_blame_is_still_told(page: Page) -> None:
    """Over what is kept, with a word where it is not sure."""
    World.ok(page.author.patch(f"{page.path}revisions/10/", {"name": "kept"}))
    expire()
    found = World.ok(page.author.get(f"{page.path}blame/"))
    assert found["complete"] is True
    assert {(row["revision"], row["exact"]) for row in found["lines"]} == {(10, False), (30, False)}
    assert "".join(row["text"] for row in found["lines"]) == body(30)


def test_retention_takes_no_body_that_is_read_again_within_a_moment(page: Page) -> None:
    """`at` any moment that the policy covers, the document says what it said then."""
    document = Document.objects.get(uid=page.id)
    middle = Revision.objects.get(document=document, number=15).created_at
    actor = command_actor("test", middle + dt.timedelta(days=DAYS))
    revisions_expire(actor=actor, progress=lambda _: None)
    assert readable(page) == list(range(15, 31))


def test_retention_skips_what_is_damaged(page: Page) -> None:
    """One document that can't be rebuilt stops no other."""
    other = World.ok(
        page.author.post("documents/", {"workspace": page.workspace, "title": "O", "content": "1"}), 201
    )
    etag = page.author.get(f"documents/{other['id']}/").headers["ETag"]
    World.ok(page.author.patch(f"documents/{other['id']}/", {"content": "2"}, If_Match=etag))
    World.ok(page.author.patch(f"{page.path}revisions/5/", {"name": "kept"}))
    damaged = RevisionPayload.objects.get(revision__document__uid=page.id, revision__number=7)
    key = damaged.pk
    damaged.delete()
    RevisionPayload.objects.create(revision_id=key, base_number=8, payload=b"junk")
    actor = command_actor("test", database_now() + dt.timedelta(days=DAYS + 1))
    assert revisions_expire(actor=actor, progress=lambda _: None) == Expired(1, 1)


def test_retention_command_says_and_does(page: Page) -> None:
    """`expire_revisions --dry-run` removes nothing."""
    out: Any = io.StringIO()
    call_command("expire_revisions", dry_run=True, stdout=out)
    call_command("expire_revisions", stdout=out)
    assert out.getvalue().splitlines() == ["0 of 0 documents would go.", "0 of 0 documents gone."]
    assert readable(page) == list(range(1, 31))


def test_payloads_are_still_written_once(page: Page) -> None:
    """What is packed anew is another row; nothing updates one."""
    with pytest.raises(Exception, match="written once"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE documents_revisionpayload SET base_number = NULL")
