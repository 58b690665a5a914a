"""POST users/{id}/erase/ where what concerns the person lies in archives, too."""

from __future__ import annotations

import gzip
import json
import pathlib
from typing import Any

import psycopg
import pytest
from django.db import transaction

from accounts.models import User
from accounts.queues import PERSON_ERASE
from accounts.roles import ADMINISTRATOR
from audit.models import Archive, Event
from audit.services import Entry, Target, events_record, events_seal
from cloudscribe.jobs.claims import retry_delay
from cloudscribe.jobs.registry import max_attempts_of
from cloudscribe.jobs.runner import job_run
from tests.accounts.factories import user_make
from tests.audit.archive_tools import Ranges, archive, data, ranges, room, sealed, verify
from tests.conftest import SERVERS
from tests.fixtures import ApiClient, client_make
from tests.jobs.factories import operator, person

__all__ = ["data", "ranges", "room"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]
NAME = "Ludmilla Tester"


@pytest.fixture
def administrator(ranges: Ranges) -> ApiClient:
    """Somebody who may delete and erase, with a fresh proof."""
    return client_make(user_make(role=ADMINISTRATOR))


@pytest.fixture
def gone(ranges: Ranges, administrator: ApiClient) -> User:
    """A deleted person who acted, was named and was the target in archived events."""
    user = user_make(name=NAME)
    entries = [
        Entry(person(user.uid, name=NAME), "x.acted", Target("x", None, "x")),
        Entry(operator(), "x.named", Target("x", None, NAME), facts={"subjects": [str(user.uid)]}),
        Entry(operator(), "x.touched", Target("user", user.uid, NAME)),
        Entry(operator(), "x.foreign", Target("x", None, "somebody else")),
    ]
    with transaction.atomic():
        events_record(entries)
    events_seal()
    ranges.end()
    sealed(1)
    archive()
    assert administrator.post(f"users/{user.uid}/delete/", {}).status_code == 204
    return user


def erase(administrator: ApiClient, user: User) -> Any:
    """The job's end."""
    answer = administrator.post(f"users/{user.uid}/erase/", {"reason": "They asked for it"})
    assert answer.status_code == 202, answer.content
    job_run("slow", answer.json()["id"])
    return administrator.get(f"jobs/{answer.json()['id']}/").json()


def lines(folder: pathlib.Path) -> dict[str, Any]:
    """The entries of the one file that is there, by action."""
    (path,) = (folder / "media" / "audit").iterdir()
    with gzip.open(path) as found:
        return {entry["event"]["action"]: entry for entry in map(json.loads, list(found)[1:])}


def test_erase_leaves_nothing_in_archives(administrator: ApiClient, gone: User, data: pathlib.Path) -> None:
    """Details of what the person did, and of what is about them, go; all others and every leaf stay."""
    before = lines(data)
    assert erase(administrator, gone)["state"] == "succeeded"
    after = lines(data)
    assert NAME not in json.dumps(after)
    concerned = ("x.acted", "x.named", "x.touched")
    assert {name for name in before if after[name]["detail"] is None} >= set(concerned)
    assert after["x.foreign"] == before["x.foreign"]
    assert {name: entry["leaf"] for name, entry in after.items()} == {
        name: entry["leaf"] for name, entry in before.items()
    }


def test_erased_archive_verifies(administrator: ApiClient, gone: User, data: pathlib.Path) -> None:
    """The erasure's own event says which details are gone, and which file took the old one's place."""
    erase(administrator, gone)
    events_seal()
    assert f"{Archive.objects.earliest('id').events} of them stand in archives; of" in verify()
    record = Event.objects.get(action="person.erased", facts__has_key="sha256")
    newest = Archive.objects.latest("id")
    assert record.facts["sha256"] == bytes(newest.sha256).hex()
    assert newest.erased == Archive.objects.earliest("id").erased + len(record.facts["sequences"])
    assert verify(archive=data / "media" / newest.path)


def test_erase_again_removes_what_a_crash_left(
    administrator: ApiClient, gone: User, data: pathlib.Path
) -> None:
    """The file of before, whose successor is on the record, goes with the next try; no third is made."""
    old = data / "media" / Archive.objects.get().path
    kept = old.read_bytes()
    erase(administrator, gone)
    old.write_bytes(kept)
    assert erase(administrator, gone)["state"] == "succeeded"
    assert not old.exists()
    assert Archive.objects.count() == 2


def test_erase_waits_for_who_archives(administrator: ApiClient, gone: User) -> None:
    """A range that is about to be archived would slip through: the job comes again."""
    with psycopg.connect(SERVERS.superuser_url()) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('audit.archive', 0))")
        assert erase(administrator, gone)["state"] == "queued"
    assert Archive.objects.count() == 1


def test_erase_outlasts_who_archives_for_hours() -> None:
    """Whoever archives many ranges, or erases another person from them, takes long."""
    delays = [retry_delay(tries) for tries in range(1, max_attempts_of(PERSON_ERASE))]
    assert sum(delays) > 6 * 3600
