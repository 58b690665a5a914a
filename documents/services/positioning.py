"""Places among siblings: a key between two neighbours, and siblings numbered anew where keys have grown."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.actors import stranger
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import FieldError
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.exceptions import SiblingNotFound, WorkspaceBusy
from documents.models import Document
from documents.positions import PositionError, position_between, positions_spread
from documents.queues import POSITIONS_REBALANCE
from documents.services.locking import Strength, actor_renewed, workspace_lock
from documents.services.placing import placements_write, siblings
from documents.visibility import visible_to

_NUMBER_SQL = """
UPDATE documents_document d SET position = n.position
FROM unnest(%(ids)s::bigint[], %(positions)s::text[]) AS n (id, position)
WHERE d.id = n.id AND d.position <> n.position
RETURNING d.id
"""


def position_for(
    *,
    actor: Actor,
    workspace: int,
    parent: int | None,
    before: uuid.UUID | None,
    after: uuid.UUID | None,
    moved: int | None,
    now: dt.datetime,
) -> str:
    """A position at a place: next to the visible sibling that `before` or `after` names, else the last one.

    `moved` is left out of the siblings. Two statements, however many there are; only where two neighbours
    leave no room all are numbered anew, so the workspace must be locked for a rewrite. A key that has become
    long asks for a job that does so. Raises SiblingNotFound.
    """
    rows = siblings(workspace, parent).exclude(pk=moved) if moved else siblings(workspace, parent)
    if before is None and after is None:
        last = rows.reverse().values_list("position", flat=True).first()
        return position_between(last, None)
    ahead, behind = _neighbours(actor, rows, before, after)
    try:
        edges = (row.position if row else None for row in (ahead, behind))
        position = position_between(*edges)
    except PositionError:
        position = ""
    if not position or len(position) > limits.POSITION_LENGTH:
        return _respread(rows, ahead, now)
    if len(position) > limits.POSITION_GROWN:
        _rebalance_enqueue(workspace, parent, now)
    return position


def _neighbours(
    actor: Actor, rows: QuerySet[Document], before: uuid.UUID | None, after: uuid.UUID | None
) -> tuple[Document | None, Document | None]:
    """Between which two the new node goes, one of them named, the other one whoever stands there."""
    named = {"before": before, "after": after}
    wanted = [uid for uid in named.values() if uid is not None]
    seen = visible_to(rows.filter(uid__in=wanted), actor).only("id", "uid", "position")
    found = {row.uid: row for row in seen}
    for name, uid in named.items():
        if uid is not None and uid not in found:
            error = FieldError(f"/{name}", SiblingNotFound.code, "There is no such sibling at that place.")
            raise SiblingNotFound(error.detail, errors=[error])
    follower, leader = (found[uid] if uid else None for uid in (before, after))
    if leader is None and follower is not None:
        return rows.filter(_beyond(follower, "lt")).reverse().only("id", "position").first(), follower
    if leader is None:
        raise AssertionError("unreachable: one of them is named")
    if follower is not None and (follower.position, follower.pk) <= (leader.position, leader.pk):
        error = FieldError(
            "/before", "order", "The sibling to stand before comes ahead of the one to stand after."
        )
        raise SiblingNotFound(error.detail, errors=[error])
    return leader, rows.filter(_beyond(leader, "gt")).only("id", "position").first()


def _beyond(row: Document, side: str) -> Q:
    ties = Q(**{"position": row.position, f"pk__{side}": row.pk})
    return Q(**{f"position__{side}": row.position}) | ties


def _respread(rows: QuerySet[Document], ahead: Document | None, now: dt.datetime) -> str:
    """Number the siblings anew, leaving a place free behind `ahead` (None: in front); gives that position."""
    order = list(rows.values_list("pk", flat=True))
    keys = positions_spread(len(order) + 1)
    free = keys.pop(order.index(ahead.pk) + 1 if ahead else 0)
    _number(order, keys, now)
    return free


def _number(order: list[int], keys: list[str], now: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_NUMBER_SQL, {"ids": order, "positions": keys})
        changed = [row[0] for row in cursor.fetchall()]
    placements_write(changed, now)
    return len(changed)


def _rebalance_enqueue(workspace: int, parent: int | None, now: dt.datetime) -> None:
    # Nobody's job: it must not end with a session. One that waits stands for all who ask.
    job_enqueue(
        actor=stranger("positions", now),
        kind=POSITIONS_REBALANCE,
        payload={"workspace": workspace, "parent": parent},
        dedupe_key=f"{POSITIONS_REBALANCE}:{workspace}:{parent}",
        queue="slow",
    )


@transactional
def positions_rebalance(*, actor: Actor, workspace: int, parent: int | None) -> int:
    """Number the siblings at a place anew where a key there has grown long; how many changed.

    None where a job has the workspace for itself: the next long key asks again. The order stays as it is, so
    nobody's rights are asked. Raises NotFound.
    """
    try:
        workspace_lock(workspace, Strength.REWRITE)
    except WorkspaceBusy:
        return 0
    rows = list(siblings(workspace, parent).values_list("pk", "position"))
    if all(len(position) <= limits.POSITION_GROWN for _, position in rows):
        return 0
    return _number([pk for pk, _ in rows], positions_spread(len(rows)), actor_renewed(actor).now)
