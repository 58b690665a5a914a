"""The change feed: what each event says to whom, and how a reader goes on from it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from audit.models import Event
from audit.services import Entry, Target, events_seal
from audit.services.events import entry_row
from documents.selectors import changes
from tests.conftest import SERVERS
from tests.documents.world import ABSENT, World, statements, uid_of
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)


class Feed:
    """Somebody's feed from now on."""

    def __init__(self, client: ApiClient, query: str = "") -> None:
        self.client = client
        self.query = query
        self.cursor = World.ok(client.get(f"changes/?cursor=now{query}"))["cursor"]

    def more(self) -> list[dict[str, Any]]:
        """The entries since the last time."""
        return list(self._entries())

    def told(self) -> list[tuple[str, str, str]]:
        """Of the entries since the last time: the action, the id and what it says."""
        return [(row["action"], row["id"], said(row)) for row in self._entries()]

    def _entries(self) -> Iterator[dict[str, Any]]:
        while True:
            page = World.ok(self.client.get(f"changes/?cursor={self.cursor}{self.query}"))
            yield from page["results"]
            self.cursor = page["cursor"]
            if page["next"] is None:
                return


def said(row: dict[str, Any]) -> str:
    """An entry's verdict in a word."""
    assert not (row["tombstone"] and row["access_gained"])
    return "gone" if row["tombstone"] else "anew" if row["access_gained"] else "changed"


def test_an_entry_has_its_members(world: World) -> None:
    """A new document is one entry with number, action, place and time, and nothing else."""
    feed = Feed(world.owner)
    page = world.document()
    (entry,) = feed.more()
    event = Event.objects.get(sequence=entry.pop("sequence"))
    assert entry.pop("at").endswith("Z")
    assert event.action == "document.created"
    assert entry == {
        "action": "document.created",
        "type": "document",
        "id": page,
        "workspace": world.workspace,
        "tombstone": False,
        "access_gained": False,
        "subtree": False,
    }


def test_from_the_beginning_all_is_told(world: World) -> None:
    """Without a cursor the feed begins with the first event that is the reader's."""
    page = world.document()
    answer = world.ok(world.owner.get("changes/"))
    found = [(row["action"], row["id"]) for row in answer["results"]]
    assert found == [("workspace.created", world.workspace), ("document.created", page)]
    assert answer["next"] is None


def test_a_cursor_is_never_null_and_leads_on(world: World) -> None:
    """Also where nothing is told there is a cursor, and pages of one follow each other by `next`."""
    stranger = world.client_for()
    assert world.ok(stranger.get("changes/"))["cursor"]
    pages = [world.document(f"Page {number}") for number in range(3)]
    found, address = [], "changes/?page_size=1"
    while address is not None:
        answer = world.ok(world.owner.get(address.partition("/api/v1/")[2] or address))
        found += [row["id"] for row in answer["results"]]
        address = answer["next"]
    assert found == [world.workspace, *pages]


@pytest.mark.parametrize("cursor", ["x", "WyIiLDAsMSwwXQ", "Now"])
def test_a_cursor_from_elsewhere_is_refused(world: World, cursor: str) -> None:
    """What the feed didn't make is 400 and names the parameter."""
    answer = world.owner.get(f"changes/?cursor={cursor}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "?cursor"


def test_a_cursor_belongs_to_its_workspace(world: World) -> None:
    """The cursor of the whole feed is none for one workspace."""
    cursor = Feed(world.owner).cursor
    assert world.owner.get(f"changes/?workspace={world.workspace}&cursor={cursor}").status_code == 400


def test_a_cursor_of_an_earlier_epoch_is_gone(world: World) -> None:
    """After a restore of the database the feed is 410 `resync`, and the answer's cursor leads on."""
    feed = Feed(world.owner)
    with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as owner:
        owner.execute("UPDATE audit_epoch SET number = number + 1")
    try:
        answer = world.owner.get(f"changes/?cursor={feed.cursor}")
        assert (answer.status_code, answer.json()["code"]) == (410, "resync")
        feed.cursor = answer.json()["cursor"]
        page = world.document()
        assert feed.told() == [("document.created", page, "changed")]
    finally:
        with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as owner:
            owner.execute("UPDATE audit_epoch SET number = number - 1")


def test_a_cursor_behind_which_events_are_gone_is_gone(world: World) -> None:
    """What the trail dropped is known by its leaves: whoever had read it all goes on, others begin anew."""
    before = Feed(world.owner)
    world.document()
    feed = Feed(world.owner)
    page = world.document()
    events_seal()
    with psycopg.connect(SERVERS.superuser_url()) as owner:
        last = Event.objects.filter(action="document.created").earliest("sequence").sequence
        owner.execute("SET session_replication_role = replica")
        owner.execute("DELETE FROM audit_event WHERE sequence <= %s", [last])
    for query in ("", f"?cursor={before.cursor}"):
        answer = world.owner.get(f"changes/{query}")
        assert (answer.status_code, answer.json()["code"]) == (410, "resync")
    assert feed.told() == [("document.created", page, "changed")]
    feed.cursor = answer.json()["cursor"]
    assert feed.told() == []
    world.ok(world.act(page, "lock"))
    assert feed.told() == [("document.locked", page, "changed")]


def test_strangers_are_told_nothing(world: World) -> None:
    """Neither writes nor rights nor a purge of what somebody never saw are theirs."""
    stranger, friend = world.client_for(), world.client_for()
    feed = Feed(stranger)
    page = world.document()
    other = world.document()
    world.ok(world.act(page, "move", parent=other))
    world.grant(page, friend, "viewer")
    world.ok(world.act(page, "unpublish"))
    world.ok(world.act(other, "trash"))
    world.ok(world.owner.delete(f"documents/{other}/"), 204)
    assert feed.told() == []
    assert world.ok(stranger.get(f"changes/?workspace={world.workspace}"))["results"] == []
    assert world.ok(stranger.get(f"changes/?workspace={ABSENT}"))["results"] == []


def test_a_late_commit_is_never_skipped(world: World) -> None:
    """While a writer with a lower number is open, nothing beyond it is given out; then all comes."""
    feed = Feed(world.owner)
    first = world.document("First")
    with psycopg.connect(SERVERS.superuser_url()) as writer:
        row = writer.execute(
            "SELECT sequence FROM cs_audit_record(%s::jsonb)", [_update(first, world.workspace)]
        ).fetchone()
        assert row is not None
        second = world.document("Second")
        assert feed.told() == [("document.created", first, "changed")]
        assert feed.told() == []
        writer.commit()
    late, early = feed.more()
    assert (late["sequence"], late["id"]) == (row[0], first)
    assert (early["sequence"] > row[0], early["id"]) == (True, second)


def _update(document: str, workspace: str) -> str:
    """An event as the trail takes it: a document was changed."""
    target = Target("document", uuid.UUID(document), "Page")
    return json.dumps([entry_row(Entry(None, "document.updated", target, uuid.UUID(workspace)))], default=str)


def test_a_grant_opens_and_closes_a_subtree(world: World) -> None:
    """Given, it is read anew with all below it; taken, it is one tombstone for all of it."""
    page = world.document()
    world.document(parent=page)
    friend = world.client_for()
    feed = Feed(friend)
    grant = world.grant(page, friend, "viewer")
    assert feed.told() == [("grant.set", page, "anew")]
    world.ok(world.owner.delete(f"documents/{page}/grants/{grant['id']}/"), 204)
    (entry,) = feed.more()
    assert (entry["id"], said(entry), entry["subtree"]) == (page, "gone", True)


def test_a_place_below_that_is_still_seen_follows(world: World) -> None:
    """A root that is lost is followed by what below it stays in sight."""
    page = world.document()
    child = world.document(parent=page)
    inner = world.document(parent=child)
    friend = world.client_for()
    grant = world.grant(page, friend, "viewer")
    world.grant(inner, friend, "viewer")
    feed = Feed(friend)
    world.ok(world.owner.delete(f"documents/{page}/grants/{grant['id']}/"), 204)
    assert feed.told() == [("grant.removed", page, "gone"), ("grant.removed", inner, "anew")]


def test_a_membership_that_ends_is_one_of_type_workspace(world: World) -> None:
    """And what the person still sees inside follows."""
    friend = world.client_for()
    member = world.ok(world.add(friend, "viewer"), 201)
    page = world.document()
    feed = Feed(friend)
    world.ok(world.owner.delete(f"workspaces/{world.workspace}/members/{member['id']}/"), 204)
    world.grant(page, friend, "viewer")
    entries = feed.more()
    assert [(row["type"], row["id"], said(row)) for row in entries] == [
        ("workspace", world.workspace, "gone"),
        ("document", page, "anew"),
        ("document", page, "anew"),
    ]
    assert entries[0]["subtree"]


@pytest.mark.parametrize("what", ["unpublish", "cut"])
def test_a_cut_takes_it_from_who_saw_it_by_its_place(world: World, what: str) -> None:
    """A member loses it, and gets it again when the cut ends."""
    friend = world.member("viewer")
    page = world.document()
    feed = Feed(friend)
    if what == "cut":
        world.ok(world.owner.patch(f"documents/{page}/", {"inherits_access": False}))
    else:
        world.ok(world.act(page, "unpublish"))
    assert [row[1:] for row in feed.told()] == [(page, "gone")]
    if what == "cut":
        world.ok(world.owner.patch(f"documents/{page}/", {"inherits_access": True}))
    else:
        world.ok(world.act(page, "publish"))
    assert [row[1:] for row in feed.told()] == [(page, "anew")]


def test_a_move_out_of_sight_is_a_tombstone(world: World) -> None:
    """Whoever saw it by the workspace loses it below what is closed, without its new place."""
    friend = world.member("viewer")
    closed = world.document(state="draft")
    page = world.document()
    feed = Feed(friend)
    world.ok(world.act(page, "move", parent=closed))
    assert feed.told() == [("document.moved", page, "gone")]


def test_a_move_to_another_workspace_names_the_one_that_it_left(world: World) -> None:
    """The tombstone's workspace is that of before."""
    friend = world.member("viewer")
    page = world.document()
    other = world.ok(world.owner.post("workspaces/", {"name": "Other"}), 201)["id"]
    feed = Feed(friend)
    narrowed = Feed(world.owner, f"&workspace={world.workspace}")
    world.ok(world.act(page, "move", workspace=other, parent=None))
    (entry,) = feed.more()
    assert (entry["id"], said(entry), entry["workspace"]) == (page, "gone", world.workspace)
    assert narrowed.told() == [("document.moved", page, "gone")]


def test_trash_restore_and_purge(world: World) -> None:
    """Out of sight, back, and gone for good."""
    friend = world.member("viewer")
    page = world.document()
    feed = Feed(friend)
    world.ok(world.act(page, "trash"))
    assert feed.told() == [("document.trashed", page, "gone")]
    world.ok(world.act(page, "restore"))
    assert feed.told() == [("document.restored", page, "anew")]
    world.ok(world.act(page, "trash"))
    world.ok(world.owner.delete(f"documents/{page}/"), 204)
    # The trash is judged by now: what was purged is no more than its purge.
    assert feed.told() == [("document.purged", page, "gone")]


def test_a_purge_is_told_to_who_was_granted_it(world: World) -> None:
    """Also to who saw nothing but a place below it, by the rights that went with it."""
    friend = world.client_for()
    page = world.document()
    child = world.document(parent=page)
    world.grant(child, friend, "viewer")
    feed = Feed(friend)
    world.ok(world.act(page, "trash"))
    world.ok(world.owner.delete(f"documents/{page}/"), 204)
    assert feed.told() == [("document.purged", child, "gone")]


def test_a_workspace_that_is_deleted_is_one_tombstone(world: World) -> None:
    """For its members and for who was granted something in it."""
    friend, member = world.client_for(), world.member("viewer")
    world.grant(world.document(), friend, "viewer")
    feeds = [Feed(friend), Feed(member), Feed(world.client_for())]
    world.ok(world.owner.delete(f"workspaces/{world.workspace}/"), 204)
    gone = [("workspace.deleted", world.workspace, "gone")]
    assert [feed.told() for feed in feeds] == [gone, gone, []]


def test_a_team_opens_and_closes_what_it_was_granted(world: World) -> None:
    """For whoever joins and leaves, by an entry for each place."""
    friend = world.member("viewer")
    page = world.document(state="draft")
    team = world.ok(world.owner.post("teams/", {"name": "Team"}), 201)["id"]
    world.ok(world.owner.post(f"documents/{page}/grants/", {"team": team, "role": "viewer"}), 201)
    feed = Feed(friend)
    world.ok(world.owner.post(f"teams/{team}/members/", {"user": uid_of(friend)}), 201)
    assert feed.told() == [("team_member.added", page, "anew")]
    world.ok(world.owner.delete(f"teams/{team}/members/{uid_of(friend)}/"), 204)
    assert feed.told() == [("team_member.removed", page, "gone")]


def test_a_team_opens_and_closes_a_workspace(world: World) -> None:
    """By one entry of type workspace."""
    friend = world.member("viewer")
    room = world.ok(world.owner.post("workspaces/", {"name": "Other"}), 201)["id"]
    team = world.ok(world.owner.post("teams/", {"name": "Team"}), 201)["id"]
    world.ok(world.owner.post(f"workspaces/{room}/members/", {"team": team, "role": "viewer"}), 201)
    feed = Feed(friend)
    world.ok(world.owner.post(f"teams/{team}/members/", {"user": uid_of(friend)}), 201)
    assert feed.told() == [("team_member.added", room, "anew")]
    world.ok(world.owner.delete(f"teams/{team}/members/{uid_of(friend)}/"), 204)
    assert feed.told() == [("team_member.removed", room, "gone")]


def test_a_team_that_is_deleted_closes_what_it_was_granted(world: World) -> None:
    """Though nobody is in it any more when that is read."""
    friend = world.member("viewer")
    page = world.document(state="draft")
    team = world.ok(world.owner.post("teams/", {"name": "Team"}), 201)["id"]
    world.ok(world.owner.post(f"documents/{page}/grants/", {"team": team, "role": "viewer"}), 201)
    world.ok(world.owner.post(f"teams/{team}/members/", {"user": uid_of(friend)}), 201)
    feed = Feed(friend)
    world.ok(world.owner.delete(f"teams/{team}/"), 204)
    assert feed.told() == [("grant.removed", page, "gone")]


def test_much_of_others_is_paged_through(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page looks at a window of the trail: it may be empty and yet lead on, by `next` and by its cursor."""
    monkeypatch.setattr(changes, "WINDOW", 4)
    friend = world.client_for()
    page = world.document()
    world.grant(page, friend, "viewer")
    feed = Feed(friend)
    for _ in range(10):
        world.document()
    world.ok(world.act(page, "lock"))
    answer = world.ok(friend.get(f"changes/?cursor={feed.cursor}"))
    assert answer["results"] == []
    assert answer["next"] is not None
    assert answer["cursor"] != feed.cursor
    assert feed.told() == [("document.locked", page, "changed")]


def test_many_of_ones_own_come_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many of them are judged at once, each comes once and in its order."""
    monkeypatch.setattr(changes, "_MOST_JUDGED", 3)
    feed = Feed(world.owner)
    pages = [world.document(f"Page {number}") for number in range(7)]
    assert [row["id"] for row in feed.more()] == pages


def test_a_page_takes_few_statements(world: World) -> None:
    """Sign-in, what has settled, the rights of now, and the window."""
    feed = Feed(world.owner)
    for number in range(20):
        world.document(f"Page {number}")
    with statements(4):
        assert len(world.ok(world.owner.get(f"changes/?cursor={feed.cursor}"))["results"]) == 20


def test_the_window_is_read_along_the_order_of_the_trail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many events behind the cursor only those of the window are read, by the index of the order."""
    monkeypatch.setattr(changes, "WINDOW", 50)
    feed, asked = Feed(world.owner), []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        asked.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as writer:
        writer.execute(_MANY, [world.document(), world.workspace])
        writer.execute("ANALYZE audit_event")
    with connection.execute_wrapper(note):
        feed.more()
    order = next(sql for sql, _ in asked if "enable_sort" in sql)
    sql, parameters = next((sql, given) for sql, given in asked if "happened" in sql)
    with transaction.atomic(), connection.cursor() as statement:
        statement.execute(order)
        statement.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters)
        ((plan,),) = statement.fetchall()
    nodes = list(_nodes(json.loads(plan)[0]["Plan"] if isinstance(plan, str) else plan[0]["Plan"]))
    scans = [node for node in nodes if node.get("Relation Name", "").startswith("audit_event_")]
    assert scans
    assert sum(node["Actual Rows"] for node in scans) <= 60


_MANY = """
INSERT INTO audit_event (epoch, xid, at, actor_kind, credential_kind, request_id, action, target_type,
                         target_uid, workspace_uid, facts, count, detail_hash)
SELECT 1, 1, now(), 'user', '', '', 'document.updated', 'document', %s::uuid, %s::uuid, '{}', 1, ''
FROM generate_series(1, 3000)
"""


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
