"""Archives for imports, honest ones and others, and the requests that send them."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

from tests.documents.jobs import job_done
from tests.documents.uploading import FORM, form, part
from tests.documents.world import World
from tests.fixtures import ApiClient

FLAT = {"a.md": "# A\n\nTo [b](b.md).\n", "b.md": "# B\n"}


def zipped(files: Mapping[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files by their paths."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def of_kind(kind: int, name: str = "odd.md") -> bytes:
    """A zip with an entry that says of itself what kind of thing it is."""
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o644) << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.md", "# A")
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def named(raw: bytes) -> bytes:
    """A zip with an entry whose name is just these bytes, at both places where it stands."""
    made = zipped({"a.md": "# A", "N" * len(raw): "text"})
    return made.replace(b"N" * len(raw), raw)


def flagged(bit: int) -> bytes:
    """A zip whose one entry has this flag set in the directory."""
    made = bytearray(zipped({"a.md": "# A"}))
    at = made.index(b"PK\x01\x02") + 8
    struct.pack_into("<H", made, at, struct.unpack_from("<H", made, at)[0] | bit)
    return bytes(made)


def understated(size: int) -> bytes:
    """A zip with an entry of so many bytes whose directory tells of one."""
    made = bytearray(zipped({"a.md": b"\n" * size}))
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        struct.pack_into("<I", made, made.index(mark) + offset, 1)
    return bytes(made)


def corrupted() -> bytes:
    """A zip whose content isn't what its checksum says."""
    made = zipped({"a.md": "# A title"}, method=zipfile.ZIP_STORED)
    return made.replace(b"# A title", b"# B title", 1)


def directory_of(size: int) -> bytes:
    """A zip that says that its directory has so many bytes."""
    made = bytearray(zipped({"a.md": "# A"}))
    end = made.index(b"PK\x05\x06")
    struct.pack_into("<I", made, end + 12, size)
    # Enough in front of it for the directory to be looked for there.
    return bytes(b"PK\x03\x04" + b"\0" * size + made)


# By what is wrong: an archive that is refused, and a word of the reason.
ATTACKS: dict[str, tuple[bytes, str]] = {
    "parent": (zipped({"a.md": "# A", "../b.md": "# B"}), "plain"),
    "parent-within": (zipped({"a.md": "# A", "x/../../b.md": "# B"}), "plain"),
    "dot": (zipped({"a.md": "# A", "./b.md": "# B"}), "plain"),
    "empty-part": (zipped({"a.md": "# A", "x//b.md": "# B"}), "plain"),
    "absolute": (zipped({"a.md": "# A", "/tmp/b.md": "# B"}), "relative"),  # noqa: S108 (a hostile name)
    "drive": (zipped({"a.md": "# A", "C:/b.md": "# B"}), "relative"),
    "backslash": (named(b"x\\..\\b.md"), "backslash"),
    "nul": (named(b"b.md\0.png"), "control"),
    "control": (named(b"b\n.md"), "control"),
    "no-utf-8": (zipped({"\u00e4.md": "# A"}).replace("\u00e4".encode(), b"\xff\xfe"), "broken"),
    "link": (of_kind(stat.S_IFLNK), "link"),
    "device": (of_kind(stat.S_IFBLK), "device"),
    "pipe": (of_kind(stat.S_IFIFO), "device"),
    "twice": (zipped({"a.md": "# A", "b.md": "# B"}).replace(b"b.md", b"a.md"), "twice"),
    "file-and-folder": (zipped({"a": "# A", "a/b.md": "# B"}), "at once"),
    "encrypted": (flagged(0x1), "encrypted"),
    "masked": (flagged(0x2000), "encrypted"),
    "deep": (zipped({"x/" * 30 + "a.md": "# A"}), "deep"),
    "long-name": (zipped({"x" * 256 + ".md": "# A"}), "too long"),
    "bzip2": (zipped({"a.md": "# A"}, method=zipfile.ZIP_BZIP2), "method"),
    "lzma": (zipped({"a.md": "# A"}, method=zipfile.ZIP_LZMA), "method"),
    "bomb": (zipped({"a.md": "# A", "b.bin": b"\0" * 5_000_000}), "times"),
    "understated": (understated(5_000), "broken"),
    "checksum": (corrupted(), "broken"),
    "cut-off": (zipped({"a.md": "# A"})[:-30], "broken"),
    "directory": (directory_of(11_000_000), "directory"),
    "nothing": (zipped({}), "no Markdown"),
    "no-markdown": (zipped({"a.txt": "text"}), "no Markdown"),
    "hidden-alone": (zipped({".git/a.md": "# A", "__MACOSX/b.md": "# B"}), "no Markdown"),
}


def import_ask(client: ApiClient, content: bytes, *, filename: str = "folder.zip", **fields: Any) -> Any:
    """The answer to an import; `fields` are those of the form, `headers` go on the request."""
    headers = {"Content_Type": FORM, **fields.pop("headers", {})}
    parts = [part(str(value).encode(), name=name, filename=None) for name, value in fields.items()]
    raw = form(*parts, part(content, filename=filename))
    return client.call("POST", "imports/", raw=raw, **headers)


def imported(world: World, content: bytes, *, by: ApiClient | None = None, **options: Any) -> dict[str, Any]:
    """The job of an import into the world's workspace once it has ended."""
    client = by or world.owner
    return job_done(client, import_ask(client, content, workspace=world.workspace, **options))


def result(created: int = 0, updated: int = 0, unchanged: int = 0, **more: Any) -> dict[str, Any]:
    """What a job says that had no trouble."""
    counts = {"created": created, "updated": updated, "unchanged": unchanged}
    return {"documents": counts, "files": 0, "problems": [], "dry_run": False, **more}
