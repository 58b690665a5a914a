"""What the API says of events that were archived, and that all else goes on behind them."""

from __future__ import annotations

import base64
import gzip
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from audit import merkle
from audit.models import Archive, Event
from audit.services import events_seal
from tests.accounts.factories import user_make
from tests.audit.archive_tools import Ranges, archive, data, ranges, room, sealed
from tests.documents.api.test_changes import Feed
from tests.documents.world import World
from tests.fixtures import ApiClient, client_make

ClientFor = Callable[..., Any]

__all__ = ["data", "ranges", "room"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]


@pytest.fixture
def auditor(ranges: Ranges) -> ApiClient:
    """A client of somebody in the role of auditors."""
    return client_make(user_make(role="auditor"))


@pytest.fixture
def old(ranges: Ranges, auditor: ApiClient) -> list[int]:
    """Archived events, by number."""
    numbers = sealed(5)
    ranges.end()
    sealed(2)
    archive()
    events_seal()
    return numbers


def test_read_archived_event_is_410(
    auditor: ApiClient, old: list[int], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The answer says where it went."""
    with django_assert_num_queries(5):
        answer = auditor.get(f"audit/events/{old[0]}/")
    row = Archive.objects.get()
    assert (answer.status_code, answer.json()["code"]) == (410, "event_archived")
    assert answer.json()["archive"] == {
        "first_sequence": row.first_sequence,
        "last_sequence": row.last_sequence,
        "events": row.events,
        "path": row.path,
        "sha256": bytes(row.sha256).hex(),
        "archived_at": answer.json()["archive"]["archived_at"],
    }


def test_read_number_of_an_archived_range_that_was_none_is_404(auditor: ApiClient, old: list[int]) -> None:
    """A number that was drawn by nobody, or rolled back, stays absent; so does its proof."""
    absent = Archive.objects.get().first_sequence + 7
    assert auditor.get(f"audit/events/{absent}/").status_code == 404
    assert auditor.get(f"audit/events/{absent}/proof/").status_code == 404


def test_archived_event_is_nobody_elses(old: list[int]) -> None:
    """Who may not read the trail isn't told that there was one."""
    assert client_make(user_make()).get(f"audit/events/{old[0]}/").status_code == 403


def test_lists_and_exports_go_on_behind_the_archive(auditor: ApiClient, old: list[int]) -> None:
    """The newest first, down to the first that is still there."""
    rows = auditor.get("audit/events/?action=x.made").json()["results"]
    assert len(rows) == 2
    assert min(row["sequence"] for row in rows) > Archive.objects.get().last_sequence


def test_proof_of_an_archived_event(auditor: ApiClient, old: list[int], data: pathlib.Path) -> None:
    """The archive has the leaf, the API the way from its hash to the newest root."""
    proof = auditor.get(f"audit/events/{old[2]}/proof/").json()
    with gzip.open(data / "media" / Archive.objects.get().path) as lines:
        kept = {entry["event"]["sequence"]: entry for entry in map(json.loads, list(lines)[1:])}
    hashed = merkle.leaf_hash(kept[old[2]]["leaf"].encode())
    assert (proof["leaf"], base64.b64decode(proof["leaf_hash"])) == (None, hashed)
    path = [base64.b64decode(found) for found in proof["hashes"]]
    root = merkle.root_by_inclusion(hashed, proof["leaf_index"], proof["tree_size"], path)
    assert root == base64.b64decode(proof["root"])


def test_consistency_over_an_archive(auditor: ApiClient, old: list[int]) -> None:
    """Whoever kept a checkpoint of before sees that the log goes on from it."""
    body = auditor.get("audit/consistency/?from=3").json()
    roots = base64.b64decode(body["from_root"]), base64.b64decode(body["to_root"])
    path = [base64.b64decode(found) for found in body["hashes"]]
    assert merkle.is_consistent(body["from"], body["to"], *roots, path)


def test_followers_and_histories_end_at_the_archive(ranges: Ranges, client_for: ClientFor) -> None:
    """A cursor of before is 410 `resync`, one behind it leads on; a history begins where the trail does."""
    world = World(client_for)
    before = Feed(world.owner)
    page = world.document()
    feed = Feed(world.owner)
    events_seal()
    ranges.end()
    world.ok(world.act(page, "lock"))
    events_seal()
    archive()
    answer = world.owner.get(f"changes/?cursor={before.cursor}")
    assert (answer.status_code, answer.json()["code"]) == (410, "resync")
    assert world.owner.get("changes/").status_code == 410
    assert feed.told() == [("document.locked", page, "changed")]
    rows = world.ok(world.owner.get(f"documents/{page}/history/"))["results"]
    assert [row["action"] for row in rows] == ["document.locked"]
    assert not Event.objects.filter(action="document.created").exists()
