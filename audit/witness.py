"""Checkpoints kept beside the database: who rewrites its tables can't rewrite what stands here.

`checkpoint` below the data folder's `audit/` is the newest note, as `GET audit/checkpoint/` shows it;
`checkpoints.jsonl` has one of about every minute, `keys` the public keys that
verify them. A cron line that copies either to another machine makes a
witness of that machine.
"""

from __future__ import annotations

import datetime as dt
import json
import pathlib
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from audit.checkpoints import VerifierKey, verifier_key
from audit.models import Seal

_EVERY = dt.timedelta(minutes=1)


def seal_witnessed(seal: Seal) -> None:
    """Keep a seal's note; raises OSError where the folder can't be written."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    newest = folder / "checkpoint"
    part = folder / "checkpoint.part"
    part.write_text(seal.note)
    part.replace(newest)
    _keep_key(folder, seal)
    history = folder / "checkpoints.jsonl"
    if history.exists() and seal.sealed_at.timestamp() < history.stat().st_mtime + _EVERY.total_seconds():
        return
    line = {"note": seal.note, "last_sequence": seal.last_sequence, "sealed_at": seal.sealed_at.isoformat()}
    with history.open("a") as sink:
        sink.write(json.dumps(line) + "\n")


def notes_witnessed() -> Iterator[str]:
    """Every note that is kept here, the newest last."""
    history = _folder() / "checkpoints.jsonl"
    if history.exists():
        for line in history.read_text().splitlines():
            kept: dict[str, Any] = json.loads(line)
            yield kept["note"]
    newest = _folder() / "checkpoint"
    if newest.exists():
        yield newest.read_text()


def keys_witnessed() -> list[VerifierKey]:
    """Every key that a note which is kept here was signed with, those that left the ring as well."""
    keys = _folder() / "keys"
    return [VerifierKey.parse(line) for line in keys.read_text().splitlines()] if keys.exists() else []


def _keep_key(folder: pathlib.Path, seal: Seal) -> None:
    key = str(verifier_key(settings.KEY_RING.active_kid, seal.note.partition("\n")[0]))
    keys = folder / "keys"
    if not keys.exists() or key not in keys.read_text().splitlines():
        with keys.open("a") as sink:
            sink.write(key + "\n")


def _folder() -> pathlib.Path:
    return pathlib.Path(settings.DATA_DIR) / "audit"
