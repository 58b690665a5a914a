"""The merge and the storage of old bodies, measured on what people really wrote."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from documents.merge import merge_texts
from documents.payloads import digest, payload_for, rebuild
from tests.prove.conftest import rows


def test_merge_real_edits_as_their_authors_did(real_texts: Path) -> None:
    """Of 296 pairs of edits at least 205 merge cleanly, and each of those as the person kept it."""
    cases = rows(real_texts, "merges-*.jsonl.gz")
    results = [
        (merge_texts(case["base"], case["ours"], case["theirs"]).text, case["merged"]) for case in cases
    ]
    clean = [(text, kept) for text, kept in results if text is not None]
    equal = sum(text == kept for text, kept in clean)
    print(f"\n{len(clean)} of {len(cases)} merge cleanly, {equal} of them as the person kept it")  # noqa: T201
    assert len(clean) >= 205
    assert equal == len(clean)


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


@pytest.mark.parametrize(
    "lines",
    [
        [f"a sentence that stands on line {n}" for n in range(40_000)],
        ["x" if n % 3 else "" for n in range(700_000)],
        ["- " * 20 for _ in range(40_000)],
        ["> " * 30 + "a" if n % 2 else "b" for n in range(30_000)],
        ["|a" * 500 for n in range(2_000)],
    ],
    ids=["prose", "repeated", "lists", "quotes", "tables"],
)
def test_merge_largest_body_ends_soon(lines: list[str]) -> None:
    """Whatever 1-2 MB hold, a merge of them takes seconds at most."""
    base = "\n".join(lines)
    yours = "\n".join(["mine", *lines])
    current = "\n".join([*lines, "theirs"])
    started = time.process_time()
    merge_texts(base, yours, current)
    assert time.process_time() - started < 6
