"""GET and HEAD attachments/{id}/file/."""

from __future__ import annotations

import io
from typing import Any
from unittest import mock

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from documents.models import Blob
from documents.services.blob_work import blob_picture
from tests.actors import command
from tests.documents.uploading import attach, body_of, picture
from tests.documents.world import World, statements

pytestmark = pytest.mark.django_db

TEXT = b"0123456789"


@pytest.fixture
def page(world: World) -> str:
    """A document."""
    return world.document()


def address(world: World, page: str, content: bytes = TEXT, **options: Any) -> str:
    """Where a new file of the owner's is."""
    return str(attach(world, page, content, **options)["url"])


def test_file_by_a_viewer(world: World, page: str) -> None:
    """The bytes, under a tag of them, as a download in a sandbox."""
    path, viewer = address(world, page), world.member("viewer")
    viewer.get(path)
    # The sign-in, the file with its document.
    with statements(2):
        answer = viewer.get(path)
    assert (answer.status_code, body_of(answer)) == (200, TEXT)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="notes.txt"'
    assert answer.headers["Content-Length"] == "10"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    again = viewer.get(path, If_None_Match=answer.headers["ETag"])
    assert (again.status_code, body_of(again), again.headers["ETag"]) == (304, b"", answer.headers["ETag"])


def test_head_opens_nothing(world: World, page: str) -> None:
    """The same headers without the file; a range is for GET alone."""
    path = address(world, page)
    shown = world.owner.get(path).headers
    with mock.patch.object(type(default_storage), "pieces", create=True, side_effect=AssertionError):
        answer = world.owner.call("HEAD", path, Range="bytes=0-1")
    assert (answer.status_code, body_of(answer)) == (200, b"")
    for name in ("Content-Length", "Content-Type", "ETag", "Accept-Ranges", "Content-Disposition"):
        assert answer.headers[name] == shown[name]


def test_revoked_right_holds_before_the_304(world: World, page: str) -> None:
    """A tag that somebody still knows opens nothing."""
    path, person = address(world, page), world.client_for()
    grant = world.grant(page, person, "viewer")
    tag = person.get(path).headers["ETag"]
    world.owner.delete(f"documents/{page}/grants/{grant['id']}/")
    assert person.get(path, If_None_Match=tag).status_code == 404


@pytest.mark.parametrize(
    ("asked", "content", "span"),
    [
        ("bytes=0-3", b"0123", "0-3"),
        ("bytes=4-", b"456789", "4-9"),
        ("bytes=-3", b"789", "7-9"),
        ("bytes=-99", TEXT, "0-9"),
        ("bytes=9-99999999999", b"9", "9-9"),
        ("BYTES= 2-2 ", b"2", "2-2"),
    ],
)
def test_one_range(world: World, page: str, asked: str, content: bytes, span: str) -> None:
    """206 with the part and where it lies."""
    answer = world.owner.get(address(world, page), Range=asked)
    assert (answer.status_code, body_of(answer)) == (206, content)
    assert answer.headers["Content-Range"] == f"bytes {span}/10"
    assert answer.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,3-4", "bytes=3-1", "bytes=x", "lines=0-1", "bytes=-", f"bytes=0-{'9' * 19}", "bytes"]
)
def test_what_is_no_single_range_is_answered_whole(world: World, page: str, asked: str) -> None:
    """Many ranges and nonsense count as not sent."""
    answer = world.owner.get(address(world, page), Range=asked)
    assert (answer.status_code, body_of(answer)) == (200, TEXT)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_range_behind_the_end(world: World, page: str, asked: str) -> None:
    """416, and the length."""
    answer = world.owner.get(address(world, page), Range=asked)
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */10"


def test_range_of_another_version_is_answered_whole(world: World, page: str) -> None:
    """If-Range holds for the tag of these bytes alone: no weak one, no date."""
    path = address(world, page)
    tag = world.owner.get(path).headers["ETag"]
    statuses = [
        world.owner.get(path, Range="bytes=0-1", If_Range=condition).status_code
        for condition in (tag, '"other"', f"W/{tag}", "Sun, 29 Nov 2026 00:00:00 GMT")
    ]
    assert statuses == [206, 200, 200, 200]


@pytest.mark.parametrize(
    ("content", "filename", "kind"),
    [
        (b"<html><script>alert(1)</script>", "harmless.txt", "text/html"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "x.png", "image/svg+xml"),
        (b"alert(1)", "x.js", "text/plain"),
        (picture("GIF") + b"<script>alert(1)</script>", "x.gif", "text/html"),
        (picture("JPEG")[:40], "x.jpg", "application/octet-stream"),
    ],
    ids=["html", "svg", "script", "polyglot", "broken"],
)
def test_what_a_browser_could_run_is_a_download(
    world: World, page: str, content: bytes, filename: str, kind: str
) -> None:
    """Whatever its sender calls it."""
    answer = world.owner.get(address(world, page, content, filename=filename, kind="image/png"))
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_raster_images_are_shown_in_place(world: World, page: str, kind: str) -> None:
    """By their bytes, under whatever name."""
    answer = world.owner.get(address(world, page, picture(kind), filename="x.html", kind="text/html"))
    assert answer.headers["Content-Type"] == f"image/{kind.lower()}"
    assert answer.headers["Content-Disposition"] == 'inline; filename="x.html"'


def test_any_accept_gets_the_file(world: World, page: str) -> None:
    """There is one form of it; refusals are problems all the same."""
    path = address(world, page, picture())
    assert world.owner.get(path, Accept="image/*").status_code == 200
    absent = world.owner.get(path.replace(path[20:28], "00000000"), Accept="image/*")
    assert (absent.status_code, absent.headers["Content-Type"]) == (404, "application/problem+json")


def test_pictures_of_an_image(world: World, page: str) -> None:
    """The whole image until they are made, then smaller ones under tags of their own."""
    path = address(world, page, picture(size=(1500, 600)), filename="red.png")
    early = world.owner.get(f"{path}?size=256")
    assert early.headers["Content-Type"] == "image/png"
    assert blob_picture(actor=command(), pk=Blob.objects.get().pk)
    tags = set()
    for side, size in ((256, (256, 103)), (1024, (1024, 410))):
        answer = world.owner.get(f"{path}?size={side}")
        assert answer.headers["Content-Type"] == "image/webp"
        assert answer.headers["Content-Disposition"] == 'inline; filename="red.png.webp"'
        assert _size(body_of(answer)) == size
        tags.add(answer.headers["ETag"])
    assert len(tags | {early.headers["ETag"]}) == 3
    assert world.owner.get(f"{path}?size=256", Range="bytes=0-3").status_code == 206


def _size(content: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(content)).size


def test_picture_of_what_is_no_image(world: World, page: str) -> None:
    """404, and 400 for a size that isn't offered."""
    path = address(world, page)
    assert world.owner.get(f"{path}?size=256").status_code == 404
    assert world.owner.get(f"{path}?size=257").status_code == 400


def test_lost_file_is_our_fault(world: World, page: str) -> None:
    """A storage that has lost it is 503, and an upload of the same bytes brings it back for all."""
    path = address(world, page)
    default_storage.delete(Blob.objects.get().path)
    answer = world.owner.get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    address(world, page)
    assert body_of(world.owner.get(path)) == TEXT
