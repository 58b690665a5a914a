"""A receiver of webhooks that fails now and then, and remembers what it was told."""

from __future__ import annotations

import http.server
import json
import threading

from bench.listening import Listener

# Every so many deliveries the first attempt is refused: it must come again.
_REFUSED_EVERY = 7


class Receiver(Listener):
    """`heard` holds the event's number by webhook-id; `findings` what was told twice as something else."""

    def __init__(self) -> None:
        """Listen on a free port of this machine."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: dict[str, int] = {}
        self.findings: list[str] = []
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/"

    def take(self, uid: str, sequence: int) -> bool:
        """Remember a delivery; False where this attempt is to fail."""
        with self._lock:
            if uid not in self._seen:
                self._seen.add(uid)
                if len(self._seen) % _REFUSED_EVERY == 0:
                    return False
            if self.heard.setdefault(uid, sequence) != sequence:
                self.findings.append(f"delivery {uid} told of {self.heard[uid]}, then of {sequence}")
            return True


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        """Answer 204, or 500 for what is to be tried again."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        taken = self.server.take(self.headers["webhook-id"], body["data"]["sequence"])
        self.send_response(204 if taken else 500)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (the base's name)
        """Say nothing."""
