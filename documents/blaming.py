"""Who wrote which line: a walk from a body back through those before it, as `git blame` does it. Pure."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence

from documents.alignment import changes, line_count


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """Consecutive lines that came with one revision.

    Of lines that are older than the walk has come `revision` is 0, and `place` says which line of the body
    of `Blame.oldest` the first of them is, from 0.
    """

    count: int
    revision: int
    place: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Blame:
    """What is known of the lines of revision `number`.

    `oldest` is how far the walk came; `is_ended` that there is nothing more to find. Before the revisions in
    `gaps` some are missing, so what is theirs may be older.
    """

    number: int
    oldest: int
    is_ended: bool
    gaps: tuple[int, ...]
    runs: tuple[Run, ...]

    def is_exact(self, run: Run) -> bool:
        """Whether the lines came with that revision for sure, and not with one before it."""
        return self.oldest == 1 if run.revision == 0 else run.revision not in self.gaps

    def revision_of(self, run: Run) -> int:
        """The revision that the lines came with, or the oldest that is known to have them."""
        return run.revision or self.oldest


class Trace:
    """The walk: begin at a body, or at `known` with the body of its oldest, then step from older to older."""

    def __init__(self, number: int, body: bytes, known: Blame | None = None) -> None:
        self.number = number
        self.oldest = known.oldest if known else number
        self.gaps = list(known.gaps) if known else []
        self.is_ended = False
        self._body = body
        # By line of the first body: the revision it came with, 0 as long as it isn't known.
        self._owners: list[int] = []
        # By line of the body that the walk has come to: which line of the first one it is, -1 for none.
        self._lines = list(range(line_count(body)))
        if known is None:
            self._owners = [0] * len(self._lines)
        else:
            self._resume(known)
        # By line of the first body, of those that a known blame leaves open: the place there.
        self._places: dict[int, int] = {}
        self._open = self._owners.count(0)

    def _resume(self, known: Blame) -> None:
        self._lines = [-1] * len(self._lines)
        for run in known.runs:
            if not run.revision:
                first = len(self._owners)
                self._lines[run.place : run.place + run.count] = range(first, first + run.count)
            self._owners += [run.revision] * run.count

    @property
    def is_found(self) -> bool:
        """Whether the revision of every line is known."""
        return not self._open

    def step(self, number: int, body: bytes) -> None:
        """Go on to the body of an older revision: what isn't in it came after it."""
        if number < self.oldest - 1:
            self.gaps.append(self.oldest)
        found, lines, at = changes(body, self._body), [], 0
        for start, end, other, other_end in found:
            lines += self._lines[at:other]
            self._attribute(self._lines[other:other_end])
            lines += [-1] * (end - start)
            at = other_end
        if found:
            self._lines = lines + self._lines[at:]
        self.oldest, self._body = number, body

    def _attribute(self, lines: list[int]) -> None:
        for line in lines:
            if line >= 0:
                self._owners[line] = self.oldest
                self._open -= 1

    def adopt(self, known: Blame) -> None:
        """Take the rest from what is known of the revision that the walk has come to, and end here."""
        owners = list(itertools.chain.from_iterable(_spread(run) for run in known.runs))
        for place, line in enumerate(self._lines):
            if line < 0:
                continue
            revision, older = owners[place]
            if revision:
                self._owners[line] = revision
                self._open -= 1
            else:
                self._places[line] = older
        self.gaps += known.gaps
        self.oldest, self.is_ended = known.oldest, known.is_ended
        self._lines = []

    def result(self) -> Blame:
        """What is known by now."""
        places = self._places or {line: place for place, line in enumerate(self._lines) if line >= 0}
        runs = tuple(_runs(self._owners, places))
        ended = self.is_ended or self.is_found or self.oldest == 1
        return Blame(self.number, self.oldest, ended, tuple(self.gaps), runs)


def _runs(owners: Sequence[int], places: Mapping[int, int]) -> Iterator[Run]:
    start = 0
    for line in range(1, len(owners) + 1):
        revision = owners[start]
        if line == len(owners) or owners[line] != revision:
            yield Run(line - start, revision, 0 if revision else places[start])
            start = line
        elif not revision and places[line] - places[start] != line - start:
            yield Run(line - start, 0, places[start])
            start = line


def _spread(run: Run) -> list[tuple[int, int]]:
    return [(run.revision, run.place + at) for at in range(run.count)]
