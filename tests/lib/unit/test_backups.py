"""The file of a backup: whole or not there, and believed in nothing that its list doesn't say."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import pathlib
import tarfile

import pytest

from cloudscribe.lib.backups.database import ToolFailed, _unpacked
from cloudscribe.lib.backups.files import BackupBroken, BackupReader, BackupWriter
from cloudscribe.lib.backups.keys import NotRestorable, keys_place

KEYS = json.dumps({"CLOUDSCRIBE_SECRET_KEY": "s", "CLOUDSCRIBE_KEYS": "k"}).encode()


def written(path: pathlib.Path, **parts: bytes) -> pathlib.Path:
    """A backup of these parts."""
    with BackupWriter(path) as writer:
        for name, content in parts.items():
            writer.add(name, io.BytesIO(content), len(content))
        writer.finish({"release": "1"})
    return path


def test_parts_come_back_as_they_were(tmp_path: pathlib.Path) -> None:
    """With what was said of the whole."""
    with BackupReader(written(tmp_path / "b", one=b"1" * 3_000_000, none=b"")) as backup:
        assert {name: b"".join(backup.pieces(name)) for name in backup.parts} == {
            "one": b"1" * 3_000_000,
            "none": b"",
        }
        assert backup.about["release"] == "1"


def test_unfinished_backup_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """Neither at its place nor beside it."""
    with pytest.raises(EOFError), BackupWriter(tmp_path / "b") as writer:
        writer.add("short", io.BytesIO(b"12"), 3)
    assert list(tmp_path.iterdir()) == []


def test_killed_process_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """What it has written so far has no name."""
    with BackupWriter(tmp_path / "b") as writer:
        writer.add("one", io.BytesIO(b"1"), 1)
        assert list(tmp_path.iterdir()) == []
        writer.finish({})
    assert list(tmp_path.iterdir()) == [tmp_path / "b"]


def without_links(*_: object, **__: object) -> None:
    """As exFAT answers."""
    raise OSError(errno.EPERM, "no links here")


@pytest.mark.parametrize("links", [True, False])
def test_backup_goes_to_plain_file_systems(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Where a file has a name from its beginning, and hardly another one."""
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    if not links:
        monkeypatch.setattr(os, "link", without_links)
    with BackupReader(written(tmp_path / "b", one=b"1")) as backup:
        backup.check()
    assert list(tmp_path.iterdir()) == [tmp_path / "b"]


def test_file_put_there_meanwhile_stays(tmp_path: pathlib.Path) -> None:
    """Whoever was first has the place."""
    path = tmp_path / "b"
    with BackupWriter(path) as writer:
        path.write_text("another's")
        with pytest.raises(FileExistsError, match="b is there already"):
            writer.finish({})
    assert [each.read_text() for each in tmp_path.iterdir()] == ["another's"]


def test_file_that_grows_is_taken_as_long_as_it_was(tmp_path: pathlib.Path) -> None:
    """A list to which somebody appends is whole up to where it was."""
    with (tmp_path / "growing").open("wb+") as growing, BackupWriter(tmp_path / "b") as writer:
        growing.write(b"1234")
        growing.seek(0)
        writer.add("growing", growing, 2)
        writer.finish({})
    with BackupReader(tmp_path / "b") as backup:
        assert b"".join(backup.pieces("growing")) == b"12"


def test_file_that_is_gone_is_left_out(tmp_path: pathlib.Path) -> None:
    """It was removed after it was found."""
    with BackupWriter(tmp_path / "b") as writer:
        writer.add_file("gone", tmp_path / "gone")
        writer.finish({})
    with BackupReader(tmp_path / "b") as backup:
        assert backup.parts == {}


@pytest.mark.parametrize("at", [0.1, 0.5, 0.7])
def test_backup_cut_short_is_none(tmp_path: pathlib.Path, at: float) -> None:
    """Its list stands at the end."""
    content = written(tmp_path / "b", one=b"1" * 20_000).read_bytes()
    (tmp_path / "cut").write_bytes(content[: int(len(content) * at)])
    with pytest.raises(BackupBroken):
        BackupReader(tmp_path / "cut")


def test_part_that_was_changed_is_noticed(tmp_path: pathlib.Path) -> None:
    """By its SHA-256."""
    path = written(tmp_path / "b", one=b"x" * 20_000)
    path.write_bytes(path.read_bytes().replace(b"xx", b"xy", 1))
    with BackupReader(path) as backup, pytest.raises(BackupBroken, match="one"):
        backup.check()


@pytest.mark.parametrize(
    "listed",
    [
        b"[]",
        b"{}",
        b"\xff",
        json.dumps({"format": 2, "parts": []}).encode(),
        json.dumps({"format": 1, "parts": [{"name": "a"}]}).encode(),
    ],
)
def test_list_of_another_form_is_refused(tmp_path: pathlib.Path, listed: bytes) -> None:
    """Whatever stands in it."""
    with tarfile.TarFile(tmp_path / "b", "w") as made:
        member = tarfile.TarInfo("backup.json")
        member.size = len(listed)
        made.addfile(member, io.BytesIO(listed))
    with pytest.raises(BackupBroken):
        BackupReader(tmp_path / "b")


def test_part_that_is_listed_and_missing_is_noticed(tmp_path: pathlib.Path) -> None:
    """A list alone is no backup."""
    listed = {"format": 1, "parts": [{"name": "one", "size": 1, "sha256": ""}]}
    content = json.dumps(listed).encode()
    with tarfile.TarFile(tmp_path / "b", "w") as made:
        member = tarfile.TarInfo("backup.json")
        member.size = len(content)
        made.addfile(member, io.BytesIO(content))
    with BackupReader(tmp_path / "b") as backup, pytest.raises(BackupBroken, match="one is missing"):
        backup.check()


@pytest.mark.parametrize("name", ["secrets.json", "postgres/PG_VERSION", "media/blobs/a", "audit/checkpoint"])
def test_keys_go_into_an_empty_folder_alone(tmp_path: pathlib.Path, name: str) -> None:
    """What is there stays, and nothing comes beside it."""
    there = tmp_path / "data" / name
    there.parent.mkdir(parents=True)
    there.write_text("another's")
    with pytest.raises(NotRestorable):
        keys_place([str(written(tmp_path / "b", **{"secrets.json": KEYS}))], tmp_path / "data")
    assert [each for each in (tmp_path / "data").rglob("*") if each.is_file()] == [there]


def test_keys_are_placed_again_after_a_try_that_failed(tmp_path: pathlib.Path) -> None:
    """The same keys stand in nobody's way."""
    path = written(tmp_path / "b", **{"secrets.json": KEYS})
    for _ in range(2):
        keys_place([str(path)], tmp_path / "data")
    assert (tmp_path / "data" / "secrets.json").read_bytes() == KEYS


def test_path_is_found_among_options(tmp_path: pathlib.Path) -> None:
    """Their values are none."""
    path = written(tmp_path / "b", **{"secrets.json": KEYS})
    keys_place(["-v", "0", "--settings", "cloudscribe.settings", str(path), "--verify"], tmp_path / "data")
    assert (tmp_path / "data" / "secrets.json").exists()


@pytest.mark.parametrize(
    "packed",
    [b"", b"SELECT 1;", gzip.compress(b"SELECT 1;")[:-1], gzip.compress(b"SELECT 1;") * 2],
    # By what they are: the bytes hold the time at which they are made.
    ids=["empty", "plain", "cut", "twice"],
)
def test_script_that_is_not_whole_is_not_run(packed: bytes) -> None:
    """What comes behind it would be committed."""
    with pytest.raises(ToolFailed):
        list(_unpacked([packed]))


def test_part_that_the_list_lacks_is_noticed(tmp_path: pathlib.Path) -> None:
    """Whoever asks for it is told."""
    with BackupReader(written(tmp_path / "b")) as backup, pytest.raises(BackupBroken, match="is missing"):
        list(backup.pieces("database.sql.gz"))


def test_number_that_no_file_has_is_refused(tmp_path: pathlib.Path) -> None:
    """By a word, as every broken file is."""
    content = bytearray(written(tmp_path / "b", one=b"1").read_bytes())
    content[124:136] = b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7
    content[148:156] = b"%06o\0 " % (sum(content[:148]) + 8 * 32 + sum(content[156:512]))
    (tmp_path / "huge").write_bytes(content)
    with pytest.raises(BackupBroken):
        BackupReader(tmp_path / "huge")


@pytest.mark.parametrize("text", [b"none", b"[]", b"{}", b'"CLOUDSCRIBE_SECRET_KEY CLOUDSCRIBE_KEYS"'])
def test_keys_that_cannot_be_read_are_not_placed(tmp_path: pathlib.Path, text: bytes) -> None:
    """Nothing would start with them."""
    with pytest.raises(BackupBroken, match=r"secrets\.json"):
        keys_place([str(written(tmp_path / "b", **{"secrets.json": text}))], tmp_path / "data")
    assert not (tmp_path / "data").exists()
