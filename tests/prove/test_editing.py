"""Editing over HTTP as it really happens: real conflicts, fifty writers, bodies of a megabyte."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from documents.models import Revision
from tests.documents.blind import insist
from tests.documents.editing import Page, page_make
from tests.fixtures import ApiClient
from tests.prove.conftest import rows
from tests.prove.test_merges import LARGEST

WRITERS, SUCCESSES = 50, 1_000


@pytest.mark.django_db(transaction=True)
def test_edit_blind_client_resolves_real_conflicts(
    client_for: Callable[..., ApiClient], real_texts: Path
) -> None:
    """Each pair of real edits goes in: merged, or by one 409 from which alone the client goes on."""
    chance = random.Random(1)
    seen: Counter[str] = Counter()
    page = page_make(client_for)
    etag = page.etag
    for case in rows(real_texts, "merges-*.jsonl.gz"):
        page.etag = page.edit(etag=etag, content=case["base"]).headers["ETag"]
        page.edit(content=case["theirs"])
        answer, refused = insist(page, case["ours"], chance)
        assert (answer.status_code, refused <= 1) == (200, True)
        etag = answer.headers["ETag"]
        seen["409" if refused else "merged"] += 1
    print(f"\n{dict(seen)}")  # noqa: T201
    assert seen["409"] > 20


class Writer:
    """One of many who write one document over connections of their own."""

    def __init__(self, port: int, page: Page, client: ApiClient, number: int) -> None:
        self.page, self.client, self.number = page, client, number
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.statuses: Counter[int] = Counter()

    def write(self, content: str, tickets: Iterator[int]) -> None:
        """A word for each ticket in one's own paragraph, from the version last seen: `content` at first."""
        etag = self.page.etag
        for ticket in tickets:
            status = 0
            while status != 200:
                own = f"paragraph {self.number}."
                wanted = content.replace(own, f"{own} word{ticket}", 1)
                status, body, headers = self.patch(wanted, etag)
                self.statuses[status] += 1
                assert status in {200, 503}, json.loads(body).get("conflicts", body)
            content, etag = json.loads(body)["content"], headers["ETag"]

    def patch(self, content: str, etag: str) -> tuple[int, bytes, Any]:
        """The status, body and headers of one write."""
        headers = {
            "Authorization": f"Bearer {self.client.token}",
            "Content-Type": "application/json",
            "If-Match": etag,
        }
        body = json.dumps({"content": content})
        self.connection.request("PATCH", f"/api/v1/{self.page.path}", body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer.headers


def test_edit_fifty_writers_make_a_thousand_revisions(
    port: int, client_for: Callable[..., ApiClient]
) -> None:
    """1,000 successes are 1,000 revisions, each on the one before, and every word stands there once."""
    content = "\n\n".join(f"paragraph {n}." for n in range(WRITERS)) + "\n"
    page = page_make(client_for, content=content)
    tickets = iter(range(SUCCESSES))
    lock = threading.Lock()

    def taken() -> Iterator[int]:
        while True:
            with lock:
                ticket = next(tickets, None)
            if ticket is None:
                return
            yield ticket

    writers = [Writer(port, page, page.member("editor"), number) for number in range(WRITERS)]
    threads = [threading.Thread(target=writer.write, args=(content, taken())) for writer in writers]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sum((writer.statuses for writer in writers), Counter[int]())
    print(f"\n{dict(statuses)} in {time.monotonic() - started:.0f} s")  # noqa: T201
    assert statuses[200] == SUCCESSES
    revisions = Revision.objects.filter(document__uid=page.id).order_by("number")
    chain = [(number + 1, number) for number in range(1, SUCCESSES + 1)]
    assert list(revisions.values_list("number", "parent")) == [(1, None), *chain]
    words = Counter(page.now()["content"].split())
    assert all(words[f"word{ticket}"] == 1 for ticket in range(SUCCESSES))


@pytest.mark.parametrize("name", LARGEST)
def test_edit_largest_bodies_over_http(port: int, client_for: Callable[..., ApiClient], name: str) -> None:
    """A stale write of one to two megabytes is answered in seconds: merged, or 409."""
    lines = LARGEST[name]
    while sum(map(len, lines)) + len(lines) > 1_900_000:
        lines = lines[: len(lines) // 2]
    page = page_make(client_for, content="\n".join(lines))
    writer = Writer(port, page, page.author, 0)
    assert writer.patch("\n".join(["mine", *lines]), page.etag)[0] == 200
    started = time.monotonic()
    status, body, _ = writer.patch("\n".join([*lines, "theirs"]), page.etag)
    print(f"\n{name}: {status} after {time.monotonic() - started:.1f} s")  # noqa: T201
    assert status in {200, 409}, body[:300]
