"""POST audit/events/export/: the trail as a file, and what its verification finds in a forged one."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pymerkle
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from audit.checkpoints import checkpoint_read
from audit.models import Event
from audit.services import Entry, Target, events_record, events_seal
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_run
from tests.accounts.factories import user_make
from tests.jobs.factories import person

ClientFor = Callable[..., Any]
Change = Callable[[dict[str, Any]], None]

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "audit/events/export/"


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: pathlib.Path) -> pathlib.Path:
    """Folders of the test's own; workers know all kinds of jobs."""
    autoload()
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def auditor(client_for: ClientFor) -> Any:
    """A client of somebody in the role of auditors."""
    return client_for(user_make(role="auditor"))


def sealed(*names: str) -> list[int]:
    """A sealed event for each name of a target, by number."""
    with transaction.atomic():
        events = events_record(
            [Entry(person(), "x.made", Target("x", None, name), facts={"n": 1}) for name in names]
        )
    assert events_seal()
    return [event.sequence for event in events]


def exported(auditor: Any, **body: Any) -> bytes:
    """The file that a worker made."""
    answer = auditor.post(PATH, body)
    assert answer.status_code == 202, answer.content
    job_run("slow", answer.json()["id"])
    job = auditor.get(f"jobs/{answer.json()['id']}/").json()
    assert job["state"] == "succeeded", job
    found = auditor.get(job["result"]["url"])
    assert found.status_code == 200
    return b"".join(found.streaming_content)


def test_export_as_ndjson_verifies(auditor: Any, data: pathlib.Path) -> None:
    """Each line has the event, what was sealed of it, and the proof that it stands in the signed log."""
    numbers = sealed(*"abcde")
    archive = data / "events.ndjson"
    archive.write_bytes(exported(auditor, format="ndjson", action="x.made"))
    first, *events = [json.loads(line) for line in archive.read_text().splitlines()]
    assert [entry["event"]["sequence"] for entry in events] == numbers
    assert checkpoint_read(first["checkpoint"]).size > len(numbers)
    out = io.StringIO()
    call_command("verify_audit", archive=archive, stdout=out)
    assert out.getvalue().startswith("5 events are what was sealed")


def test_export_packed_by_gzip_verifies(auditor: Any, data: pathlib.Path) -> None:
    """As archives are kept."""
    sealed("a")
    archive = data / "events.ndjson.gz"
    archive.write_bytes(gzip.compress(exported(auditor, action="x.made")))
    call_command("verify_audit", archive=archive, stdout=io.StringIO())


def test_export_agrees_with_a_tree_of_another_make(auditor: Any) -> None:
    """A library (pymerkle) makes the same root and the same proofs of the leaves."""
    sealed(*"abcdefg")
    first, *events = [json.loads(line) for line in exported(auditor).splitlines()]
    checkpoint = checkpoint_read(first["checkpoint"])
    proven = [entry for entry in events if entry["leaf_index"] is not None]
    proven.sort(key=lambda entry: entry["leaf_index"])
    tree = pymerkle.InmemoryTree.init_from_entries([entry["leaf"].encode() for entry in proven])
    assert tree.get_root(checkpoint.size) == checkpoint.root
    for entry in proven:
        proof = tree.prove_inclusion(entry["leaf_index"] + 1, checkpoint.size)
        ours = {base64.b64decode(found) for found in entry["hashes"]}
        assert ours == set(proof.path) - {tree.get_leaf(entry["leaf_index"] + 1)}


def _other_action(entry: dict[str, Any]) -> None:
    entry["event"]["action"] = "x.other"


def _other_leaf(entry: dict[str, Any]) -> None:
    entry["event"]["action"] = "x.other"
    entry["leaf"] = entry["leaf"].replace("x.made", "x.other")


def _other_detail(entry: dict[str, Any]) -> None:
    entry["detail"]["body"] = entry["detail"]["body"].replace("Ann", "Bob")


def _other_address(entry: dict[str, Any]) -> None:
    entry["event"]["address"] = "192.0.2.99"


def _forged_proof(entry: dict[str, Any]) -> None:
    entry["hashes"][0] = base64.b64encode(bytes(32)).decode()


def _other_place(entry: dict[str, Any]) -> None:
    entry["leaf_index"] += 1


@pytest.mark.parametrize(
    "change", [_other_action, _other_leaf, _other_detail, _other_address, _forged_proof, _other_place]
)
def test_find_what_was_changed_in_an_archive(auditor: Any, data: pathlib.Path, change: Change) -> None:
    """Whatever was changed, the entry is named."""
    numbers = sealed(*"abc")
    lines = exported(auditor, action="x.made").splitlines()
    entry = json.loads(lines[2])
    change(entry)
    lines[2] = json.dumps(entry).encode()
    archive = data / "events.ndjson"
    archive.write_bytes(b"\n".join(lines))
    out = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("verify_audit", archive=archive, stdout=out)
    assert refused.value.returncode == 1
    assert out.getvalue().startswith(f"sequence {numbers[1]}: altered")


def test_find_a_swapped_archive(auditor: Any, data: pathlib.Path, settings: Any) -> None:
    """One of another log, by another key, proves nothing."""
    sealed("a")
    archive = data / "events.ndjson"
    archive.write_bytes(exported(auditor))
    settings.KEY_RING = settings.KEY_RING.fresh(Event.objects.latest("sequence").at)
    with pytest.raises(CommandError, match="no known key signed it"):
        call_command("verify_audit", archive=archive, stdout=io.StringIO())


def test_export_as_csv_is_no_formula(auditor: Any) -> None:
    """A cell that a spreadsheet would calculate begins with an apostrophe."""
    sealed('=HYPERLINK("x")', "+1", "plain")
    rows = list(csv.DictReader(io.StringIO(exported(auditor, format="csv", action="x.made").decode())))
    assert [row["target_name"] for row in rows] == ['\'=HYPERLINK("x")', "'+1", "plain"]


def test_export_is_on_the_record(auditor: Any) -> None:
    """Who took what along."""
    exported(auditor, format="csv", action="x.made")
    event = Event.objects.select_related("detail").get(action="audit.exported")
    assert event.actor_uid == auditor.user.uid
    assert event.detail.content["changes"] == {"action": {"before": None, "after": "x.made"}}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"format": "xml"}, "/format"),
        ({"actor": "x"}, "/actor"),
        ({"at__gte": "yesterday"}, "/at__gte"),
        ({"address": "nowhere"}, "/address"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_export_with_a_bad_filter(auditor: Any, body: dict[str, Any], pointer: str) -> None:
    """Each fault is named, and no job is made."""
    answer = auditor.post(PATH, body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_export_by_who_may_only_read(client_for: ClientFor) -> None:
    """A right of its own."""
    assert client_for(user_make()).post(PATH, {}).status_code == 403
