"""The scripts that wrk runs send what the measure says, against a server that looks at each request."""

from __future__ import annotations

import http.server
import json
import pathlib
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from bench import load

pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


class Judge(http.server.BaseHTTPRequestHandler):
    """Counts requests by method and path, and refuses a PATCH whose If-Match is not the document's ETag."""

    protocol_version = "HTTP/1.1"
    seen: Counter[str]
    revisions: dict[str, int]
    lock: threading.Lock

    def do_GET(self) -> None:
        """Count it by path and a header."""
        self.seen[f"GET {self.path} {self.headers['X-Kind']}"] += 1
        self._answer(200, {})

    def do_POST(self) -> None:
        """Count it by path and body."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.seen[f"POST {self.path} {body}"] += 1
        self._answer(201, {})

    def do_PATCH(self) -> None:
        """Accept what names the current version and says something new."""
        uid = self.path.rstrip("/").rpartition("/")[2]
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with self.lock:
            good = self.headers["If-Match"] == f'"1-{self.revisions[uid]}"' and body not in self.seen
            self.seen[body] += 1
            self.revisions[uid] += good
            revision = self.revisions[uid]
        self._answer(200 if good else 412, {"id": uid}, ETag=f'"1-{revision}"')

    def _answer(self, status: int, data: dict[str, Any], **headers: str) -> None:
        body = json.dumps(data, separators=(",", ":")).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Nothing: a thousand lines would hide a failure."""


@pytest.fixture
def judge() -> Iterator[tuple[str, type[Judge]]]:
    """A judging server and its address."""
    state = {"seen": Counter(), "revisions": Counter(), "lock": threading.Lock()}
    kind = type("OneJudge", (Judge,), state)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", kind
    server.shutdown()
    server.server_close()


def test_read_sends_the_prepared_requests_in_turn(
    judge: tuple[str, type[Judge]], tmp_path: pathlib.Path
) -> None:
    """Each line becomes a request with its method, path, headers and body, about equally often."""
    base, kind = judge
    path = tmp_path / "requests"
    path.write_text('GET\t/one/\tX-Kind: a\nPOST\t/two/\tContent-Type: application/json\t={"a": 1}\n')
    seen = load.run(base, 1, "read.lua", str(path))
    assert set(kind.seen) == {"GET /one/ a", 'POST /two/ {"a": 1}'}
    assert min(kind.seen.values()) > 0.4 * seen.requests


def test_update_never_sends_a_version_that_it_has_not_seen(
    judge: tuple[str, type[Judge]], tmp_path: pathlib.Path
) -> None:
    """Every PATCH carries the ETag of the document's last answer and a body that was never sent before."""
    base, kind = judge
    kind.revisions.update(dict.fromkeys("abcdefghijklmnop", 1))
    path = tmp_path / "documents"
    path.write_text("".join(f'{uid}\t"1-1"\t{{"content": "@@ {uid}"}}\n' for uid in kind.revisions))
    seen = load.run(base, 1, "update.lua", str(path), "a-token")
    assert seen.requests > 50
