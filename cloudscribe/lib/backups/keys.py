"""The first step of a restore: the keys lie in place before anything of the new installation makes others."""

from __future__ import annotations

import argparse
import json
import pathlib
from collections.abc import Sequence

from cloudscribe.lib.backups.files import BackupBroken, BackupReader
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.secrets_file import KEYS as RING
from cloudscribe.lib.embedded.secrets_file import SECRET_KEY

DATABASE = "database.sql.gz"
KEYS = "secrets.json"
# What a backup holds of the data folder beside the keys; none of it is there before a restore.
FOLDERS = ("audit", "media")


class NotRestorable(Exception):
    """There is nothing to restore, or something lies where it is to go; the message says what."""


def path_argument(parser: argparse.ArgumentParser) -> None:
    """The one argument of `restore` that is needed before Django is there to read the others."""
    parser.add_argument("path", type=pathlib.Path, metavar="PATH", help="the file that `backup` wrote")


def keys_place(arguments: Sequence[str], data: pathlib.Path) -> None:
    """Put the keys of the backup that `restore`'s arguments name into the data folder, where it has some.

    By then every part was seen to be whole. Raises NotRestorable, BackupBroken, and OSError of the disk.
    """
    parser = argparse.ArgumentParser(prog="manage.py restore", add_help=False)
    path_argument(parser)
    # Else their values would be taken for the path.
    parser.add_argument(*("-v", "--verbosity"))
    for name in ("--settings", "--pythonpath"):
        parser.add_argument(name)
    path = parser.parse_known_args(arguments)[0].path
    with _opened(path) as backup:
        keys = b"".join(backup.pieces(KEYS)) if KEYS in backup.parts else b""
        _require_keys(keys)
        _require_empty(data, keys)
        backup.check()
        if keys and not (data / KEYS).exists():
            backup.extract(KEYS, Layout.at(data).secrets)


def _opened(path: pathlib.Path) -> BackupReader:
    try:
        return BackupReader(path)
    except OSError as error:
        raise NotRestorable(f"{path}: {error.strerror}") from error


def _require_keys(text: bytes) -> None:
    try:
        whole = not text or {SECRET_KEY, RING} <= json.loads(text).keys()
    except (ValueError, AttributeError) as error:
        raise BackupBroken(f"{KEYS} in the backup can't be read") from error
    if not whole:
        raise BackupBroken(f"{KEYS} in the backup lacks keys")


def _require_empty(data: pathlib.Path, keys: bytes) -> None:
    """What another try has left of the same keys stands in nobody's way."""
    if (data / KEYS).exists() and (data / KEYS).read_bytes() != keys:
        raise NotRestorable(f"{data / KEYS} holds other keys: a backup goes into an empty CLOUDSCRIBE_DATA")
    for name in ("postgres", *FOLDERS):
        place = data / name
        if place.is_file() or (place.is_dir() and any(child.is_file() for child in place.rglob("*"))):
            raise NotRestorable(f"{place} is there already: a backup goes into an empty CLOUDSCRIBE_DATA")
