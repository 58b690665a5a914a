"""The drill's judges find each thing that must not be, and nothing where all is well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from bench.drill import judge
from bench.drill.cluster import Cluster
from bench.drill.history import Operation, Outcome, Page, Values
from bench.drill.judge import Verdict, World
from bench.drill.librarian import Copy, Librarian
from bench.drill.people import Author, Voice
from bench.drill.receiver import Receiver

Rows = dict[str, list[dict[str, Any]]]
Judge = Callable[[World], Verdict]


class _Held:
    """What a database holds, by the words of the question."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def rows(self, select: str) -> list[dict[str, Any]]:
        by_words = {
            "documents_documentbody": "documents",
            "array_agg": "revisions",
            "userpermission": "grants",
        }
        by_words |= {
            "documents_delivery": "deliveries",
            "documents_comment": "comments",
            "audit_event": "events",
            "jobs_job": "jobs",
        }
        name = next((name for words, name in by_words.items() if words in select), "copies")
        return self._rows[name]


class _Shown(Voice):
    """A reader and a stranger, to whom the API shows the feed that the rows hold and nothing else."""

    def __init__(self, feed: list[dict[str, Any]]) -> None:
        self.uid = "stranger"
        self._feed = feed

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.Response(200, json={"results": self._feed, "next": None})


class _Library(Librarian):
    def __init__(self) -> None:
        self.copies, self.findings = [Copy("job", "copied")], []


def _noted(sequence: int, request_id: str, action: str, target: str, **facts: Any) -> dict[str, Any]:
    row = {"sequence": sequence, "request_id": request_id, "action": action, "target_uid": target}
    return {**row, "workspace_uid": "room", "facts": facts}


def _rows() -> Rows:
    """All is well: one page of two revisions with a comment and a grant, and a finished copy."""
    content = "first\nsecond\n"
    page = {"uid": "page", "title": "title", "revision": 2, "content": content, "parent": None}
    shared = {"uid": "shared", "title": "Shared", "revision": 1, "content": "0\n", "parent": None}
    events = [
        _noted(1, "made", "document.created", "shared"),
        _noted(2, "hook", "webhook.created", "hook"),
        _noted(3, "r1", "document.created", "page"),
        _noted(4, "r2", "document.updated", "page", revision=2),
    ]
    return {
        "documents": [{**page, "workspace": "room"}, {**shared, "workspace": "room"}],
        "revisions": [{"uid": "page", "revision": 2, "numbers": [1, 2]}],
        "grants": [{"uid": "page"}],
        "comments": [{"uid": "page", "body": "said"}],
        "events": events,
        "jobs": [
            {"uid": "job", "kind": "documents.copy", "state": "succeeded", "error_code": "", "lost": None}
        ],
        "feed": [
            {"sequence": 1, "id": "shared"},
            {"sequence": 3, "id": "page"},
            {"sequence": 4, "id": "page"},
        ],
        "deliveries": [
            {"uid": "d3", "sequence": 3, "status": "delivered"},
            {"uid": "d4", "sequence": 4, "status": "delivered"},
        ],
        "copies": [{"title": "copied", "documents": Librarian.documents}],
    }


def _world(rows: Rows) -> World:
    shown = _Shown(rows["feed"])
    author = Author(shown, shown, "room", "shared", 1)
    page = Page("page", Values(["title"]), Values([None]), Values([True]), revision=2)
    page.lines.told = {"first": Outcome.DONE, "second": Outcome.DONE, "third": Outcome.REFUSED}
    page.comments.told = {"said": Outcome.DONE, "unsaid": Outcome.REFUSED, "perhaps": Outcome.UNKNOWN}
    author.pages = [page]
    # The creation was answered at its second try.
    author.operations = [
        Operation("document.created", "documents/", ["r0", "r1"], Outcome.DONE),
        Operation("document.updated", "documents/page/", ["r2"], Outcome.DONE),
        Operation("document.updated", "documents/page/", ["r3"], Outcome.REFUSED),
        Operation("document.moved", "documents/page/move/", ["r4"], Outcome.UNKNOWN),
    ]
    cluster = cast("Cluster", _Held(rows))
    receiver = Receiver()
    receiver.server_close()
    receiver.heard = {"d3": 3, "d4": 4}
    return World(cluster, [author], _Library(), shown, shown, "room", "hook", receiver)


def _set(name: str, at: int, **values: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[name][at].update(values)


def _add(name: str, **values: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[name].append(values)


def _remove(name: str, at: int = 0) -> Callable[[Rows], None]:
    return lambda rows: rows[name].__delitem__(at)


def _event(request_id: str, action: str) -> Callable[[Rows], None]:
    return lambda rows: rows["events"].append(_noted(9, request_id, action, "other"))


JUDGED: list[Judge] = [
    *(judge.clients, judge.writes, judge.rights, judge.comments, judge.revisions, judge.events, judge.jobs),
    *(judge.changes, judge.deliveries),
]


@pytest.mark.parametrize("verdict", JUDGED, ids=lambda verdict: verdict.__name__)
def test_nothing_is_found_where_all_is_well(verdict: Judge) -> None:
    """An unanswered write may be there or not."""
    assert verdict(_world(_rows())).findings == []


@pytest.mark.parametrize(
    ("verdict", "damage"),
    [
        pytest.param(judge.writes, _remove("documents"), id="an acknowledged page is gone"),
        pytest.param(judge.writes, _set("documents", 0, content="second\n"), id="an edit is lost"),
        pytest.param(
            judge.writes, _set("documents", 0, content="first\nsecond\nthird\n"), id="a refused edit is there"
        ),
        pytest.param(
            judge.writes, _set("documents", 0, content="first\nsecond\nfirst\n"), id="an edit is there twice"
        ),
        pytest.param(judge.writes, _set("documents", 0, title="older"), id="a title went back"),
        pytest.param(judge.writes, _set("documents", 0, parent="shared"), id="a page stands elsewhere"),
        pytest.param(
            judge.writes,
            _add(
                "documents", uid="page2", title="title", revision=1, content="", parent=None, workspace="room"
            ),
            id="a page was created twice",
        ),
        pytest.param(judge.rights, _remove("grants"), id="a grant is lost"),
        pytest.param(judge.rights, _add("grants", uid="page"), id="a grant is there twice"),
        pytest.param(judge.comments, _remove("comments"), id="a comment is lost"),
        pytest.param(
            judge.comments, _add("comments", uid="page", body="said"), id="a comment is there twice"
        ),
        pytest.param(
            judge.comments, _add("comments", uid="page", body="unsaid"), id="a refused comment is there"
        ),
        pytest.param(judge.revisions, _set("revisions", 0, numbers=[2]), id="a revision is missing"),
        pytest.param(
            judge.revisions, _set("revisions", 0, revision=3), id="a page is ahead of its revisions"
        ),
        pytest.param(judge.events, _remove("events", 3), id="an acknowledged write is not on the record"),
        pytest.param(judge.events, _event("r0", "document.created"), id="a write is on the record twice"),
        pytest.param(judge.events, _event("r3", "document.updated"), id="a refused write is on the record"),
        pytest.param(judge.events, _event("r2", "grant.set"), id="a write left another's event"),
        pytest.param(judge.events, _set("events", 3, facts={"revision": 3}), id="a revision has no event"),
        pytest.param(judge.changes, _remove("feed"), id="a change is not in the feed"),
        pytest.param(judge.changes, _add("feed", sequence=4, id="page"), id="a change is in the feed twice"),
        pytest.param(judge.changes, _add("feed", sequence=8, id="page"), id="the feed tells what never was"),
        pytest.param(judge.deliveries, _remove("deliveries"), id="an event has no delivery"),
        pytest.param(
            judge.deliveries, _add("deliveries", uid="d5", sequence=4, status="delivered"), id="it has two"
        ),
        pytest.param(
            judge.deliveries, _add("deliveries", uid="d1", sequence=1, status="delivered"), id="none was due"
        ),
        pytest.param(judge.deliveries, _set("deliveries", 0, status="pending"), id="a delivery still waits"),
        pytest.param(judge.deliveries, _set("deliveries", 0, uid="d9"), id="the receiver never took it"),
        pytest.param(judge.jobs, _set("jobs", 0, state="failed"), id="a job failed"),
        pytest.param(judge.jobs, _set("jobs", 0, state="queued"), id="a job never ran"),
        pytest.param(judge.jobs, _set("jobs", 0, lost=True), id="a dead worker holds a job"),
        pytest.param(judge.jobs, _remove("jobs"), id="a job is gone"),
        pytest.param(judge.jobs, _set("copies", 0, documents=7), id="a copy is not whole"),
        pytest.param(judge.jobs, _add("copies", title="copied", documents=232), id="a copy was made twice"),
    ],
)
def test_damage_is_found(verdict: Judge, damage: Callable[[Rows], None]) -> None:
    """One thing is wrong, and the judge says so."""
    rows = _rows()
    damage(rows)
    assert verdict(_world(rows)).findings


def test_a_refusal_may_be_on_the_record() -> None:
    """What a refused request itself leaves there is no write."""
    rows = _rows()
    _event("r3", "access.denied")(rows)
    assert judge.events(_world(rows)).findings == []


def test_receiver_fails_now_and_then_and_remembers() -> None:
    """What is refused once is taken the second time; the same id with another event is found."""
    receiver = Receiver()
    receiver.server_close()
    taken = [receiver.take(f"d{number}", number) for number in range(14)]
    assert taken.count(False) == 2
    assert receiver.take("d6", 6)
    receiver.take("d6", 7)
    assert len(receiver.findings) == 1
