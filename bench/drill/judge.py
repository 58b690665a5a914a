"""What must be true after everything, whatever happened: each judge names what is not."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bench import servers
from bench.drill.cluster import Cluster
from bench.drill.history import Outcome, Page
from bench.drill.librarian import Librarian
from bench.drill.people import Author, Voice
from bench.drill.receiver import Receiver

# What a refusal itself puts on the record.
_REFUSALS = frozenset({"access.denied", "login.failed"})

_DOCUMENTS = """
SELECT d.uid, d.title, d.revision, b.content, p.uid AS parent, w.uid AS workspace
FROM documents_document d JOIN documents_documentbody b ON b.document_id = d.id
JOIN documents_workspace w ON w.id = d.workspace_id LEFT JOIN documents_document p ON p.id = d.parent_id
"""
_REVISIONS = """
SELECT d.uid, d.revision, array_agg(r.number ORDER BY r.number) AS numbers
FROM documents_document d LEFT JOIN documents_revision r ON r.document_id = d.id GROUP BY d.id
"""
_GRANTS = """
SELECT d.uid FROM documents_documentuserpermission g
JOIN documents_document d ON d.id = g.content_object_id JOIN accounts_user u ON u.id = g.user_id
WHERE u.uid = '{stranger}'
"""
_COMMENTS = """
SELECT d.uid, c.body FROM documents_comment c JOIN documents_thread t ON t.id = c.thread_id
JOIN documents_document d ON d.id = t.document_id
"""
_EVENTS = "SELECT sequence, request_id, action, target_uid, workspace_uid, facts FROM audit_event"
_DELIVERIES = """
SELECT d.uid, d.sequence, d.status FROM documents_delivery d
JOIN documents_webhook w ON w.id = d.webhook_id WHERE w.uid = '{webhook}' AND d.sequence IS NOT NULL
"""
# What people do in a drill and followers are told of.
TOLD = frozenset(
    {
        "comment.created",
        "document.created",
        "document.moved",
        "document.updated",
        "grant.removed",
        "grant.set",
    }
)
_JOBS = "SELECT uid, kind, state, attempts, error_code, lease_until < clock_timestamp() AS lost FROM jobs_job"
_COPIES = """
SELECT d.title, count(*) AS documents
FROM documents_document d JOIN documents_document below ON below.path LIKE d.path || '%'
WHERE d.title LIKE 'mark%' GROUP BY d.id
"""


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """All that a judge looks at."""

    cluster: Cluster
    authors: Sequence[Author]
    librarian: Librarian
    reader: Voice
    stranger: Voice
    workspace: str
    webhook: str
    receiver: Receiver

    def pages(self) -> Iterable[Page]:
        """The pages of all authors; of the page that they share each one's part."""
        for author in self.authors:
            yield from (*author.pages, author.shared)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What one judge looked at, and what it found wrong."""

    looked_at: int
    findings: list[str]


def clients(world: World) -> Verdict:
    """What people saw: never less than what they had been told, never what was taken from them."""
    done = sum(author.counted()[Outcome.DONE] for author in world.authors)
    told = [finding for author in world.authors for finding in author.findings]
    return Verdict(done, told + world.librarian.findings)


def writes(world: World) -> Verdict:
    """Documents: what was acknowledged is there, what was refused isn't, created once, in its place."""
    rows = {row["uid"]: row for row in world.cluster.rows(_DOCUMENTS)}
    texts = {row["uid"]: row["content"].splitlines() for row in rows.values()}
    findings, looked_at = [], 0
    for author in world.authors:
        for page in (*author.pages, author.shared):
            looked_at += len(page.lines.told)
            if page.uid not in rows:
                findings.append(f"{page.uid} was acknowledged and is gone")
                continue
            findings += _lines(page, texts[page.uid])
            if page is not author.shared:
                findings += _place(page, rows[page.uid]["title"], rows[page.uid]["parent"])
    return Verdict(looked_at, findings + _uninvited(world, rows.values()))


def _lines(page: Page, lines: list[str]) -> list[str]:
    counted = collections.Counter(lines)
    lost = [f"{page.uid} lost {line}" for line in page.lines.of(Outcome.DONE) if not counted[line]]
    came = [f"{page.uid} has the refused {line}" for line in page.lines.of(Outcome.REFUSED) if counted[line]]
    twice = [f"{page.uid} has {line} twice" for line in page.lines.told if counted[line] > 1]
    return lost + came + twice


def _place(page: Page, title: str, parent: str | None) -> list[str]:
    findings = []
    if title not in page.title.possible:
        findings.append(f"{page.uid} is called {title}, not one of {page.title.possible}")
    if parent not in page.parent.possible:
        findings.append(f"{page.uid} stands below {parent}, not one of {page.parent.possible}")
    return findings


def _uninvited(world: World, rows: Iterable[dict[str, object]]) -> list[str]:
    """Documents that nobody was told of: no more than creations that stayed without an answer."""
    known = {page.uid for page in world.pages()}
    more = [row["uid"] for row in rows if row["workspace"] == world.workspace and row["uid"] not in known]
    open_ones = sum(
        operation.action == "document.created" and operation.outcome is Outcome.UNKNOWN
        for author in world.authors
        for operation in author.operations
    )
    return [f"{len(more)} documents are there that nobody was told of"] if len(more) > open_ones else []


def reads(world: World) -> Verdict:
    """What the API shows of each page is what the database holds."""
    rows = {row["uid"]: row for row in world.cluster.rows(_DOCUMENTS)}
    pages = {page.uid for page in world.pages()}
    findings = []
    for uid in pages & set(rows):
        answer = world.reader.ask("GET", f"documents/{uid}/")
        shown = answer.json() if answer is not None and answer.is_success else {}
        findings += [
            f"{uid} is shown with another {name}"
            for name in ("title", "content", "revision", "parent")
            if shown.get(name) != rows[uid][name]
        ]
    return Verdict(len(pages), findings)


def rights(world: World) -> Verdict:
    """Grants: those that were acknowledged, and none that was taken away or refused."""
    held = collections.Counter(
        row["uid"] for row in world.cluster.rows(_GRANTS.format(stranger=world.stranger.uid))
    )
    pages = [page for author in world.authors for page in author.pages]
    findings = [
        f"{page.uid} has {held[page.uid]} grants, which should be one of {page.granted.possible}"
        for page in pages
        if held[page.uid] > 1 or bool(held[page.uid]) not in page.granted.possible
    ]
    return Verdict(len(pages), findings)


def comments(world: World) -> Verdict:
    """Comments: each acknowledged one once, no refused one, none twice."""
    there = collections.Counter((row["uid"], row["body"]) for row in world.cluster.rows(_COMMENTS))
    findings, looked_at = [], 0
    for page in world.pages():
        for body, outcome in page.comments.told.items():
            looked_at += 1
            found = there[page.uid, body]
            if found > 1 or (outcome is Outcome.DONE and not found) or (outcome is Outcome.REFUSED and found):
                findings.append(f"{page.uid} has {found} times the comment {body}, {outcome.value}")
    return Verdict(looked_at, findings)


def revisions(world: World) -> Verdict:
    """The revisions of every document count from 1 to its own number without a gap."""
    rows = world.cluster.rows(_REVISIONS)
    findings = [
        f"{row['uid']} is at {row['revision']} and has {row['numbers']}"
        for row in rows
        if row["numbers"] != list(range(1, row["revision"] + 1))
    ]
    return Verdict(sum(row["revision"] for row in rows), findings)


def events(world: World) -> Verdict:
    """Each acknowledged write is on the record exactly once, no refused one is, and each revision is."""
    by_request = collections.defaultdict(list)
    numbers = collections.defaultdict(list)
    for row in world.cluster.rows(_EVENTS):
        by_request[row["request_id"]].append(row["action"])
        if row["action"] in {"document.created", "document.updated"}:
            numbers[row["target_uid"]].append(row["facts"].get("revision", 1))
    findings, looked_at = [], 0
    for author in world.authors:
        for operation in author.operations:
            looked_at += 1
            noted = [
                action for tried in operation.tries for action in by_request[tried] if action not in _REFUSALS
            ]
            least = int(operation.outcome is Outcome.DONE and not operation.idle)
            most = int(operation.outcome is not Outcome.REFUSED)
            if not least <= len(noted) <= most or set(noted) - {operation.action}:
                findings.append(f"{operation.action} of {operation.path}, {operation.outcome.value}: {noted}")
    for row in world.cluster.rows(_DOCUMENTS):
        wanted = list(range(1, row["revision"] + 1))
        if row["workspace"] == world.workspace and sorted(numbers[row["uid"]]) != wanted:
            findings.append(f"{row['uid']} has events of {sorted(numbers[row['uid']])}, not of {wanted}")
    return Verdict(looked_at, findings)


def jobs(world: World) -> Verdict:
    """No job is lost, held by a dead worker or failed; each copy that was asked for is there, once."""
    rows = world.cluster.rows(_JOBS)
    findings = [
        f"{row['kind']} {row['uid']} failed: {row['error_code']}" for row in rows if row["state"] == "failed"
    ]
    findings += [f"{row['kind']} {row['uid']} is held by a dead worker" for row in rows if row["lost"]]
    states = {row["uid"]: row["state"] for row in rows}
    made = collections.defaultdict(list)
    for row in world.cluster.rows(_COPIES):
        made[row["title"]].append(row["documents"])
    for copy in world.librarian.copies:
        if states.get(copy.job) != "succeeded":
            findings.append(f"the copy {copy.job} is {states.get(copy.job, 'gone')}")
        elif made[copy.title] != [world.librarian.documents]:
            findings.append(f"the copy {copy.job} made {made[copy.title]} documents")
    return Verdict(len(rows), findings)


def _by_command(name: str) -> Callable[[World], Verdict]:
    def judge(world: World) -> Verdict:
        try:
            said = world.cluster.command(name)
        except servers.ServerError as problem:
            return Verdict(1, [str(problem)])
        numbers = [int(word) for word in said.split() if word.isdigit()]
        return Verdict(numbers[0] if numbers else 1, [])

    return judge


def _happened(world: World, webhook: str | None = None) -> list[dict[str, Any]]:
    """The events of the workspace that are told of, in their order; of a webhook those since it was made."""
    rows = sorted(world.cluster.rows(_EVENTS), key=lambda row: int(row["sequence"]))
    made = [row["sequence"] for row in rows if webhook and row["target_uid"] == webhook]
    first = made[0] if made else 0
    here = [row for row in rows if row["workspace_uid"] == world.workspace and row["sequence"] > first]
    return [row for row in here if row["action"] in TOLD]


def changes(world: World) -> Verdict:
    """The feed has each change of a document once, under its number, and nothing that did not happen."""
    told: list[tuple[int, str]] = []
    path: str | None = f"changes/?page_size=200&workspace={world.workspace}"
    while path:
        answer = world.reader.ask("GET", path)
        if answer is None or not answer.is_success:
            return Verdict(len(told), [f"the feed was answered {answer.text if answer else 'by silence'}"])
        page = answer.json()
        told += [(entry["sequence"], entry["id"]) for entry in page["results"]]
        path = page["next"]
    events = _happened(world)
    due = {
        (row["sequence"], row["target_uid"])
        for row in events
        if row["action"].partition(".")[0] == "document"
    }
    counted = collections.Counter(told)
    known = {row["sequence"] for row in world.cluster.rows(_EVENTS)}
    findings = [f"the feed lacks {sequence} of {uid}" for sequence, uid in sorted(due - set(told))]
    findings += [f"the feed has {entry} {count} times" for entry, count in counted.items() if count > 1]
    findings += [f"the feed has {sequence}, which never was" for sequence, _ in told if sequence not in known]
    return Verdict(len(told), findings)


def deliveries(world: World) -> Verdict:
    """Each event that a webhook wants is one delivery, which its receiver has taken."""
    rows = world.cluster.rows(_DELIVERIES.format(webhook=world.webhook))
    due = {row["sequence"] for row in _happened(world, world.webhook)}
    made = collections.Counter(row["sequence"] for row in rows)
    heard = world.receiver.heard
    findings = [f"event {sequence} was made no delivery of" for sequence in sorted(due - set(made))]
    findings += [f"a delivery of {sequence} was not due" for sequence in sorted(set(made) - due)]
    findings += [f"event {sequence} has {count} deliveries" for sequence, count in made.items() if count > 1]
    for row in rows:
        if row["status"] != "delivered":
            findings.append(f"the delivery of {row['sequence']} is {row['status']}")
        elif heard.get(row["uid"]) != row["sequence"]:
            findings.append(f"the receiver never took the delivery of {row['sequence']}")
    return Verdict(len(rows), findings + world.receiver.findings)


JUDGES: dict[str, Callable[[World], Verdict]] = {
    "what people saw": clients,
    "writes that were acknowledged or refused": writes,
    "pages as the API shows them": reads,
    "grants": rights,
    "comments": comments,
    "revisions without a gap": revisions,
    "events = writes = revisions": events,
    "changes = events": changes,
    "deliveries = events": deliveries,
    "jobs": jobs,
    "check_access (workspaces)": _by_command("check_access"),
    "verify_audit (events)": _by_command("verify_audit"),
}
