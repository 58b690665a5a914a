"""Sealing: committed events become leaves of the Merkle tree, in commit order, under a signed checkpoint.

Nothing of it stands in the way of who writes events: only what is older than every running writer is sealed,
and sealers keep apart by an advisory lock of their own. Between its commit and its checkpoint an event can be
deleted without a trace; that is a second or two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection

from audit.checkpoints import Checkpoint, checkpoint_signed
from audit.leaves import LEAF_SQL, leaf_data
from audit.merkle import Grown, leaf_hash
from audit.models import Seal
from audit.selectors.events import BEGINNING, IN_ORDER_SQL, SETTLED, Position
from audit.selectors.log import log_origin
from audit.selectors.tree import Tree, seal_newest
from cloudscribe.lib.transactions import transactional

BATCH = 10_000
_TRY_LOCK = """SELECT pg_try_advisory_xact_lock(hashtext('cs_audit_seal')), statement_timestamp(),
  (SELECT max(number) FROM audit_epoch)"""
_NEXT_SQL = f"""
SELECT {LEAF_SQL} FROM audit_event e
WHERE (epoch, xid, sequence) > (%s, %s, %s) AND {SETTLED}
ORDER BY epoch, xid, sequence LIMIT %s
"""  # noqa: S608 (fragments of our own)
_LEAVES_SQL = """INSERT INTO audit_eventleaf (leaf, sequence, hash)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[])"""
_NODES_SQL = """INSERT INTO audit_treenode (level, position, hash)
SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[])"""


@transactional
def events_seal(*, most: int = BATCH) -> Seal | None:
    """Seal the next events that have settled, `most` at a time; None for none, or while another seals."""
    with connection.cursor() as cursor:
        cursor.execute(_TRY_LOCK)
        mine, now, epoch = cursor.fetchone()
    if not mine:
        return None
    last = seal_newest()
    after = Position(last.epoch, last.xid, last.sequence) if last else BEGINNING
    with connection.cursor() as cursor:
        cursor.execute(IN_ORDER_SQL)
        cursor.execute(_NEXT_SQL, [*after, most])
        rows = cursor.fetchall()
    return _sealed(rows, last.tree_size if last else 0, log_origin(epoch), now) if rows else None


def _sealed(rows: Sequence[Sequence[Any]], size: int, origin: str, now: dt.datetime) -> Seal:
    edge = Tree().edge(size)
    hashes = [leaf_hash(leaf_data(row)) for row in rows]
    grown = [node for found in hashes for node in edge.append(found)]
    sequences = [row[0] for row in rows]
    _insert(size, sequences, hashes, grown)
    epoch, xid = rows[-1][1:3]
    return Seal.objects.create(
        tree_size=edge.size,
        first_leaf=size,
        last_leaf=edge.size - 1,
        first_sequence=min(sequences),
        last_sequence=max(sequences),
        root=edge.root(),
        note=checkpoint_signed(Checkpoint(origin, edge.size, edge.root())),
        epoch=epoch,
        xid=xid,
        sequence=sequences[-1],
        sealed_at=now,
    )


def _insert(size: int, sequences: list[int], hashes: list[bytes], grown: list[Grown]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES_SQL, [list(range(size, size + len(hashes))), sequences, hashes])
        if grown:
            levels, positions, nodes = map(list, zip(*grown, strict=True))
            cursor.execute(_NODES_SQL, [levels, positions, nodes])
