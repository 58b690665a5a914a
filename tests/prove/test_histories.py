"""Real histories, replayed edit by edit: every body comes back, and every line is whose git says."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection

from documents.alignment import lines_of
from documents.blaming import Trace
from documents.diffs import unified, word_hunks
from tests.documents.world import World
from tests.fixtures import ApiClient
from tests.prove.conftest import rows

_STORED_SQL = """
SELECT sum(octet_length(p.payload)), sum(pg_column_size(p.payload))
FROM documents_revisionpayload p JOIN documents_revision r ON r.id = p.revision_id
JOIN documents_document d ON d.id = r.document_id WHERE d.uid = ANY(%s)
"""


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What git says, by its own defaults whatever the machine's configuration is."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], input=given, capture_output=True, check=True, env=environment
    )
    return done.stdout


def repository(folder: Path, bodies: Sequence[str]) -> Path:
    """A repository with a commit for each body, by the committer `r<number>`, under a tag of that number."""
    stream = []
    for number, body in enumerate(bodies, start=1):
        content = body.encode()
        stream.append(
            b"commit refs/heads/main\ncommitter r%d <r@example.org> %d +0000\ndata 1\nx\n" % (number, number)
        )
        stream.append(
            b"M 100644 inline page\ndata %d\n%s\nreset refs/tags/%d\nfrom refs/heads/main\n\n"
            % (len(content), content, number)
        )
    git(folder, "init", "-q", "-b", "main")
    git(folder, "fast-import", "--quiet", given=b"".join(stream))
    return folder


def blamed_by_git(folder: Path, number: int) -> list[int]:
    """The revision of each line, as git has it."""
    text = git(folder, "blame", "--line-porcelain", str(number), "--", "page")
    return [int(line.split()[1][1:]) for line in text.split(b"\n") if line.startswith(b"committer ")]


@pytest.fixture
def histories(real_texts: Path) -> list[dict[str, Any]]:
    """The bodies of each file, oldest first."""
    return rows(real_texts, "histories-*.jsonl.gz")


def test_blame_of_every_revision_is_gits(histories: list[dict[str, Any]], tmp_path: Path) -> None:
    """Of each of the 347 revisions each line: none is attributed otherwise than by git."""
    lines = 0
    for at, history in enumerate(histories):
        bodies = [revision["body"] for revision in history["revisions"]]
        folder = tmp_path / str(at)
        folder.mkdir()
        repository(folder, bodies)
        for number in range(1, len(bodies) + 1):
            trace = Trace(number, bodies[number - 1].encode())
            for older in range(number - 1, 0, -1):
                trace.step(older, bodies[older - 1].encode())
            blame = trace.result()
            found = [blame.revision_of(run) for run in blame.runs for _ in range(run.count)]
            assert found == blamed_by_git(folder, number), (history["file"], number)
            lines += len(found)
    print(f"\n{lines} lines attributed as by git")  # noqa: T201


def test_diffs_of_real_histories_are_applied_by_git(histories: list[dict[str, Any]], tmp_path: Path) -> None:
    """Each revision's difference to the one before gives it, applied by git; words make up both sides."""
    git(tmp_path, "init", "-q")
    page = tmp_path / "page"
    for history in histories:
        bodies = [revision["body"] for revision in history["revisions"]]
        for old, new in itertools.pairwise(bodies):
            if old == new:
                continue
            page.write_bytes(old.encode())
            patch = unified(old, new, "a/page", "b/page")
            git(tmp_path, "apply", "--whitespace=nowarn", "-", given=patch.encode())
            assert page.read_bytes().decode() == new
            assert sides(old, new) == (old, new)


def sides(old: str, new: str) -> tuple[str, str]:
    """Both texts, put together from what the words diff says and what lies between its hunks."""
    texts = []
    for start, count, lines, dropped in (
        ("old_start", "old_lines", lines_of(old), "insert"),
        ("new_start", "new_lines", lines_of(new), "delete"),
    ):
        made, at = [], 0
        for hunk in word_hunks(old, new):
            first = hunk[start] - bool(hunk[count])
            made += lines[at:first]
            made += [word["text"] for word in hunk["words"] if word["op"] != dropped]
            at = first + hunk[count]
        texts.append("".join([*made, *lines[at:]]))
    return texts[0], texts[1]


@pytest.mark.django_db(transaction=True)
def test_replayed_histories_come_back_byte_for_byte(
    histories: list[dict[str, Any]], client_for: Callable[..., ApiClient], tmp_path: Path
) -> None:
    """By PATCH with If-Match, read one by one, blamed as by git; stored are at most 15 % of the text."""
    caches["default"].clear()
    world = World(client_for)
    raw, documents = 0, []
    for at, history in enumerate(histories):
        bodies = [revision["body"] for revision in history["revisions"]]
        raw += sum(len(body.encode()) for body in bodies)
        document = world.document(history["file"], content=bodies[0])
        documents.append(document)
        path = f"documents/{document}/"
        etag = world.owner.get(path).headers["ETag"]
        for number, body in enumerate(bodies[1:], start=2):
            answer = world.owner.patch(path, {"content": body}, If_Match=etag)
            assert World.ok(answer)["revision"] == number
            etag = answer.headers["ETag"]
        for number, body in enumerate(bodies, start=1):
            assert World.ok(world.owner.get(f"{path}revisions/{number}/"))["content"] == body
        folder = tmp_path / str(at)
        folder.mkdir()
        repository(folder, bodies)
        for number in (len(bodies) // 2, len(bodies)):
            blame = World.ok(world.owner.get(f"{path}blame/?revision={number}"))
            assert blame["complete"] is True
            found = [row["revision"] for row in blame["lines"] for _ in range(row["count"])]
            assert found == blamed_by_git(folder, number)
            assert "".join(row["text"] for row in blame["lines"]) == bodies[number - 1]
    with connection.cursor() as cursor:
        cursor.execute(_STORED_SQL, [documents])
        octets, columns = cursor.fetchone()
    print(  # noqa: T201
        f"\n{octets} bytes of payloads ({columns} as stored) for {raw} of text: {octets / raw:.1%}"
    )
    assert columns <= raw * 0.15
