"""Real histories, replayed edit by edit: every body comes back, and every line is whose git says."""

from __future__ import annotations

import http.client
import itertools
import json
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


class Wire:
    """A client of the API over one connection to real web workers."""

    def __init__(self, port: int, token: str | None) -> None:
        self.token = token
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json", etag: str = ""
    ) -> tuple[bytes, str]:
        """The body and the ETag of an answer that must be 200; `etag` is what was edited from."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        self.connection.request(
            method, f"/api/v1/{path}", body, headers | ({"If-Match": etag} if etag else {})
        )
        answer = self.connection.getresponse()
        found = answer.read()
        assert answer.status == 200, (method, path, answer.status, found[:300])
        return found, answer.headers["ETag"]

    def write(self, document: str, number: int, body: str, etag: str) -> str:
        """Every other revision as JSON, the rest as what they are; the next ETag."""
        path = f"documents/{document}/"
        if number % 2:
            changes = json.dumps({"content": body}).encode()
            found, etag = self.ask("PATCH", path, changes, etag=etag)
        else:
            found, etag = self.ask("PUT", f"{path}content/", body.encode(), "text/markdown", etag)
        answer = json.loads(found)
        assert (answer["revision"], answer["merged"], answer["content"]) == (number, False, body)
        assert self.ask("GET", f"{path}content/")[0] == body.encode()
        return etag


def test_replayed_histories_come_back_byte_for_byte(
    port: int, histories: list[dict[str, Any]], client_for: Callable[..., ApiClient], tmp_path: Path
) -> None:
    """Written over HTTP with If-Match and read one by one: as they were, diffs and blame as git's.

    What is stored are at most 15 % of the text.
    """
    caches["default"].clear()
    world = World(client_for)
    wire = Wire(port, world.owner.token)
    raw, count, documents = 0, 0, []
    for at, history in enumerate(histories):
        bodies = [revision["body"] for revision in history["revisions"]]
        raw += sum(len(body.encode()) for body in bodies)
        count += len(bodies)
        document = world.document(history["file"], content=bodies[0])
        documents.append(document)
        etag = wire.ask("GET", f"documents/{document}/")[1]
        for number, body in enumerate(bodies[1:], start=2):
            etag = wire.write(document, number, body, etag)
        folder = tmp_path / str(at)
        folder.mkdir()
        read_back(wire, document, bodies, repository(folder, bodies))
    with connection.cursor() as cursor:
        cursor.execute(_STORED_SQL, [documents])
        octets, columns = cursor.fetchone()
    print(  # noqa: T201
        f"\n{count} revisions, {octets} bytes of payloads ({columns} as stored) for {raw} of text: "
        f"{octets / raw:.1%}"
    )
    assert count == 347
    assert columns <= raw * 0.15


def read_back(wire: Wire, document: str, bodies: Sequence[str], folder: Path) -> None:
    """Each revision, what changed by it, and who wrote its lines, held against the repository in `folder`."""
    page = folder / "page"
    for number, body in enumerate(bodies, start=1):
        path = f"documents/{document}/revisions/{number}/"
        assert json.loads(wire.ask("GET", path)[0])["content"] == body
        if number > 1:
            patch, _ = wire.ask("GET", f"{path}diff/?against={number - 1}&format=unified")
            page.write_bytes(bodies[number - 2].encode())
            git(folder, "apply", "--whitespace=nowarn", "-", given=onto_page(patch))
            assert page.read_bytes() == body.encode()
        blame = json.loads(wire.ask("GET", f"documents/{document}/blame/?revision={number}")[0])
        assert blame["complete"] is True
        assert "".join(row["text"] for row in blame["lines"]) == body
        found = [row["revision"] for row in blame["lines"] for _ in range(row["count"])]
        assert found == blamed_by_git(folder, number)


def onto_page(patch: bytes) -> bytes:
    """The unified diff of two revisions as one of a file called `page`."""
    _, _, hunks = patch.split(b"\n", 2)
    return b"--- a/page\n+++ b/page\n" + hunks
