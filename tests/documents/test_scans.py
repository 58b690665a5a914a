"""Files under a virus scanner: held back, let go, kept apart."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Notification
from audit.models import Event
from cloudscribe.jobs import registry
from cloudscribe.jobs.claims import job_claim
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.runner import job_execute
from documents.models import Attachment, Blob
from documents.scanning import ScannerUnavailable
from documents.services.blob_work import blob_scan, blobs_unscanned
from tests.actors import command
from tests.documents.clamd import EICAR, FINDING, PROGRAM, clamd
from tests.documents.uploading import attach, body_of, picture, upload
from tests.documents.world import World

pytestmark = pytest.mark.django_db
needs_clamd = pytest.mark.skipif(PROGRAM is None, reason="clamd is not installed (Debian: clamav-daemon)")


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running clamd."""
    with clamd(tmp_path_factory.mktemp("clamd")) as address:
        yield address


@pytest.fixture
def absent(settings: Any) -> None:
    """A scanner that doesn't answer."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.CLAMAV_URL = f"tcp://127.0.0.1:{closed.getsockname()[1]}"


def jobs_do() -> list[tuple[str, str]]:
    """Do what waits among the slow jobs; their kinds and states."""
    registry.autoload()
    done = []
    while job := job_claim(worker="tests", queue="slow"):
        job_execute(job)
        done.append((job.kind, Job.objects.get(pk=job.pk).state))
    return done


def test_file_is_held_back_until_it_is_scanned(world: World, absent: None) -> None:
    """It is listed as `scanning` and given to nobody; its job is tried again while the scanner is away."""
    known = attach(world, world.document())
    assert known["state"] == "scanning"
    answer = world.owner.get(known["url"])
    assert (answer.status_code, answer.json()["code"]) == (409, "attachment_scanning")
    assert answer.headers["Retry-After"] == "5"
    assert jobs_do() == [("documents.blob_scan", JobState.QUEUED)]
    with pytest.raises(ScannerUnavailable):
        blob_scan(actor=command(), pk=Blob.objects.get().pk)
    assert world.ok(world.owner.get(f"attachments/{known['id']}/"))["state"] == "scanning"


def test_files_whose_job_failed_are_asked_for_again(world: World, absent: None) -> None:
    """The schedule brings them back, those that somebody still has."""
    page = world.document()
    attach(world, page)
    gone = attach(world, page, b"gone")
    world.owner.delete(f"attachments/{gone['id']}/")
    Job.objects.all().delete()
    assert blobs_unscanned(actor=command()) == 1
    assert Job.objects.get().payload == {"blob": Blob.objects.get(unused_since=None).pk}


def test_scanner_that_was_switched_off_holds_nothing_back(world: World, absent: None, settings: Any) -> None:
    """What waits is let go by its job."""
    known = attach(world, world.document())
    settings.CLAMAV_URL = ""
    assert blob_scan(actor=command(), pk=Blob.objects.get().pk) == "ready"
    assert body_of(world.owner.get(known["url"])) == b"some text"


@needs_clamd
def test_clean_file_is_let_go(world: World, scanner: str, settings: Any) -> None:
    """By clamd itself; then an image's pictures are asked for."""
    settings.CLAMAV_URL = scanner
    known = attach(world, world.document(), picture(), filename="x.png")
    assert jobs_do() == [
        ("documents.blob_scan", JobState.SUCCEEDED),
        ("documents.thumbnails", JobState.SUCCEEDED),
    ]
    assert world.ok(world.owner.get(f"attachments/{known['id']}/"))["state"] == "ready"
    assert world.owner.get(known["url"] + "?size=256").headers["Content-Type"] == "image/webp"


@needs_clamd
def test_infected_file_is_kept_apart(world: World, scanner: str, settings: Any) -> None:
    """Nobody gets it, the trail has it, whoever attached it is told, and it can't be brought again."""
    settings.CLAMAV_URL = scanner
    page, editor = world.document(), world.member("editor")
    known = world.ok(upload(editor, page, EICAR, filename="eicar.com"), 201)
    other = attach(world, world.document(), EICAR)
    assert jobs_do() == [("documents.blob_scan", JobState.SUCCEEDED)]
    for each in (known, other):
        answer = world.owner.get(each["url"])
        assert (answer.status_code, answer.json()["code"]) == (409, "attachment_infected")
    assert world.ok(editor.get(f"attachments/{known['id']}/"))["state"] == "infected"
    assert Blob.objects.get().finding.startswith(FINDING)
    events = Event.objects.filter(action="attachment.infected")
    assert {str(event.target_uid) for event in events} == {known["id"], other["id"]}
    told = Notification.objects.filter(kind="attachment.infected").values_list("user", flat=True)
    assert set(told) == {editor.user.pk, world.owner.user.pk}
    again = upload(editor, page, EICAR)
    assert (again.status_code, again.json()["code"]) == (409, "attachment_infected")
    assert Attachment.objects.count() == 2
    assert editor.delete(f"attachments/{known['id']}/").status_code == 204


@needs_clamd
def test_file_beyond_the_scanners_limit_stays_held_back(world: World, scanner: str, settings: Any) -> None:
    """It isn't let through unseen."""
    settings.CLAMAV_URL = scanner
    known = attach(world, world.document(), bytes(1024 * 1024 + 1))
    ((kind, state),) = jobs_do()
    assert (kind, state) in {
        ("documents.blob_scan", JobState.FAILED),
        ("documents.blob_scan", JobState.QUEUED),
    }
    assert world.owner.get(known["url"]).json()["code"] == "attachment_scanning"
