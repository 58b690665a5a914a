"""Checking an exported archive by itself: no server, no database, only keys that somebody trusts."""

from __future__ import annotations

import base64
import gzip
import hashlib
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from audit.checkpoints import BadNote, Checkpoint, VerifierKey, checkpoint_read
from audit.merkle import leaf_hash, root_by_inclusion
from audit.verifying import Fault, Report

# What the shown event and its sealed leaf both tell.
_SHARED = {"sequence": "sequence", "action": "action", "request_id": "request_id", "count": "count"}


def archive_verify(path: pathlib.Path, keys: Sequence[VerifierKey]) -> Report:
    """Check each event of an NDJSON export (packed by gzip or not) against the checkpoint that leads it.

    Raises BadNote where none of `keys` signed that, OSError where the file can't be read.
    """
    report = Report()
    lines = _lines(path)
    checkpoint = _checkpoint(next(lines, b""), keys)
    report.notes = 1
    for line in lines:
        report.entries += 1
        _judge(_object(line), checkpoint, report)
    return report


def _lines(path: pathlib.Path) -> Iterator[bytes]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as source:
        yield from source


def _checkpoint(line: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
    note = _object(line).get("checkpoint")
    if not isinstance(note, str):
        raise BadNote("the archive has no checkpoint")
    return checkpoint_read(note, keys)


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        found = None
    return found if isinstance(found, dict) else {}


def _judge(entry: Mapping[str, Any], checkpoint: Checkpoint, report: Report) -> None:
    shown, data = entry.get("event"), entry.get("leaf")
    if not isinstance(shown, dict) or not isinstance(data, str):
        report.add(0, Fault.ALTERED, "a line is no event")
        return
    sequence = shown.get("sequence")
    number = sequence if isinstance(sequence, int) else 0
    fault = _fault(entry, shown, data, checkpoint)
    if fault:
        report.add(number, Fault.ALTERED, fault)
    elif entry.get("detail") is None:
        report.erased += 1


def _fault(
    entry: Mapping[str, Any], shown: Mapping[str, Any], data: str, checkpoint: Checkpoint
) -> str | None:
    """What is wrong with an entry, None where nothing is."""
    leaf, detail = _object(data.encode()), entry.get("detail")
    if any(leaf.get(sealed) != shown.get(name) for name, sealed in _SHARED.items()):
        return "the event is not what its leaf says"
    if shown.get("facts") != leaf.get("facts") or shown.get("workspace") != leaf.get("workspace_uid"):
        return "the event is not what its leaf says"
    if detail is not None:
        salted = bytes.fromhex(detail["salt"]) + detail["body"].encode()
        if hashlib.sha256(salted).hexdigest() != leaf.get("detail_hash"):
            return "its detail is not what was sealed"
        personal = _object(detail["body"].encode())
        if personal.get("changes") != shown.get("changes") or personal.get("address") != shown.get("address"):
            return "the event is not what its detail says"
    if entry.get("leaf_index") is None:
        return "it is younger than the checkpoint, which proves nothing of it"
    return None if _stands(entry, data, checkpoint) else "its proof leads to another log"


def _stands(entry: Mapping[str, Any], data: str, checkpoint: Checkpoint) -> bool:
    try:
        hashes = [base64.b64decode(text, validate=True) for text in entry["hashes"]]
        root = root_by_inclusion(leaf_hash(data.encode()), entry["leaf_index"], checkpoint.size, hashes)
    except (KeyError, TypeError, ValueError):
        return False
    return root == checkpoint.root
