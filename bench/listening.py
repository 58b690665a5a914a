"""A server of HTTP that a measurement stands up for a while, in its own process."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator


class Listener(http.server.ThreadingHTTPServer):
    """Answers in threads that hold nobody up at the end."""

    daemon_threads = True

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Answer for the length of the block."""
        threading.Thread(target=self.serve_forever, name="receiver", daemon=True).start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()
