"""Looking whether the trail is what was sealed: every event, every leaf, every root, every signature.

Reads alone, batch by batch, so that a trail of any length needs little memory and no long transaction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from audit.archive_files import ArchiveAbsent, ArchiveReader
from audit.archives import Archived
from audit.checkpoints import BadNote, Checkpoint, VerifierKey, checkpoint_read, verifier_keys
from audit.findings import Fault, Report
from audit.leaves import LEAF_SQL, leaf_data
from audit.merkle import Edge, leaf_hash
from audit.models import Archive, Event, EventLeaf, Seal
from audit.selectors.archives import archives_newest
from audit.selectors.events import BEGINNING, Position
from audit.services.archiving import ARCHIVED
from audit.services.erasure import PERSON_ERASED
from audit.witness import keys_witnessed

_BATCH = 5_000
_MOST_UNSEALED = 100
# The hash of a detail is taken where the detail lies: bodies needn't travel.
_ENTRIES_SQL = f"""
SELECT l.leaf, l.sequence, l.hash, d.sequence IS NOT NULL,
       sha256(d.salt || convert_to(d.body, 'UTF8')) = e.detail_hash, {LEAF_SQL}
FROM audit_eventleaf l
LEFT JOIN audit_event e ON e.sequence = l.sequence
LEFT JOIN audit_eventdetail d ON d.sequence = l.sequence
WHERE l.leaf >= %s AND l.leaf < %s ORDER BY l.leaf
"""  # noqa: S608 (our own fragment)
_UNSEALED_SQL = """
SELECT e.sequence FROM audit_event e
WHERE (e.epoch, e.xid, e.sequence) <= (%s, %s, %s)
  AND NOT EXISTS (SELECT FROM audit_eventleaf l WHERE l.sequence = e.sequence)
ORDER BY e.sequence LIMIT %s
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Expected:
    """A root that the tree must have at some size, and who says so."""

    root: bytes
    source: str


def trail_verify(
    notes: Iterable[str] = (),
    keys: Sequence[VerifierKey] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Check all that was sealed against itself, the seals' signatures, and `notes` kept elsewhere.

    `keys` are the verifier keys to trust, by default those of the ring and those that were kept beside the
    database. Raises BadNote for one of `notes` that none of them signed.
    """
    return _Verification(keys, progress).run(notes)


class _Verification:
    def __init__(self, keys: Sequence[VerifierKey] | None, progress: Callable[[int, int], None]) -> None:
        self._keys = keys
        self._progress = progress
        self._report = Report()
        self._expected: dict[int, list[Expected]] = {}
        # Before the events that tell of them, so that one which is made meanwhile isn't taken for unrecorded.
        self._known = archives_newest()
        self._archives = ArchiveReader(self._known, self._report_broken)
        self._erased = set(_sequences(Event.objects.filter(action=PERSON_ERASED)))
        records = Event.objects.filter(action__in=(ARCHIVED, PERSON_ERASED))
        self._recorded = {facts.get("sha256") for facts in _facts(records)}
        # Of archived events, whose erasure may stand in a later archive than they.
        self._bare: list[int] = []
        self._size = 0
        self._leaves = 0
        self._highest = 0
        self._position = BEGINNING

    def run(self, notes: Iterable[str]) -> Report:
        for note in notes:
            self._expect(self._read(note), "a checkpoint that was kept")
            self._report.notes += 1
        last = self._read_seals()
        self._read_entries()
        self._judge_archives()
        self._look_for_unsealed()
        self._look_for_a_cut(last)
        return self._report

    def _read(self, note: str) -> Checkpoint:
        origin = note.partition("\n")[0]
        trusted = self._keys or [*verifier_keys(origin), *keys_witnessed()]
        return checkpoint_read(note, trusted)

    def _expect(self, checkpoint: Checkpoint, source: str) -> None:
        self._expected.setdefault(checkpoint.size, []).append(Expected(checkpoint.root, source))

    def _read_seals(self) -> Seal | None:
        """Take in what each seal says; one that contradicts itself speaks of its first entry."""
        seal = None
        for seal in Seal.objects.order_by("tree_size").iterator(_BATCH):
            self._report.seals += 1
            begins = self._size == seal.first_leaf and seal.last_leaf == seal.tree_size - 1
            if not begins:
                self._report.add(seal.first_sequence, Fault.MISSING, "a seal is missing before its own")
            self._size = seal.tree_size
            try:
                checkpoint = self._read(seal.note)
            except BadNote as error:
                self._report.add(seal.first_sequence, Fault.ALTERED, f"its seal's signature: {error}")
                continue
            if (checkpoint.size, checkpoint.root) != (seal.tree_size, bytes(seal.root)):
                self._report.add(seal.first_sequence, Fault.ALTERED, "its seal is not what was signed")
            self._expect(checkpoint, "its seal")
        return seal

    def _read_entries(self) -> None:
        edge: Edge | None = Edge()
        batch_first, batch_faults = 0, 0
        for leaf, sequence, stored, *rest in _entries(self._size):
            if edge is not None and leaf != edge.size:
                self._report_gap(edge.size, sequence)
                edge = None  # without it no root can be made
            self._judge(leaf, sequence, bytes(stored), rest)
            self._report.entries += 1
            self._leaves = leaf + 1
            self._highest = max(self._highest, sequence)
            if edge is None:
                continue
            batch_first = batch_first or sequence
            list(edge.append(bytes(stored)))
            if edge.size in self._expected:
                if len(self._report.findings) == batch_faults:
                    self._compare(edge, batch_first)
                batch_first, batch_faults = 0, len(self._report.findings)
            if edge.size % _BATCH == 0:
                self._progress(edge.size, self._size)
        self._progress(1, 1)

    def _judge(self, leaf: int, sequence: int, stored: bytes, rest: Sequence[Any]) -> None:
        has_detail, fits, row = rest[0], rest[1], rest[2:]
        if row[0] is None:
            self._judge_absent(leaf, sequence, stored)
            return
        self._position = max(self._position, Position(row[1], row[2], sequence))
        if leaf_hash(leaf_data(row)) != stored:
            self._report.add(sequence, Fault.ALTERED, "the event is not what its leaf says")
        elif has_detail and not fits:
            self._report.add(sequence, Fault.ALTERED, "its detail is not what was sealed")
        elif not has_detail and sequence in self._erased:
            self._report.erased += 1
        elif not has_detail:
            self._report.add(sequence, Fault.ALTERED, "its detail is gone, and no erasure says so")

    def _judge_absent(self, leaf: int, sequence: int, stored: bytes) -> None:
        """An event that is not in the database, and so must stand in an archive."""
        archive = self._archives.covers(sequence)
        if archive is None:
            self._report.add(sequence, Fault.MISSING, "its leaf is there, the event is not")
            return
        found = self._archives.find(archive, leaf)
        if found is not None:
            self._judge_archived(sequence, stored, found)
        elif not self._archives.is_lost(archive):
            self._report.add(sequence, Fault.MISSING, "neither the database nor its archive has the event")

    def _judge_archived(self, sequence: int, stored: bytes, found: Archived) -> None:
        self._report.archived += 1
        self._position = max(self._position, Position(found.epoch, found.xid, sequence))
        if found.sequence != sequence or found.hash != stored:
            self._report.add(sequence, Fault.ALTERED, "the archived event is not what its leaf says")
        elif found.has_detail and not found.fits:
            self._report.add(sequence, Fault.ALTERED, "its archived detail is not what was sealed")
        elif not found.has_detail:
            self._bare.append(sequence)
        if found.action == PERSON_ERASED:
            self._erased.update(found.facts.get("sequences", ()))
        if found.action in {ARCHIVED, PERSON_ERASED}:
            self._recorded.add(found.facts.get("sha256"))

    def _report_broken(self, archive: Archive, error: Exception) -> None:
        fault = Fault.MISSING if isinstance(error, ArchiveAbsent) else Fault.ALTERED
        self._report.add(archive.first_sequence, fault, f"its range was archived: {error}")

    def _judge_archives(self) -> None:
        """What can be judged only when all erasures and records of archives were read, archived ones too."""
        for sequence in self._bare:
            if sequence in self._erased:
                self._report.erased += 1
            else:
                self._report.add(sequence, Fault.ALTERED, "its detail is gone, and no erasure says so")
        for archive in self._known:
            if bytes(archive.sha256).hex() not in self._recorded:
                why = "no event says that its range was archived in this file"
                self._report.add(archive.first_sequence, Fault.MISSING, why)

    def _report_gap(self, leaf: int, following: int) -> None:
        """A leaf is gone. Which event it was of only its seal's range can tell."""
        seal = Seal.objects.filter(first_leaf__lte=leaf, last_leaf__gte=leaf).first()
        if seal is not None:
            within = Event.objects.filter(sequence__gte=seal.first_sequence, sequence__lte=seal.last_sequence)
            orphans = within.exclude(Exists(EventLeaf.objects.filter(sequence=OuterRef("sequence"))))
            orphan = orphans.order_by("sequence").values_list("sequence", flat=True).first()
            following = orphan or following
        self._report.add(following, Fault.MISSING, "a leaf of the tree is gone")

    def _compare(self, edge: Edge, first: int) -> None:
        root = edge.root()
        for expected in self._expected[edge.size]:
            if expected.root != root:
                self._report.add(
                    first, Fault.ALTERED, f"the tree from it on is not that of {expected.source}"
                )

    def _look_for_unsealed(self) -> None:
        """An event that was there when a later one was sealed, and has no leaf, was put in afterwards."""
        with connection.cursor() as cursor:
            cursor.execute(_UNSEALED_SQL, [*self._position, _MOST_UNSEALED])
            for (sequence,) in cursor.fetchall():
                self._report.add(sequence, Fault.ALTERED, "it was put in after later ones were sealed")

    def _look_for_a_cut(self, last: Seal | None) -> None:
        """Whoever says that the tree was larger than it is tells of a tail that was cut off."""
        sizes = [*self._expected, *([last.tree_size] if last else [])]
        if max(sizes, default=0) > self._leaves:
            text = f"the log had {max(sizes)} entries and ends after {self._leaves}"
            self._report.add(self._highest + 1, Fault.CUT, text)


def _entries(size: int) -> Iterator[tuple[Any, ...]]:
    for start in range(0, size, _BATCH):
        with connection.cursor() as cursor:
            cursor.execute(_ENTRIES_SQL, [start, min(start + _BATCH, size)])
            yield from cursor.fetchall()


def _facts(events: QuerySet[Event]) -> Iterator[dict[str, Any]]:
    yield from events.values_list("facts", flat=True)


def _sequences(erasures: QuerySet[Event]) -> Iterator[int]:
    """The events whose details erasures say that they took."""
    for facts in _facts(erasures):
        yield from facts.get("sequences", ())
