"""The merge and the storage of old bodies, measured on what people really wrote, and attacked."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from documents.merge import merge_texts
from documents.payloads import digest, payload_for, rebuild
from tests.documents.edits import drawn
from tests.documents.losses import line_losses, torn, word_losses
from tests.prove.conftest import rows

_ATTACKS = 5_000


def by_git(folder: Path, case: dict[str, Any]) -> bool:
    """Whether git merges a case by lines."""
    names = ("ours", "base", "theirs")
    for name in names:
        (folder / name).write_bytes(case[name].encode())
    command = ["git", "merge-file", "-p", "-q", *(str(folder / name) for name in names)]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_merge_real_edits_as_their_authors_did(real_texts: Path, tmp_path: Path) -> None:
    """Of 296 pairs of edits more merge cleanly than by git, at most 4 % other than the person kept it.

    And nothing that one side alone wrote is missing, nor is anything back that one deleted.
    """
    cases = rows(real_texts, "merges-*.jsonl.gz")
    clean = equal = spaces = git = 0
    lost = []
    for case in cases:
        git += by_git(tmp_path, case)
        texts = (case["base"], case["ours"], case["theirs"])
        merged = merge_texts(*texts).text
        if merged is None:
            continue
        clean += 1
        equal += merged == case["merged"]
        spaces += merged != case["merged"] and merged.split() == case["merged"].split()
        lost += [*word_losses(*texts, merged), *line_losses(*texts, merged)]
    print(  # noqa: T201
        f"\n{clean} of {len(cases)} merge cleanly ({git} by git merge-file), {equal} as the person kept it, "
        f"{spaces} but for white space, {clean - equal - spaces} otherwise; lost or revived: {lost}"
    )
    assert clean > git >= 205
    assert clean - equal <= 0.04 * clean
    assert lost == []


def test_merge_attacked_breaks_nothing() -> None:
    """Thousands of documents edited to make trouble: what merges cleanly has every word and is whole."""
    first = random.SystemRandom().randrange(2**32)
    clean = 0
    suspect = {}
    for seed in range(first, first + _ATTACKS):
        texts = drawn(seed)
        merged = merge_texts(*texts).text
        if merged is not None:
            clean += 1
            assert word_losses(*texts, merged) == [], seed
            assert line_losses(*texts, merged) == [], seed
            if found := torn(*texts, merged):
                suspect[seed] = found
    print(f"\n{clean} of {_ATTACKS} merge cleanly, from seed {first}; to look at: {suspect}")  # noqa: T201
    # Where both sides broke the markup, each in its way, the count can't tell whose it is.
    assert len(suspect) <= 0.005 * clean


def test_payloads_of_real_histories_are_small(real_texts: Path) -> None:
    """Every revision comes back, and what is stored is a small part of the texts."""
    stored = whole = count = 0
    for history in rows(real_texts, "histories-*.jsonl.gz"):
        bodies = [revision["body"] for revision in history["revisions"]]
        chain = [payload_for(number, bodies[number - 1], bodies[number]) for number in range(1, len(bodies))]
        count += len(chain)
        stored += sum(len(payload.data) for payload in chain)
        whole += sum(len(body.encode()) for body in bodies[:-1])
        for number in range(1, len(bodies)):
            assert rebuild(chain[number - 1 :][::-1], bodies[-1], digest(bodies[number - 1]))
    print(f"\n{stored // count} bytes a revision of {whole // count}")  # noqa: T201
    assert stored < whole / 15


LARGEST = {
    "prose": [f"a sentence that stands on line {n}" for n in range(40_000)],
    "paragraphs": [f"a sentence that stands on line {n}" if n % 2 else "" for n in range(60_000)],
    "one line": ["word and word, " * 70_000],
    "equal": ["x"] * 1_000_000,
    "alternating": ["a" if n % 2 else "b" for n in range(500_000)],
    "repeated": ["x" if n % 3 else "" for n in range(700_000)],
    "nested lists": ["- " * 20 for _ in range(40_000)],
    "lists": [f"- item {n} of a list" for n in range(50_000)],
    "quotes": ["> " * 30 + "a" if n % 2 else "b" for n in range(30_000)],
    "containers": [("> - " * 10 if n % 2 else "1. > " * 8) + f"z{n}" for n in range(25_000)],
    "tables": ["|a" * 500 for n in range(2_000)],
    "labels": [f"[a{n}]: b" for n in range(99_000)],
    "signs": ["*a `b [c](d <!-- " * 2_000 for _ in range(30)],
}


@pytest.mark.parametrize("edit", ["ends", "middle", "everywhere"])
@pytest.mark.parametrize("name", LARGEST)
def test_merge_largest_body_ends_within_a_second(name: str, edit: str) -> None:
    """Whatever 1-2 MB hold, they merge or are refused in less than a second of CPU."""
    lines = LARGEST[name]
    yours, current = list(lines), list(lines)
    if edit == "ends":
        yours.insert(0, "mine")
        current.append("theirs")
    elif edit == "middle":
        yours.insert(len(lines) // 3, "mine")
        current.insert(len(lines) // 2, "theirs")
    else:
        yours = [f"{line} mine" for line in lines]
        current = [f"theirs {line}" for line in lines]
    texts = ["\n".join(side) for side in (lines, yours, current)]
    started = time.process_time()
    result = merge_texts(*texts)
    taken = time.process_time() - started
    outcome = "clean" if result.text is not None else result.conflicts[0].reason
    print(f"\n{name}, {edit}: {len(texts[0]) / 1e6:.1f} MB, {taken:.2f} s, {outcome}")  # noqa: T201
    assert taken < 1
