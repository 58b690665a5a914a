"""What a verification found."""

from __future__ import annotations

import bisect
import dataclasses
import enum

_MOST_FINDINGS = 100


class Fault(enum.StrEnum):
    """What is wrong with an entry."""

    ALTERED = "altered"
    CUT = "cut"
    MISSING = "missing"


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Finding:
    """An event by number and what is wrong with it; `why` says how that was seen."""

    sequence: int
    fault: Fault
    why: str = dataclasses.field(compare=False)

    def __str__(self) -> str:
        return f"sequence {self.sequence}: {self.fault}"


@dataclasses.dataclass(slots=True)
class Report:
    """What was looked at and what was found, the lowest number first."""

    entries: int = 0
    seals: int = 0
    notes: int = 0
    erased: int = 0
    archived: int = 0
    findings: list[Finding] = dataclasses.field(default_factory=list)

    def add(self, sequence: int, fault: Fault, why: str) -> None:
        """Note something wrong; each entry once, and no more than a person would read."""
        known = any(finding.sequence == sequence for finding in self.findings)
        if not known and len(self.findings) < _MOST_FINDINGS:
            bisect.insort(self.findings, Finding(sequence, fault, why))
