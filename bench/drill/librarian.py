"""Who asks for long work: copies of a subtree that is large enough for a job, one after the other."""

from __future__ import annotations

import dataclasses
import threading
import time
import uuid

from bench.drill.people import Voice, mark

# Above 200 documents a copy is a job.
_PARTS, _PART = 21, 10
_LONGEST = 120.0


@dataclasses.dataclass(slots=True)
class Copy:
    """One job that was accepted: its id, and the title that its copy has."""

    job: str
    title: str


class Librarian(threading.Thread):
    """Copies until told to stop; `copies` are the jobs that were accepted."""

    documents = 1 + _PARTS * (1 + _PART)

    def __init__(self, voice: Voice) -> None:
        """Make a workspace of its own with the subtree; raises httpx.HTTPError."""
        super().__init__(name="librarian", daemon=True)
        self._voice = voice
        self.stopping = threading.Event()
        self.copies: list[Copy] = []
        self.findings: list[str] = []
        self._workspace = self._made("workspaces/", {"name": "Library"})
        self._tree = self._document("The tree", None)
        part = self._document("A part", self._tree)
        for number in range(_PART):
            self._document(f"Leaf {number}", part)
        for _ in range(_PARTS - 1):
            self._made(f"documents/{part}/copy/", {"parent": self._tree, "include_children": True})

    def run(self) -> None:
        """Ask for a copy, wait until it is made, ask for the next."""
        try:
            while not self.stopping.is_set():
                self._copy()
        except Exception as error:  # noqa: BLE001 (one who ends early is a finding, whatever ended it)
            self.findings.append(f"The librarian ended by {type(error).__name__}: {error}")

    def _copy(self) -> None:
        title, key = mark(), uuid.uuid4().hex
        body = {"title": title, "include_children": True}
        answer = self._voice.ask(
            "POST", f"documents/{self._tree}/copy/", json=body, headers={"Idempotency-Key": key}
        )
        # Busy with the copy before, or gone: both pass.
        if answer is None or not answer.is_success:
            time.sleep(0.3)
            return
        copy = Copy(answer.json()["id"], title)
        self.copies.append(copy)
        until = time.monotonic() + _LONGEST
        while not self.stopping.is_set() and time.monotonic() < until:
            job = self._voice.ask("GET", f"jobs/{copy.job}/")
            if job is not None and job.is_success and job.json()["finished_at"] is not None:
                return
            time.sleep(0.3)

    def _document(self, title: str, parent: str | None) -> str:
        body: dict[str, object] = {"workspace": self._workspace, "title": title, "content": f"{title}\n" * 20}
        if parent is not None:
            body["parent"] = parent
        return self._made("documents/", body)

    def _made(self, path: str, body: dict[str, object]) -> str:
        answer = self._voice.ask("POST", path, json=body)
        if answer is None or not answer.is_success:
            raise RuntimeError(f"POST {path}: {answer.text if answer is not None else 'no answer'}")
        return str(answer.json()["id"])
