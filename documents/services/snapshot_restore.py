"""Bringing a part of a workspace back to a moment that has a name, as one change that can be undone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from audit.services import Entry, Target, events_record
from cloudscribe.jobs.models import Job
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, InvalidInput, NotFound
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.etags import ExpectedRevision
from documents.exceptions import DocumentTooDeep, HiddenParts, RevisionGone
from documents.merge.fields import BODY
from documents.models import Document, Snapshot, Workspace
from documents.policies import ACTION_BITS, Action, can, require
from documents.queues import SNAPSHOT_RESTORE
from documents.restoring import Node, Placed, Plan, plan_of, topmost
from documents.selectors.editing import document_locked
from documents.selectors.locks import lock_check
from documents.selectors.moments import Stood, stood_at
from documents.selectors.revisions import revision_snapshot
from documents.selectors.snapshots import snapshots_of
from documents.services.locking import Strength, actor_renewed, workspace_lock
from documents.services.placing import document_place, placements_write, places_facts
from documents.services.revising import OpenDocument, document_revise
from documents.services.snapshots import snapshot_insert
from documents.services.tree_jobs import Check, is_job, tree_job_begin, unchecked
from documents.visibility import visible_to

_BEFORE = "Before restoring “{name}”"
_BATCH = 500
_TICK = dt.timedelta(microseconds=1)

_HEIGHT_SQL = """
WITH RECURSIVE tree AS (
    SELECT id, 1 AS level FROM documents_document WHERE id = %(root)s
    UNION ALL
    SELECT d.id, t.level + 1 FROM documents_document d JOIN tree t ON d.parent_id = t.id
    WHERE t.level <= %(most)s AND d.id <> ALL(%(tops)s)
)
SELECT max(level) FROM tree
"""
_DIFFERING_SQL = """
SELECT d.id FROM unnest(%s::bigint[], %s::int[]) AS o(id, number)
JOIN documents_document d ON d.id = o.id AND d.revision <> o.number
JOIN documents_revision was ON was.document_id = d.id AND was.number = o.number
JOIN documents_revision head ON head.document_id = d.id AND head.number = d.revision
WHERE (was.sha256, was.meta) IS DISTINCT FROM (head.sha256, head.meta)
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Restored:
    """What came of it, in numbers of documents; `before` names the moment before, which undoes it.

    `documents` stood in the part and are there again, `moved` of all were put back to their places,
    `brought_back` came out of the trash, `trashed` came later and went there, `revised` got a new revision
    that says what they said then. Not brought back: `purged` ones (of the whole snapshot), those `elsewhere`
    in another workspace now, and the bodies of `bodies_gone`, which are kept no longer. `hidden` from the
    actor are so many of those that were reached.
    """

    before: uuid.UUID
    documents: int
    moved: int
    brought_back: int
    trashed: int
    revised: int
    purged: int
    elsewhere: int
    bodies_gone: int
    hidden: int

    def to_json(self) -> dict[str, Any]:
        """For an answer, or a job's result."""
        return {**dataclasses.asdict(self), "before": str(self.before)}


@dataclasses.dataclass(frozen=True, slots=True)
class _Scope:
    """What is concerned: the rows by key, how the part stood, the plan, and what says something else now."""

    rows: Mapping[int, Document]
    part: Mapping[int, Stood]
    plan: Plan
    differing: Collection[int]
    elsewhere: int

    def reached(self) -> set[int]:
        """Everything that will not be as it is."""
        back = {pk for pk in self.plan.placed if self.rows[pk].is_trashed}
        return {*self.plan.carried(), *self.plan.later, *self.differing, *back}


class _Stand(NamedTuple):
    """Where a document stood: what its readers' grants are on, and what it stands below."""

    reach: Sequence[int]
    line: Sequence[int]


@dataclasses.dataclass(frozen=True, slots=True)
class _Touched:
    """The keys of what moved, each with the facts of its event, and of what came out of the trash."""

    moved: Mapping[int, Mapping[str, Any]]
    brought: Collection[int]


@transactional
def snapshot_restore(
    *,
    actor: Actor,
    snapshot: Snapshot,
    document: Document | None = None,
    check: Check = unchecked,
) -> Restored | Job:
    """Bring back all that a snapshot holds, or the part of it below and with a document; large ones by a job.

    Places and bodies become those of then, what came later goes to the trash, states and rights stay those of
    today. Raises Forbidden, NotFound, InvalidInput for a document that isn't in it, HiddenParts where the
    actor doesn't see all that it would reach and doesn't own the workspace, DocumentLocked, WorkspaceBusy,
    and what `check` raises, by which a job that was cancelled ends.
    """
    room = snapshot.workspace
    workspace_lock(room.pk, Strength.REWRITE, actor)
    actor = actor_renewed(actor)
    require(actor, Action.SNAPSHOT, room)
    fresh = snapshots_of(actor, room).filter(pk=snapshot.pk).first()
    if fresh is None:
        raise NotFound
    held = stood_at(room.pk, fresh.at, fresh.root_id)
    if document is not None and document.pk not in held:
        raise InvalidInput.field("/document", "not_in_snapshot", "The snapshot doesn't hold this document.")
    scope = _scope(room, fresh, document, held)
    hidden = _hidden(actor, room, scope)
    if not is_job(actor) and _is_large(scope):
        payload = {"snapshot": fresh.pk, "document": document and document.pk}
        return tree_job_begin(actor, SNAPSHOT_RESTORE, payload, [room.pk])
    return _restore(actor, fresh, scope, hidden, purged=fresh.documents - len(held), check=check)


# --- what is concerned ---
def _scope(
    room: Workspace, snapshot: Snapshot, document: Document | None, held: Mapping[int, Stood]
) -> _Scope:
    part = held if document is None else stood_at(room.pk, snapshot.at, document.pk)
    rows = {row.pk: row for row in Document.objects.filter(pk__in=part)}
    here = {pk: stood for pk, stood in part.items() if rows[pk].workspace_id == room.pk}
    now = {pk: _node(rows[pk]) for pk in here}
    whole = document is None and snapshot.root_id is None
    below = _below(room, None if whole else topmost(now.values()))
    stood = stood_at(room.pk, snapshot.at)
    places = {pk: Placed(place.parent, place.position) for pk, place in stood.items()}
    plan = plan_of(here, places, now, [_node(row) for row in below.values()])
    return _Scope({**rows, **below}, here, plan, _differing(here), len(part) - len(here))


def _below(room: Workspace, tops: list[Node] | None) -> dict[int, Document]:
    """What is live now below any of these, or in the workspace."""
    live = Document.objects.filter(workspace=room, trashed_at__isnull=True)
    if tops is None:
        return {row.pk: row for row in live}
    found: dict[int, Document] = {}
    for start in range(0, len(tops), _BATCH):
        ranges = Q(pk__in=())
        for top in tops[start : start + _BATCH]:
            ranges |= Q(path__gte=top.path, path__lt=top.path + "g")
        found |= {row.pk: row for row in live.filter(ranges)}
    return found


def _node(row: Document) -> Node:
    return Node(row.pk, row.parent_id, row.path, row.position, row.is_trashed)


def _is_large(scope: _Scope) -> bool:
    whole = len(scope.plan.placed) + len(scope.plan.later)
    return whole > limits.SUBTREE_IN_REQUEST or len(scope.reached()) > limits.RESTORE_IN_REQUEST


def _hidden(actor: Actor, room: Workspace, scope: _Scope) -> int:
    """How many of those reached the actor doesn't see; refused but for owners of the workspace."""
    reached = scope.reached()
    rows = Document.objects.filter(pk__in=reached)
    hidden = len(reached) - visible_to(rows, actor).count()
    if can(actor, Action.DELETE_WORKSPACE, room):
        return hidden
    if hidden:
        text = f"{hidden} of the documents that it would reach are hidden from you."
        raise HiddenParts(text, extra={"hidden": hidden})
    lesser = len(reached) - visible_to(rows, actor, ACTION_BITS[Action.SNAPSHOT]).count()
    if lesser:
        text = f"On {lesser} of the documents that it would reach you have a lesser role."
        raise Forbidden(text, extra={"action": Action.SNAPSHOT})
    return hidden


# --- the change ---
def _restore(
    actor: Actor, snapshot: Snapshot, scope: _Scope, hidden: int, *, purged: int, check: Check
) -> Restored:
    room, later = snapshot.workspace, scope.plan.later
    # The moment before: what is written from here on is dated `now`.
    name = _BEFORE.format(name=snapshot.name)[: limits.NAME_LENGTH]
    before = snapshot_insert(actor, room, name, None, actor.now - _TICK)
    stood = {pk: _Stand(row.reach, row.line) for pk, row in scope.rows.items()}
    brought = _bring_back(scope)
    _trash(actor, later)
    moved = _move(actor, room, scope, brought)
    placements_write(sorted({*moved, *later, *brought}), actor.now)
    revised, gone = _revise(actor, snapshot, scope, check)
    restored = Restored(
        before=before.uid,
        documents=len(scope.part),
        moved=len(moved),
        brought_back=len(brought),
        trashed=len(later),
        revised=revised,
        purged=purged,
        elsewhere=scope.elsewhere,
        bodies_gone=gone,
        hidden=hidden,
    )
    _record(actor, snapshot, scope, _Touched(_places_moved(moved, stood), brought), restored)
    return restored


def _bring_back(scope: _Scope) -> set[int]:
    """Take out of the trash what stood; what else went there with it stays there, as trees of its own."""
    brought = {pk for pk in scope.plan.placed if scope.rows[pk].is_trashed}
    left = Document.objects.filter(trash_root__in=brought).exclude(pk__in=brought).order_by("path")
    roots: dict[int, int] = {}
    for pk, parent in left.values_list("pk", "parent_id"):
        roots[pk] = roots.get(parent, pk)
    rows = [Document(pk=pk, trash_root_id=root) for pk, root in roots.items()]
    Document.objects.bulk_update(rows, ["trash_root"], batch_size=_BATCH)
    Document.objects.filter(pk__in=brought).update(trashed_at=None, trashed_by=None, trash_root=None)
    return brought


def _trash(actor: Actor, later: Mapping[int, int]) -> None:
    rows = [
        Document(pk=pk, trashed_at=actor.now, trashed_by_id=actor.pk, trash_root_id=root)
        for pk, root in later.items()
    ]
    Document.objects.bulk_update(rows, ["trashed_at", "trashed_by", "trash_root"], batch_size=_BATCH)


def _move(actor: Actor, room: Workspace, scope: _Scope, brought: Collection[int]) -> dict[int, int | None]:
    """Put each to its place, then derive paths and readers anew below every top that anything moved under.

    Gives the new parents of those that stand elsewhere than before.
    """
    plan = scope.plan
    # Also where nothing moved, a top that came out of the trash may have lost the place that it lay in.
    tops = sorted({*plan.rewritten(), *(plan.tops & set(brought))})
    moved = {pk: plan.placed[pk].parent for pk in plan.moved - plan.tops}
    _save_places(scope, moved)
    parents = _parents(actor, room, scope, tops)
    fitting = {pk: _place_for(pk, scope, parents) for pk in tops}
    # Before anything is derived: on the way a top may still hang below one of its own.
    moved |= _save_places(scope, fitting)
    for pk in tops:
        scope.rows[pk].workspace = room
        document_place(actor, scope.rows[pk])
    return moved


def _places_moved(moved: Collection[int], stood: Mapping[int, _Stand]) -> dict[int, dict[str, list[str]]]:
    """By key of what moved, which grants reach it no longer and which do from now on, and what it left."""
    now = {row.pk: row for row in Document.objects.filter(pk__in=moved).only("reach", "path")}
    changed = places_facts(
        {pk: (stood[pk].reach, now[pk].reach) for pk in moved},
        {pk: (stood[pk].line, now[pk].line) for pk in moved},
    )
    return {pk: changed.get(pk, {}) for pk in moved}


def _save_places(scope: _Scope, parents: Mapping[int, int | None]) -> dict[int, int | None]:
    """Save parents and, where they are those of then, positions; gives those that differ from before."""
    changed = {}
    for pk, parent in sorted(parents.items()):
        row, then = scope.rows[pk], scope.plan.placed[pk]
        position = then.position if parent == then.parent else row.position
        if (row.parent_id, row.position) != (parent, position):
            row.parent_id, row.position = parent, position
            changed[pk] = parent
    rows = [scope.rows[pk] for pk in changed]
    Document.objects.bulk_update(rows, ["parent", "position"], batch_size=_BATCH)
    return changed


def _parents(actor: Actor, room: Workspace, scope: _Scope, tops: Collection[int]) -> dict[int, int]:
    """By key the depth of each document, outside of all that goes back, below which a top may stand."""
    named = {scope.plan.placed[pk].parent for pk in tops} | {scope.rows[pk].parent_id for pk in tops}
    wanted = {pk for pk in named if pk is not None} - {*scope.plan.placed, *scope.plan.later}
    rows = Document.objects.filter(pk__in=wanted, workspace=room, trashed_at__isnull=True)
    if not can(actor, Action.DELETE_WORKSPACE, room):
        rows = visible_to(rows, actor)
    return dict(rows.values_list("pk", "depth"))


def _place_for(top: int, scope: _Scope, parents: Mapping[int, int]) -> int | None:
    """The parent of then where that can be, else the one of now, else the top of the workspace."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"root": top, "most": limits.DEPTH, "tops": list(scope.plan.tops)}
        cursor.execute(_HEIGHT_SQL, values)
        (height,) = cursor.fetchone()
    for parent in (scope.plan.placed[top].parent, scope.rows[top].parent_id):
        if parent is None or (parent in parents and parents[parent] + height <= limits.DEPTH):
            return parent
    if height > limits.DEPTH:
        raise DocumentTooDeep
    return None


def _revise(actor: Actor, snapshot: Snapshot, scope: _Scope, check: Check) -> tuple[int, int]:
    """Give a revision of what it said then to each that says otherwise now; how many, and how many can't."""
    revised = gone = 0
    epoch = actor.access_key.epoch if actor.access_key else 0
    for turn, pk in enumerate(sorted(scope.differing)):
        if turn % _BATCH == 0:
            check()
        number = scope.part[pk].revision
        document, body = document_locked(pk)
        lock_check(actor, document)
        try:
            wanted = revision_snapshot(pk, number)
        except RevisionGone:
            gone += 1
            continue
        edited = document_revise(
            OpenDocument(actor, document, body),
            {**wanted.meta, BODY: wanted.content},
            ExpectedRevision(epoch, document.revision),
            merge=False,
            note=f"As in the snapshot “{snapshot.name}”"[: limits.NOTE_LENGTH],
            facts={"restored_revision": number, "snapshot": str(snapshot.uid)},
        )
        revised += edited.revised
    return revised, gone


def _differing(part: Mapping[int, Stood]) -> set[int]:
    """Of the part, what has another revision now that says something else."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERING_SQL, [list(part), [stood.revision for stood in part.values()]])
        return {pk for (pk,) in cursor.fetchall()}


def _record(actor: Actor, snapshot: Snapshot, scope: _Scope, touched: _Touched, restored: Restored) -> None:
    """One event for the whole, and one for each document that moved, came back or went to the trash."""
    room = snapshot.workspace
    whole = Target("snapshot", snapshot.uid, snapshot.name)
    entries = [Entry(actor, "snapshot.restored", whole, room.uid, facts=restored.to_json())]

    def add(pk: int, action: str, **facts: Any) -> None:
        row = scope.rows[pk]
        target = Target("document", row.uid, row.title)
        entries.append(Entry(actor, action, target, room.uid, facts={**facts, "snapshot": str(snapshot.uid)}))

    for pk in sorted(touched.moved):
        add(pk, "document.moved", **touched.moved[pk])
    for pk in sorted(touched.brought):
        add(pk, "document.restored", documents=1)
    for root, count in sorted(Counter(scope.plan.later.values()).items()):
        add(root, "document.trashed", documents=count)
    for start in range(0, len(entries), _BATCH):
        events_record(entries[start : start + _BATCH])
