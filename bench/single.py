"""The same requests one at a time, for what is counted and not timed."""

from __future__ import annotations

import itertools
import pathlib

import httpx

from bench.measures import Measure, Setting


class Single:
    """Sends the next request of a row at each call; an error in return raises httpx.HTTPStatusError."""

    def __init__(self, setting: Setting, measure: Measure) -> None:
        """Prepare the row as for wrk."""
        self._http = httpx.Client(base_url=setting.base, timeout=30)
        self._script = measure.prepare(setting)
        lines = pathlib.Path(self._script.arguments[0]).read_text(encoding="utf-8").splitlines()
        self._lines = itertools.cycle(line.split("\t") for line in lines)
        self._tags: dict[str, str] = {}
        self._written = 0

    def __call__(self) -> None:
        """One request."""
        if self._script.name == "update.lua":
            self._update(*next(self._lines))
        else:
            self._send(*next(self._lines))

    def _send(self, method: str, path: str, *fields: str) -> None:
        headers = dict(field.split(": ", 1) for field in fields if not field.startswith("="))
        body = next((field[1:] for field in fields if field.startswith("=")), None)
        answer = self._http.request(method, path, headers=headers, content=body)
        if answer.status_code != httpx.codes.NOT_MODIFIED:
            answer.raise_for_status()

    def _update(self, uid: str, tag: str, body: str) -> None:
        self._written += 1
        answer = self._http.patch(
            f"/api/v1/documents/{uid}/",
            headers={
                "Authorization": f"Bearer {self._script.arguments[1]}",
                "Content-Type": "application/json",
                "If-Match": self._tags.get(uid, tag),
            },
            content=body.replace("@@", f"single {self._written}", 1),
        )
        answer.raise_for_status()
        self._tags[uid] = answer.headers["ETag"]
