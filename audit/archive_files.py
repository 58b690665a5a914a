"""Ranges as files: writing one, and reading those that were written back in the order of the leaves."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import itertools
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import orjson

from audit.archives import Archived, archive_judge, archive_leaves, archive_lines
from audit.checkpoints import BadNote, VerifierKey
from audit.exporting import ndjson_head, ndjson_lines
from audit.models import Archive, Event, EventLeaf, Seal
from audit.selectors.archives import Span
from audit.selectors.log import log_keys
from audit.selectors.tree import Tree
from audit.showing import event_bared
from audit.witness import keys_witnessed
from cloudscribe.lib.errors import ServiceUnavailable
from cloudscribe.lib.renderers import dump_json
from cloudscribe.lib.storage import file_pieces, file_save, temporary_file

_WINDOW = 500
_PIECE = 1024 * 1024


class BadArchive(Exception):
    """An archive is not the file that was recorded; the message says why."""


class ArchiveAbsent(BadArchive):
    """The storage doesn't give the file."""


def archive_write(sink: BinaryIO, span: Span, seal: Seal, progress: Callable[[int], None]) -> None:
    """Write the events of a range that stand under a seal, packed, in the order of their leaves."""
    done, tree = 0, Tree()
    with gzip.GzipFile(fileobj=sink, mode="wb", filename="", mtime=0, compresslevel=6) as packed:
        packed.write(ndjson_head(seal))
        for numbers in _windows(span, seal.tree_size):
            rows = Event.objects.select_related("detail").in_bulk(numbers)
            events = [rows[number] for number in numbers if number in rows]
            packed.writelines(ndjson_lines(events, tree, seal))
            done += len(events)
            progress(done)


def archive_store(archive: Archive, content: BinaryIO) -> None:
    """Save a file as the archive's, and note its size and digest there."""
    digest = hashlib.sha256()
    archive.size = content.seek(0, 2)
    content.seek(0)
    while piece := content.read(_PIECE):
        digest.update(piece)
    archive.sha256 = digest.digest()
    file_save(archive.path, content)


def archive_rewrite(source: BinaryIO, sink: BinaryIO, person: uuid.UUID) -> list[int]:
    """Write an archive anew without the details of what concerns a person; the numbers of those that had one.

    They are the ones that `cs_audit_erase` would take: what the person did, and what is about or names them.
    """
    gone, wanted = [], str(person).encode()
    with gzip.GzipFile(fileobj=sink, mode="wb", filename="", mtime=0, compresslevel=6) as packed:
        for line in archive_lines(source):
            entry = orjson.loads(line) if wanted in line else {}
            if entry.get("detail") is not None and wanted in orjson.dumps(_ids(orjson.loads(entry["leaf"]))):
                gone.append(entry["event"]["sequence"])
                packed.write(
                    dump_json({**entry, "event": event_bared(entry["event"]), "detail": None}) + b"\n"
                )
            else:
                packed.write(line)
    return gone


def _ids(leaf: dict[str, Any]) -> list[Any]:
    return [leaf[name] for name in ("actor_uid", "on_behalf_of", "target_uid", "facts")]


def _windows(span: Span, size: int) -> Iterator[list[int]]:
    """The numbers of a range by the order of their leaves, some at a time."""
    leaves = EventLeaf.objects.filter(sequence__range=span)
    first = leaves.order_by("leaf").values_list("leaf", flat=True).first()
    last = leaves.order_by("-leaf").values_list("leaf", flat=True).first()
    if first is None or last is None:
        return
    for start in range(first, min(last + 1, size), _WINDOW):
        # By the leaf alone, which reads so many rows and no more, whatever the planner knows of the range.
        window = EventLeaf.objects.filter(leaf__gte=start, leaf__lt=min(start + _WINDOW, size))
        pairs = window.order_by("leaf").values_list("sequence", flat=True)
        yield [sequence for sequence in pairs if span.first <= sequence <= span.last]


@contextlib.contextmanager
def archive_opened(archive: Archive) -> Iterator[BinaryIO]:
    """A copy of the stored file, on this machine's disk; raises BadArchive where it is another."""
    digest = hashlib.sha256()
    with temporary_file() as copy:
        try:
            for piece in file_pieces(archive.path, 0, archive.size):
                digest.update(piece)
                copy.write(piece)
        except (OSError, ServiceUnavailable) as error:
            raise ArchiveAbsent(f"{archive.path} can't be had from the storage") from error
        if digest.digest() != bytes(archive.sha256):
            raise BadArchive(f"{archive.path} is not the file that was recorded")
        yield copy


def archive_check(archive: Archive) -> None:
    """See that the stored file holds every leaf of its range with its proof; raises BadArchive."""
    keys: list[VerifierKey] = [*log_keys(), *keys_witnessed()]
    leaves = EventLeaf.objects.filter(sequence__range=(archive.first_sequence, archive.last_sequence))
    with archive_opened(archive) as source:
        try:
            report = archive_judge(source, keys)
        except BadNote as error:
            raise BadArchive(f"{archive.path}: {error}") from error
        if report.findings or (report.entries, report.erased) != (archive.events, archive.erased):
            raise BadArchive(f"{archive.path} doesn't prove what it holds")
        rows = leaves.order_by("leaf").values_list("leaf", "sequence", "hash").iterator(5_000)
        stored = ((leaf, sequence, bytes(found)) for leaf, sequence, found in rows)
        kept = ((line.leaf, line.sequence, line.hash) for line in archive_leaves(source))
        if any(one != other for one, other in itertools.zip_longest(stored, kept)):
            raise BadArchive(f"{archive.path} doesn't hold every event of its range")


@dataclasses.dataclass(slots=True)
class _Reading:
    lines: Iterator[Archived]
    ahead: Archived | None = None


class ArchiveReader:
    """What archives hold of leaves that are asked for in ascending order; each file is read once."""

    def __init__(self, archives: Sequence[Archive], broken: Callable[[Archive, Exception], None]) -> None:
        """`broken` is told of an archive that can't be read, or not to its end, and why."""
        self._archives = archives
        self._broken = broken
        self._open: dict[int, _Reading] = {}
        self._lost: set[int] = set()

    def covers(self, sequence: int) -> Archive | None:
        """The archive whose range a number lies in."""
        found = (row for row in self._archives if row.first_sequence <= sequence <= row.last_sequence)
        return next(found, None)

    def is_lost(self, archive: Archive) -> bool:
        """Whether `broken` was told of it."""
        return archive.first_sequence in self._lost

    def find(self, archive: Archive, leaf: int) -> Archived | None:
        """What the archive says of a leaf; None where it says nothing."""
        reading = self._open.get(archive.first_sequence)
        if reading is None:
            reading = self._open[archive.first_sequence] = _Reading(self._read(archive))
        while reading.ahead is None or reading.ahead.leaf < leaf:
            reading.ahead = next(reading.lines, None)
            if reading.ahead is None:
                return None
        return reading.ahead if reading.ahead.leaf == leaf else None

    def _read(self, archive: Archive) -> Iterator[Archived]:
        try:
            with archive_opened(archive) as source:
                yield from archive_leaves(source)
        except (BadArchive, OSError, EOFError, ValueError, zlib.error) as error:
            self._lost.add(archive.first_sequence)
            self._broken(archive, error)
