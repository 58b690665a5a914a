"""A hostile text of 100 KB with eight readers, on a machine that has other things to do."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from cloudscribe.lib.embedded.processes import wait_until
from tests.documents.api.test_editing_races import at_once
from tests.documents.editing import Page, page_make
from tests.fixtures import ApiClient

HOSTILE = "[" * 100_000 + "<b>"


@contextlib.contextmanager
def others(count: int) -> Iterator[None]:
    """So many other programs that never rest."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def read(port: int, page: Page) -> tuple[int, float, bool | None]:
    """The status of a reader's answer, the seconds that it took, and whether the text is shown as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    began = time.monotonic()
    connection.request(
        "GET", f"/api/v1/{page.path}html/", headers={"Authorization": f"Bearer {page.author.token}"}
    )
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    return answer.status, time.monotonic() - began, found.get("plain")


@pytest.mark.parametrize("busy", [0, 8])
def test_hostile_text_eight_readers(port: int, client_for: Callable[..., ApiClient], busy: int) -> None:
    """All wait for the one who tries it, and get what that one got.

    On a machine without any CPU to spare that may be 503, of which all are told alike, and at once; when it
    has some again the text is shown as it is.
    """
    page = page_make(client_for, content=HOSTILE)
    with others(busy):
        rounds = [at_once([lambda: read(port, page)] * 8) for _ in range(3)]
    for answers in rounds:
        print(f"\n{busy}: {Counter(a[0] for a in answers)} {[round(a[1], 1) for a in answers]}")  # noqa: T201
        assert len({(status, plain) for status, _, plain in answers}) == 1
    assert max(took for _, took, _ in rounds[2]) < min(took for _, took, _ in rounds[0])
    assert wait_until(lambda: read(port, page)[::2] == (200, True), 60, 1.0)
