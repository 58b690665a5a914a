"""Content in the storage: what comes at once, what goes meanwhile, what crashes leave behind."""

from __future__ import annotations

import datetime as dt
import os
import pathlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import F
from PIL import Image

from cloudscribe.lib import storage
from cloudscribe.lib.storage import incoming_folder
from documents.blob_jobs import sweep
from documents.models import Attachment, AttachmentUsage, Blob
from documents.services import blobs
from documents.services.blob_work import blob_picture
from documents.services.blobs import blobs_sweep_next
from tests.actors import command
from tests.documents.uploading import attach, body_of, picture, upload
from tests.documents.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(world: World) -> str:
    """A document."""
    return world.document()


def age(days: int = 2) -> None:
    """Let what is unused have been so for days."""
    Blob.objects.filter(unused_since__isnull=False).update(
        unused_since=F("unused_since") - dt.timedelta(days=days)
    )


def swept() -> int:
    """How many contents the sweeper removes."""
    count = 0
    while blobs_sweep_next(actor=command()):
        count += 1
    return count


def test_sweep_takes_what_nobody_has(world: World, page: str) -> None:
    """File, pictures and row, after the time of grace; what is attached stays."""
    kept, gone = attach(world, page), attach(world, page, picture(), filename="x.png")
    blob = Blob.objects.get(inline=True)
    blob_picture(actor=command(), pk=blob.pk)
    paths = [blob.path, blob.thumbnail_path(256), blob.thumbnail_path(1024)]
    world.owner.delete(f"attachments/{gone['id']}/")
    assert swept() == 0
    age()
    assert all(map(default_storage.exists, paths))
    assert swept() == 1
    assert not any(map(default_storage.exists, paths))
    assert Blob.objects.get().attachments.get().uid.hex == kept["id"].replace("-", "")


def test_sweep_job_says_what_it_did(world: World, page: str) -> None:
    """Its result counts contents and unfinished files; what still comes in is left alone."""
    world.owner.delete(f"attachments/{attach(world, page)['id']}/")
    age()
    old, young = incoming_folder() / "old", incoming_folder() / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    run = mock.Mock(actor=command())
    assert sweep(run) == {"removed": 1, "unfinished": 1}
    assert (old.exists(), young.exists()) == (False, True)
    young.unlink()


def test_upload_of_what_waits_for_the_sweeper_keeps_it(world: World, page: str) -> None:
    """Attached again it is in use."""
    world.owner.delete(f"attachments/{attach(world, page)['id']}/")
    age()
    known = attach(world, page)
    assert swept() == 0
    assert body_of(world.owner.get(known["url"])) == b"some text"


def test_upload_of_what_is_being_removed_is_a_file_of_its_own(world: World, page: str) -> None:
    """The sweeper, stopped between mark and removal, takes the old file and not the new one."""
    world.owner.delete(f"attachments/{attach(world, page)['id']}/")
    age()
    answers = []

    def meanwhile(path: str) -> None:
        if not answers:
            answers.append(attach(world, page))
        storage.default_storage.delete(path)

    with mock.patch.object(blobs, "file_remove", meanwhile):
        assert swept() == 1
    assert body_of(world.owner.get(answers[0]["url"])) == b"some text"
    assert Blob.objects.count() == 1


@pytest.mark.parametrize("early", [True, False], ids=["before-the-file", "after-it"])
def test_upload_that_the_sweeper_overtakes_is_told_to_come_again(
    world: World, page: str, early: bool
) -> None:
    """Condemned before or after its file was there: 503, nothing stays, and the next try succeeds."""
    real, names = blobs.file_save, []

    def overtaken(name: str, content: Any) -> None:
        names.append(name)
        if early:
            age()
            assert swept() == 1
        real(name, content)
        if not early:
            age()
            assert swept() == 1

    with mock.patch.object(blobs, "file_save", overtaken):
        answer = upload(world.owner, page)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert not any(map(default_storage.exists, names))
    assert body_of(world.owner.get(attach(world, page)["url"])) == b"some text"


def test_crash_between_file_and_row_leaves_what_is_swept(world: World, page: str) -> None:
    """The file has a row already, so that it is found; nothing was acknowledged."""
    with mock.patch("documents.api.attachments.attachment_create", side_effect=RuntimeError):
        assert upload(world.owner, page).status_code == 500
    blob = Blob.objects.get()
    assert default_storage.exists(blob.path)
    assert AttachmentUsage.objects.count() == 0
    age()
    assert swept() == 1
    assert not default_storage.exists(blob.path)


def test_crash_while_storing_leaves_no_half_file(world: World, page: str) -> None:
    """What has its name is whole: a second upload stores it anew."""
    with mock.patch("cloudscribe.lib.storage.os.fsync", side_effect=KeyError):
        assert upload(world.owner, page).status_code == 500
    assert not default_storage.exists(Blob.objects.get().path)
    assert not list(incoming_folder().iterdir())
    assert body_of(world.owner.get(attach(world, page)["url"])) == b"some text"


def test_crash_of_the_sweeper_is_made_good_by_its_next_turn(world: World, page: str) -> None:
    """The row stays until the file is gone."""
    world.owner.delete(f"attachments/{attach(world, page)['id']}/")
    age()
    path = Blob.objects.get().path
    with mock.patch.object(blobs, "_blob_forget", side_effect=KeyError), pytest.raises(KeyError):
        swept()
    assert Blob.objects.get().removing
    assert swept() == 1
    assert not default_storage.exists(path)
    assert not Blob.objects.exists()


@pytest.mark.parametrize(
    ("number", "status", "code"), [(28, 507, "storage_full"), (5, 503, "storage_unavailable")]
)
def test_full_or_broken_disk(world: World, page: str, number: int, status: int, code: str) -> None:
    """507 or 503, and nothing is attached."""
    with mock.patch("cloudscribe.lib.storage.os.fsync", side_effect=OSError(number, "no")):
        answer = upload(world.owner, page)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Attachment.objects.exists()


def test_image_that_is_a_bomb_has_no_pictures(world: World, page: str) -> None:
    """What announces more pixels than it may is no inline image; what breaks in decoding gets none."""
    broken = picture()[:-60]
    attach(world, page, broken, filename="x.png")
    blob = Blob.objects.get()
    assert blob.inline
    assert not blob_picture(actor=command(), pk=blob.pk)
    bomb = bytearray(picture())
    bomb[16:24] = (60_000).to_bytes(4) * 2
    assert attach(world, page, bytes(bomb), filename="y.png")["width"] is None


def test_pictures_tell_nothing_of_the_camera(world: World, page: str) -> None:
    """Where and by what a photo was taken stays in the file itself."""
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    attach(world, page, picture("JPEG", exif=exif), filename="x.jpg")
    blob = Blob.objects.get()
    assert blob_picture(actor=command(), pk=blob.pk)
    assert b"SECRETCAMERA" not in default_storage.open(blob.thumbnail_path(256)).read()


def in_threads(*calls: Callable[[], Any]) -> list[Any]:
    """What each of the calls gives, all begun at once on connections of their own."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_equal_uploads_at_once_are_one_content(world: World) -> None:
    """Both are attached, there is one row and one file."""
    pages = [world.document() for _ in range(4)]
    for number in range(3):
        content = bytes([number]) * 200_000
        answers = in_threads(*[lambda page=page, c=content: upload(world.owner, page, c) for page in pages])
        assert [answer.status_code for answer in answers] == [201] * 4
    assert Blob.objects.count() == 3
    assert (AttachmentUsage.objects.get().files, AttachmentUsage.objects.get().size) == (12, 2_400_000)
    assert not Blob.objects.filter(unused_since__isnull=False).exists()


@pytest.mark.django_db(transaction=True)
def test_last_room_is_given_once(world: World, settings: Any) -> None:
    """Of uploads at once that each would fit, as many succeed as fit together."""
    settings.ATTACHMENT_QUOTA = 25
    page = world.document()
    contents = [bytes([65 + number]) * 10 for number in range(4)]
    answers = in_threads(*[lambda c=content: upload(world.owner, page, c) for content in contents])
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409]
    assert AttachmentUsage.objects.get().size == 20


@pytest.mark.django_db(transaction=True)
def test_delete_against_upload_of_the_same_content(
    world: World, settings: Any, tmp_path: pathlib.Path
) -> None:
    """Whoever wins, what is attached in the end can be read, sweeper or not, and nothing is left behind."""
    settings.MEDIA_ROOT = str(tmp_path)
    page = world.document()
    for _ in range(5):
        known = attach(world, page)
        _, answer, _ = in_threads(
            lambda known=known: world.owner.delete(f"attachments/{known['id']}/"),
            lambda: upload(world.owner, page),
            lambda: (age(), swept()),
        )
        if answer.status_code == 503:
            continue
        new = world.ok(answer, 201)
        age()
        swept()
        assert body_of(world.owner.get(new["url"])) == b"some text"
        world.owner.delete(f"attachments/{new['id']}/")
    age()
    swept()
    assert not Blob.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.django_db(transaction=True)
def test_last_two_removed_at_once_are_both_noticed(world: World) -> None:
    """Each sees the other's still there: the second looks again."""
    page = world.document()
    for _ in range(5):
        pair = [attach(world, world.document()), attach(world, page)]
        in_threads(*[lambda each=each: world.owner.delete(f"attachments/{each['id']}/") for each in pair])
        assert Blob.objects.get().unused_since is not None


def test_temporary_files_are_on_the_disk_of_the_data() -> None:
    """Not in /tmp, which may be memory; and nothing is left of one that was closed."""
    with storage.temporary_file() as file:
        file.write(b"x")
        target = pathlib.Path(f"/proc/self/fd/{file.fileno()}").resolve()
        assert target.is_relative_to(incoming_folder().resolve())
    assert not list(incoming_folder().iterdir())


@pytest.mark.parametrize("known", [False, True])
def test_upload_with_a_key_by_who_may_not_attach(world: World, known: bool) -> None:
    """A key opens the storage to nobody, not even one that stands for an earlier answer."""
    page, viewer = world.document(), world.member("viewer")
    headers = {"Idempotency_Key": "a-key-of-mine"}
    if known:
        World.ok(viewer.call("POST", "workspaces/", {"name": "Own"}, **headers), 201)
    answer = upload(viewer, page, b"unwanted", headers=headers)
    assert answer.status_code == (422 if known else 403)
    assert not Blob.objects.exists()


def test_upload_with_a_key_beyond_the_quota(world: World, settings: Any) -> None:
    """What there is no room for isn't stored first."""
    settings.ATTACHMENT_QUOTA = 4
    answer = upload(world.owner, world.document(), b"large", headers={"Idempotency_Key": "another-key"})
    assert answer.json()["code"] == "attachment_quota_exceeded"
    assert not Blob.objects.exists()
