"""The supervisor's own log lines, of the same form as the application's."""

from __future__ import annotations

import datetime as dt
import io
import json
import pathlib
import sys


class Journal:
    """JSON lines on the standard output and in `supervisor.log`."""

    def __init__(self, directory: pathlib.Path) -> None:
        """Write under `directory`, too."""
        self._path = directory / "supervisor.log"

    def say(self, event: str, level: str = "info", **fields: object) -> None:
        """One line."""
        at = dt.datetime.now(dt.UTC).isoformat()
        line = json.dumps({"event": event, "level": level, "at": at, "process": "supervisor", **fields})
        with self._path.open("a") as file:
            file.write(line + "\n")
        self.show(line)

    def show(self, text: str) -> None:
        """Text for the person at the terminal alone; a closed terminal is no reason to stop serving."""
        try:
            print(text, flush=True)
        except OSError:
            # The descriptor stays broken: further lines go nowhere quietly.
            sys.stdout = io.StringIO()
