"""The people of a drill: each writes to pages of their own and to a shared one, and notes every answer."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from bench.client import Client
from bench.drill.history import Operation, Outcome, Page, Values

_TIMEOUT = 20.0
# A creation is sent again under its key until it is answered; after so long it is given up as unknown.
_PATIENCE = 60.0
_PAUSE_AFTER_FAULT = 0.2
_PAGES = 40
_REFUSED_FOR_NOW = frozenset({"idempotency_key_busy"})


def mark() -> str:
    """A word that occurs nowhere else."""
    return f"mark{uuid.uuid4().hex}"


class Voice:
    """A signed-in person whose every request ends in an outcome; safe for several threads."""

    def __init__(self, base: str, email: str, password: str) -> None:
        """Sign in; raises httpx.HTTPError."""
        self._client = Client(base, email, password)
        self._renewal = threading.Lock()
        self.uid = str(self._client.send("GET", "me/").json()["id"])

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        """One request; None without an answer. A session that ran out is made anew first."""
        token = self._client.token
        try:
            answer = self._client.request(method, path, timeout=_TIMEOUT, **options)
            if answer.status_code != httpx.codes.UNAUTHORIZED:
                return answer
            with self._renewal:
                if token == self._client.token:
                    self._client.sign_in()
            return self._client.request(method, path, timeout=_TIMEOUT, **options)
        except httpx.HTTPError:
            return None


class Author(threading.Thread):
    """Writes until told to stop; afterwards `operations`, `pages` and `findings` tell what happened."""

    def __init__(self, voice: Voice, stranger: Voice, workspace: str, shared: str, seed: int) -> None:
        """`stranger` is no member of `workspace`; `shared` is the page that all write to."""
        super().__init__(name=f"author-{seed}", daemon=True)
        self._voice, self._stranger, self._workspace = voice, stranger, workspace
        self._chance = random.Random(seed)
        self.stopping = threading.Event()
        self.operations: list[Operation] = []
        self.findings: list[str] = []
        self.pages: list[Page] = []
        self.shared = Page(shared, Values([""]), Values([None]), Values([False]))

    def run(self) -> None:
        """Choose what to do next, again and again."""
        acts: dict[Callable[[Page], None], int] = {
            self._edit: 6,
            self._edit_shared: 4,
            self._edit_blindly: 1,
            self._rename: 2,
            self._move: 3,
            self._share: 3,
            self._comment: 3,
        }
        try:
            while not self.stopping.is_set():
                if len(self.pages) < 3 or (len(self.pages) < _PAGES and self._chance.random() < 0.15):
                    self._create()
                    continue
                (act,) = self._chance.choices(list(acts), list(acts.values()))
                act(self._chance.choice(self.pages))
        except Exception as error:  # noqa: BLE001 (an author who ends early is a finding, whatever ended it)
            self.findings.append(f"{self.name} ended by {type(error).__name__}: {error}")

    def counted(self) -> dict[Outcome, int]:
        """How many operations ended how so far."""
        told = [operation.outcome for operation in list(self.operations)]
        return {outcome: told.count(outcome) for outcome in Outcome}

    def _write(
        self, action: str, method: str, path: str, body: object = None, *, key: bool = False, etag: str = ""
    ) -> tuple[Operation, dict[str, Any]]:
        """One operation to its end, by `key` again until it is answered; with what the answer said."""
        operation = Operation(action, path)
        until = time.monotonic() + _PATIENCE
        sent = {"Idempotency-Key": uuid.uuid4().hex} if key else {"If-Match": etag} if etag else {}
        answered: dict[str, Any] = {}
        while True:
            answer = self._voice.ask(
                method, path, json=body, headers={**sent, "X-Request-ID": operation.next_try()}
            )
            self._take(operation, answer)
            if answer is not None and operation.outcome is Outcome.DONE and answer.content:
                answered = answer.json()
            if operation.outcome is not Outcome.UNKNOWN or not key or time.monotonic() > until:
                break
            time.sleep(_PAUSE_AFTER_FAULT)
        self.operations.append(operation)
        if operation.outcome is Outcome.UNKNOWN:
            time.sleep(_PAUSE_AFTER_FAULT)
        return operation, answered

    @staticmethod
    def _take(operation: Operation, answer: httpx.Response | None) -> None:
        if answer is None:
            return
        operation.status = answer.status_code
        if answer.is_success:
            operation.outcome = Outcome.DONE
        elif answer.is_client_error and answer.json().get("code") not in _REFUSED_FOR_NOW:
            operation.outcome = Outcome.REFUSED

    def _create(self) -> None:
        title, line = mark(), mark()
        parent = self._chance.choice([None, *self.pages[:8]])
        body = {"workspace": self._workspace, "title": title, "content": f"{line}\n"}
        if parent is not None:
            body["parent"] = parent.uid
        operation, made = self._write("document.created", "POST", "documents/", body, key=True)
        if operation.outcome is Outcome.DONE:
            above = parent.uid if parent else None
            page = Page(made["id"], Values([title]), Values([above]), Values([False]))
            page.lines.told[line] = Outcome.DONE
            self.pages.append(page)

    def _read(self, page: Page) -> httpx.Response | None:
        """The page as it is now; one that is older than what was answered before is a finding."""
        known = page.revision
        answer = self._voice.ask("GET", f"documents/{page.uid}/")
        if answer is None or answer.is_server_error:
            time.sleep(_PAUSE_AFTER_FAULT)
            return None
        if not answer.is_success:
            self.findings.append(f"{page.uid} was answered {answer.status_code} to its author")
            return None
        if answer.json()["revision"] < known:
            self.findings.append(f"{page.uid} was read at {answer.json()['revision']} after {known}")
        return answer

    def _patch(self, page: Page, body: dict[str, Any], etag: str) -> Operation:
        operation, made = self._write("document.updated", "PATCH", f"documents/{page.uid}/", body, etag=etag)
        if operation.outcome is Outcome.DONE:
            page.revision = max(page.revision, int(made["revision"]))
        return operation

    def _edit(self, page: Page) -> None:
        read = self._read(page)
        if read is None:
            return
        lines = read.json()["content"].splitlines()
        line = mark()
        lines.insert(self._chance.randint(0, len(lines)), line)
        body = {"content": "".join(f"{each}\n" for each in lines)}
        page.lines.told[line] = self._patch(page, body, read.headers["ETag"]).outcome

    def _edit_shared(self, _: Page) -> None:
        self._edit(self.shared)

    def _edit_blindly(self, page: Page) -> None:
        """With an ETag that never was: refused, whatever happens."""
        line = mark()
        page.lines.told[line] = self._patch(page, {"content": f"{line}\n"}, '"1-9999.AAAAAAAAAAAA"').outcome

    def _rename(self, page: Page) -> None:
        read = self._read(page)
        if read is not None:
            title = mark()
            page.title.wrote(title, self._patch(page, {"title": title}, read.headers["ETag"]).outcome)

    def _move(self, page: Page) -> None:
        """Anywhere among the own pages, also where it can't go: below itself."""
        to = self._chance.choice([None, *(each.uid for each in self.pages if each is not page)])
        if to in page.parent.possible and page.parent.certain:
            return
        certain = page.parent.certain
        operation, _ = self._write("document.moved", "POST", f"documents/{page.uid}/move/", {"parent": to})
        operation.idle = not certain
        page.parent.wrote(to, operation.outcome)

    def _share(self, page: Page) -> None:
        """Give the stranger a right or take it away; the next request of theirs must show it."""
        path = f"documents/{page.uid}/grants/"
        if not page.granted.certain:
            self._learn_grant(page, path)
            return
        if page.granted.possible[0]:
            operation, _ = self._write("grant.removed", "DELETE", f"{path}{page.grant}/")
            page.granted.wrote(value=False, outcome=operation.outcome)
        else:
            body = {"user": self._stranger.uid, "role": "viewer"}
            operation, made = self._write("grant.set", "POST", path, body, key=True)
            page.grant = made.get("id", page.grant)
            page.granted.wrote(value=True, outcome=operation.outcome)
        self._see(page)

    def _learn_grant(self, page: Page, path: str) -> None:
        answer = self._voice.ask("GET", path)
        if answer is None or not answer.is_success:
            return
        found = [grant["id"] for grant in answer.json()["results"] if grant["user"] == self._stranger.uid]
        page.granted = Values([bool(found)])
        page.grant = found[0] if found else ""

    def _see(self, page: Page) -> None:
        expected = self._seen_by_stranger(page)
        if expected is None:
            return
        answer = self._stranger.ask("GET", f"documents/{page.uid}/")
        if answer is None or answer.is_server_error:
            return
        if answer.is_success is not expected:
            self.findings.append(f"{page.uid} was answered {answer.status_code} to the stranger")

    def _seen_by_stranger(self, page: Page) -> bool | None:
        """Whether a grant here or above lets them see it; None where that isn't known."""
        by_uid = {each.uid: each for each in self.pages}
        at: Page | None = page
        for _ in self.pages:
            if at is None:
                break
            if not (at.parent.certain and at.granted.certain):
                return None
            if at.granted.possible[0]:
                return True
            at = by_uid.get(at.parent.possible[0] or "")
        return False

    def _comment(self, page: Page) -> None:
        body = mark()
        operation, _ = self._write(
            "comment.created", "POST", f"documents/{page.uid}/threads/", {"body": body}, key=True
        )
        page.comments.told[body] = operation.outcome
