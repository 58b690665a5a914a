"""manage.py archive_audit: old ranges leave the database for files, and the trail stays whole."""

from __future__ import annotations

import base64
import gzip
import io
import json
import pathlib
from typing import Any

import psycopg
import pytest
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit.models import Archive, Event, EventDetail, EventLeaf
from audit.services import Entry, Target, events_record, events_seal
from audit.services.events import entry_row
from tests.audit.archive_tools import (
    WIDTH,
    Attacker,
    Ranges,
    archive,
    as_owner,
    attacker,
    data,
    ranges,
    room,
    sealed,
    verify,
)
from tests.conftest import SERVERS
from tests.jobs.factories import operator

__all__ = ["attacker", "data", "ranges", "room"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]


@pytest.fixture
def old(ranges: Ranges) -> list[int]:
    """Events of a range that is due, by number."""
    numbers = sealed(5)
    ranges.end()
    sealed(2)
    return numbers


def refused(**options: Any) -> str:
    """Why the command archived nothing; its exit code is 1."""
    with pytest.raises(CommandError) as found:
        archive(**options)
    assert found.value.returncode == 1
    return str(found.value)


def fault() -> str:
    """The first of what verification names."""
    with pytest.raises(CommandError) as found:
        verify()
    assert found.value.returncode == 1
    return str(found.value).rpartition(":")[0]


def file_of(folder: pathlib.Path) -> pathlib.Path:
    """The one archive's file."""
    return folder / "media" / Archive.objects.get().path


def test_range_becomes_a_file(old: list[int], data: pathlib.Path) -> None:
    """Its events and details are gone from the database, leaves stay; the file has each with its proof."""
    assert f"5 events in audit/events-{old[0] // WIDTH * WIDTH}-" in archive()
    for model, column in ((Event, "sequence"), (EventDetail, "event_id")):
        assert not model.objects.filter(**{f"{column}__in": old}).exists()
    assert EventLeaf.objects.filter(sequence__in=old).count() == 5
    with gzip.open(file_of(data)) as lines:
        _, *entries = [json.loads(line) for line in lines]
    assert [entry["event"]["sequence"] for entry in entries] == old
    assert verify(archive=file_of(data)).startswith("5 events are what was sealed")


def test_archiving_is_on_the_record(old: list[int], data: pathlib.Path) -> None:
    """Which range, how many events, which root, and the digest of the file."""
    archive()
    event, row = Event.objects.select_related("detail").get(action="audit.archived"), Archive.objects.get()
    assert (event.actor_kind, event.detail.content["actor"]) == ("command", "archive_audit")
    assert event.detail.content["target"] == row.path
    assert event.facts["first_sequence"] <= old[0] <= old[-1] <= event.facts["last_sequence"]
    assert (event.facts["events"], event.facts["sha256"]) == (5, bytes(row.sha256).hex())
    assert base64.b64decode(event.facts["root"])


def test_trail_stays_whole(old: list[int]) -> None:
    """Verification reads archived events from their archive, before and after the record is sealed."""
    archive()
    assert "7 events are what was sealed" in verify()
    events_seal()
    assert "; 5 of them stand in archives; of 0" in verify()


def test_order_of_commits_differs_from_numbers(ranges: Ranges) -> None:
    """An event that was committed late has a later leaf than its neighbours, in the file as well."""
    with psycopg.connect(SERVERS.superuser_url()) as late:
        row = entry_row(Entry(operator(), "x.late", Target("x", None, "x")))
        late.execute("SELECT cs_audit_record(%s::jsonb)", [json.dumps([row], default=str)])
        with transaction.atomic():
            events_record([Entry(operator(), "x.made", Target("x", None, "x"))] * 3)
    sealed(1)
    ranges.end()
    sealed(1)
    archive()
    assert "; 5 of them stand in archives" in verify()


def test_several_ranges_go_oldest_first(ranges: Ranges) -> None:
    """Each into a file of its own, and the record of the first may go with a later one."""
    for _ in range(2):
        sealed(3)
        ranges.end()
        ranges.begin()
    sealed(1)
    assert archive().count("SHA-256") == 2
    events_seal()
    ranges.end()
    sealed(1)
    assert archive().count("SHA-256") == 1
    assert Event.objects.filter(action="audit.archived").count() == 1
    assert "; 9 of them stand in archives" in verify()


def test_nothing_goes_by_default(old: list[int], settings: Any) -> None:
    """Without a retention events stay for ever."""
    settings.AUDIT_RETENTION = 0
    assert "for ever" in archive()
    assert Event.objects.filter(sequence__in=old).count() == 5


def test_young_events_stay(old: list[int], settings: Any) -> None:
    """One event within the retention keeps its range."""
    settings.AUDIT_RETENTION = 86_400
    assert archive() == "No range is due.\n"


def test_unsealed_events_stay(ranges: Ranges) -> None:
    """A range whose last event has no leaf yet waits."""
    sealed(2)
    with transaction.atomic():
        events_record([Entry(operator(), "x.made", Target("x", None, "x"))])
    ranges.end()
    with transaction.atomic():
        events_record([Entry(operator(), "x.made", Target("x", None, "x"))])
    assert archive() == "No range is due.\n"


def test_range_that_still_fills_stays(ranges: Ranges) -> None:
    """However old what is in it."""
    sealed(2)
    assert archive() == "No range is due.\n"


def test_dry_run_only_says(old: list[int]) -> None:
    """Which ranges would go."""
    assert archive(dry_run=True) == (
        f"Sequences {old[0] // WIDTH * WIDTH} to {old[0] // WIDTH * WIDTH + WIDTH - 1} would go.\n"
    )
    assert Event.objects.filter(sequence__in=old).count() == 5


def test_application_can_drop_nothing(old: list[int]) -> None:
    """Neither by the function, nor by hand, nor a row of the archives' table."""
    (child,) = {f"audit_event_r{number // WIDTH}" for number in old}
    for statement in (
        "SELECT cs_audit_archive('{}', '{}')",
        f"DROP TABLE {child}",
        f"ALTER TABLE audit_event DETACH PARTITION {child}",
        "UPDATE audit_archive SET path = ''",
        "DELETE FROM audit_archive",
    ):
        with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), transaction.atomic():
            connection.cursor().execute(statement)


def test_command_by_the_application_writes_nothing(old: list[int], data: pathlib.Path) -> None:
    """Where no owner is named it says so before it works for an hour."""
    with pytest.raises(CommandError, match="DATABASE_OWNER_URL"):
        call_command("archive_audit")
    assert not (data / "media" / "audit").exists()


def test_file_that_the_storage_spoilt_drops_nothing(
    old: list[int], data: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read back is verified first; the spoilt file goes."""
    save = default_storage.save

    def spoilt(name: str, content: Any) -> str:
        return save(name, File(io.BytesIO(content.read()[:-1] + b"x")))

    monkeypatch.setattr(default_storage, "save", spoilt)
    assert "is not the file that was recorded" in refused()
    assert Event.objects.filter(sequence__in=old).count() == 5
    assert not list((data / "media" / "audit").iterdir())


def test_range_that_somebody_altered_is_not_archived(old: list[int], attacker: Attacker) -> None:
    """The file would not prove what the leaves say; nothing goes, and verification names it."""
    attacker.execute("UPDATE audit_event SET action = 'x.other' WHERE sequence = %s", [old[2]])
    assert "doesn't prove what it holds" in refused()
    assert fault() == f"sequence {old[2]}: altered"


def test_range_with_a_deleted_event_is_not_archived(old: list[int], attacker: Attacker) -> None:
    """What is missing must not pass as archived."""
    for table in ("audit_event", "audit_eventdetail"):
        attacker.execute(f"DELETE FROM {table} WHERE sequence = %s".encode(), [old[1]])
    assert "doesn't hold every event" in refused()
    assert fault() == f"sequence {old[1]}: missing"


def test_long_reader_is_not_waited_for(old: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers must not queue behind the drop: it lets go, says so, and the range is as it was."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('cs_audit_archive'::regproc)")
        definition: str = cursor.fetchone()[0]
        hasty = definition.replace("20..1", "2..1").replace("'200ms'", "'20ms'").replace("0.1", "0.01")
        cursor.execute(hasty)
    try:
        with psycopg.connect(SERVERS.superuser_url()) as reader:
            reader.execute("SELECT count(*) FROM audit_event")
            assert "without a pause" in refused()
        assert Event.objects.filter(sequence__in=old).count() == 5
    finally:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(definition)
    assert "5 events" in archive()


def test_two_at_once(old: list[int]) -> None:
    """The second is sent away and touches nothing."""
    with psycopg.connect(SERVERS.superuser_url()) as first:
        first.execute("SELECT pg_advisory_lock(hashtextextended('audit.archive', 0))")
        assert "somebody else archives" in refused()


def test_find_a_range_that_was_dropped_by_hand(old: list[int], attacker: Attacker) -> None:
    """Without a record what is gone is missing, the first by name."""
    number = old[0] // WIDTH
    attacker.execute(f"DROP TABLE audit_event_r{number}, audit_eventdetail_r{number}".encode())
    assert fault() == f"sequence {old[0]}: missing"


def test_find_a_range_that_is_only_said_to_be_archived(old: list[int], attacker: Attacker) -> None:
    """A row in the table of archives, with a record or not, is no archive."""
    number = old[0] // WIDTH
    attacker.execute(f"DROP TABLE audit_event_r{number}, audit_eventdetail_r{number}".encode())
    attacker.execute(
        """INSERT INTO audit_archive (first_sequence, last_sequence, events, erased, tree_size, path, size,
           sha256, archived_at) VALUES (%s, %s, 5, 0, 7, 'audit/none', 9, sha256('x'), now())""",
        [number * WIDTH, (number + 1) * WIDTH - 1],
    )
    with transaction.atomic():
        facts = {"sha256": "x"}
        events_record([Entry(operator(), "audit.archived", Target("archive", None, "x"), facts=facts)])
    assert fault() == f"sequence {number * WIDTH}: missing"


def test_find_an_archive_without_its_record(old: list[int], attacker: Attacker) -> None:
    """Whoever takes the record away is found, however good the file is."""
    archive()
    attacker.execute("DELETE FROM audit_event WHERE action = 'audit.archived'")
    assert fault() == f"sequence {Archive.objects.get().first_sequence}: missing"


def test_find_an_archive_that_is_gone(old: list[int], data: pathlib.Path) -> None:
    """Its range is named, once."""
    archive()
    file_of(data).unlink()
    with pytest.raises(CommandError, match="the first of 1 bad"):
        verify()


@pytest.mark.parametrize("in_table", [False, True], ids=["file", "file-and-table"])
def test_find_an_altered_archive(
    old: list[int], data: pathlib.Path, attacker: Attacker, *, in_table: bool
) -> None:
    """Whether its digest in the table was altered along or not."""
    archive()
    path = file_of(data)
    with gzip.open(path) as lines:
        text = lines.read().replace(b"x.made", b"x.mode")
    path.write_bytes(gzip.compress(text))
    if in_table:
        attacker.execute(
            "UPDATE audit_archive SET sha256 = sha256(%s), size = %s",
            [path.read_bytes(), path.stat().st_size],
        )
    first = Archive.objects.get().first_sequence
    assert fault() == f"sequence {first}: {'missing' if in_table else 'altered'}"
