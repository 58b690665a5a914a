"""Checking an exported archive by itself: no server, no database, only keys that somebody trusts."""

from __future__ import annotations

import base64
import gzip
import hashlib
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import orjson

from audit.checkpoints import BadNote, Checkpoint, VerifierKey, checkpoint_read
from audit.findings import Fault, Report
from audit.merkle import leaf_hash, root_by_inclusion

# What the shown event and its sealed leaf both tell.
_SHARED = {"sequence": "sequence", "action": "action", "request_id": "request_id", "count": "count"}


def archive_verify(path: pathlib.Path, keys: Sequence[VerifierKey]) -> Report:
    """Check each event of an NDJSON export (packed by gzip or not) against the checkpoint that leads it.

    Raises BadNote where none of `keys` signed that, OSError or EOFError where the file can't be read.
    """
    with path.open("rb") as source:
        return archive_judge(source, keys)


def archive_judge(source: BinaryIO, keys: Sequence[VerifierKey]) -> Report:
    """Do as `archive_verify` does, with an open file from its beginning."""
    report = Report()
    lines = archive_lines(source)
    checkpoint = _checkpoint(next(lines, b""), keys)
    report.notes = 1
    for line in lines:
        report.entries += 1
        _judge(_object(line), checkpoint, report)
    return report


class Archived(NamedTuple):
    """What a line of an archive says of one leaf; `fits` whether its detail is what was sealed."""

    leaf: int
    sequence: int
    hash: bytes
    epoch: int
    xid: int
    action: str
    facts: Mapping[str, Any]
    has_detail: bool
    fits: bool


def archive_leaves(source: BinaryIO) -> Iterator[Archived]:
    """What each line of an archive says, without a look at its proof. Raises ValueError for what is none."""
    lines = archive_lines(source)
    next(lines, b"")
    for line in lines:
        yield _archived(_object(line))


def _archived(entry: Mapping[str, Any]) -> Archived:
    try:
        data, detail = entry["leaf"].encode(), entry["detail"]
        leaf = orjson.loads(data)
        fits = detail is not None and _is_sealed(detail, leaf)
        sealed = {name: leaf[name] for name in ("sequence", "epoch", "xid", "action", "facts")}
        return Archived(
            leaf=entry["leaf_index"],
            hash=leaf_hash(data),
            has_detail=detail is not None,
            fits=fits,
            **sealed,
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("a line is no event") from error


def archive_lines(source: BinaryIO) -> Iterator[bytes]:
    """The lines of an open file from its beginning, unpacked where it is packed."""
    source.seek(0)
    packed = source.read(2) == b"\x1f\x8b"
    source.seek(0)
    yield from gzip.GzipFile(fileobj=source) if packed else source


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
        if not _is_sealed(detail, leaf):
            return "its detail is not what was sealed"
        personal = _object(detail["body"].encode())
        if personal.get("changes") != shown.get("changes") or personal.get("address") != shown.get("address"):
            return "the event is not what its detail says"
    if entry.get("leaf_index") is None:
        return "it is younger than the checkpoint, which proves nothing of it"
    return None if _stands(entry, data, checkpoint) else "its proof leads to another log"


def _is_sealed(detail: Mapping[str, str], leaf: Mapping[str, Any]) -> bool:
    salted = bytes.fromhex(detail["salt"]) + detail["body"].encode()
    return hashlib.sha256(salted).hexdigest() == leaf.get("detail_hash")


def _stands(entry: Mapping[str, Any], data: str, checkpoint: Checkpoint) -> bool:
    try:
        hashes = [base64.b64decode(text, validate=True) for text in entry["hashes"]]
        root = root_by_inclusion(leaf_hash(data.encode()), entry["leaf_index"], checkpoint.size, hashes)
    except (KeyError, TypeError, ValueError):
        return False
    return root == checkpoint.root
