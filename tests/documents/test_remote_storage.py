"""Files in a bucket: the same behaviour against a server that speaks S3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.core.files.storage import default_storage, storages
from moto.server import ThreadedMotoServer

from cloudscribe.lib.remote_storage import RemoteStorage
from cloudscribe.storing import remote_storage
from documents.models import Blob
from documents.services.blob_work import blob_picture
from documents.services.blobs import blobs_sweep_next
from tests.actors import command
from tests.documents.importing import imported, result, zipped
from tests.documents.uploading import body_of, picture, upload
from tests.documents.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

BUCKET = "files-of-tests"
KEYS = ("an-access-key", "a-secret-key")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server with an empty bucket."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=KEYS[0],
        aws_secret_access_key=KEYS[1],
    )
    client.create_bucket(Bucket=BUCKET)
    yield address
    running.stop()


@pytest.fixture
def bucket(server: str, settings: Any) -> None:
    """Files go there."""
    settings.STORAGES = {**settings.STORAGES, "default": remote_storage(BUCKET, server, "us-east-1", KEYS)}
    assert isinstance(storages["default"], RemoteStorage)


def test_file_in_a_bucket(world: World, bucket: None) -> None:
    """Stored, given whole and by ranges, with the headers of any other."""
    content = os.urandom(300_000)
    known = world.ok(upload(world.owner, world.document(), content), 201)
    assert default_storage.size(Blob.objects.get().path) == len(content)
    answer = world.owner.get(known["url"])
    assert body_of(answer) == content
    assert answer.headers["Content-Length"] == "300000"
    part = world.owner.get(known["url"], Range="bytes=299990-")
    assert (part.status_code, body_of(part)) == (206, content[-10:])
    assert world.owner.get(known["url"], If_None_Match=answer.headers["ETag"]).status_code == 304


def test_pictures_and_the_end_of_a_file_in_a_bucket(world: World, bucket: None, settings: Any) -> None:
    """Jobs read and write there; the sweeper leaves nothing."""
    settings.BLOB_GRACE = 0.001
    known = world.ok(upload(world.owner, world.document(), picture(), filename="x.png"), 201)
    blob = Blob.objects.get()
    assert blob_picture(actor=command(), pk=blob.pk)
    assert world.owner.get(known["url"] + "?size=256").headers["Content-Type"] == "image/webp"
    world.owner.delete(f"attachments/{known['id']}/")
    Blob.objects.update(unused_since="2020-01-01T00:00:00Z")
    assert blobs_sweep_next(actor=command())
    assert not any(map(default_storage.exists, (blob.path, blob.thumbnail_path(256))))


def test_import_by_way_of_a_bucket(world: World, bucket: None) -> None:
    """The job reads the upload from there, so it may run on another machine."""
    files = {"a.md": "# A\n\n![red](red.png)\n", "red.png": picture(size=(8, 8))}
    job = imported(world, zipped(files))
    assert job["result"] == result(created=1, files=1)
    assert all(default_storage.exists(blob.path) for blob in Blob.objects.all())
    assert Blob.objects.count() == 2


def test_object_that_was_lost(world: World, bucket: None) -> None:
    """503, as of a file."""
    known = world.ok(upload(world.owner, world.document(), b"to be lost"), 201)
    default_storage.delete(Blob.objects.get().path)
    answer = world.owner.get(known["url"])
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")


def test_bucket_that_is_away(world: World, settings: Any) -> None:
    """503 within bounds, and nothing is attached."""
    away = remote_storage(BUCKET, "http://127.0.0.1:9", "us-east-1", KEYS)
    settings.STORAGES = {**settings.STORAGES, "default": away}
    answer = upload(world.owner, world.document(), b"nowhere to go")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")


def test_bucket_that_refuses(world: World, server: str, settings: Any) -> None:
    """A bucket that isn't there is our fault, too."""
    none = remote_storage("no-such-bucket", server, "us-east-1", KEYS)
    settings.STORAGES = {**settings.STORAGES, "default": none}
    answer = upload(world.owner, world.document(), b"no bucket")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
