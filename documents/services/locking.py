"""Locks in the one order, and the actor's rights as they are once a lock is held."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Iterable

from django.db import connection

from cloudscribe.lib.actor import AccessKey, Actor, ActorKind, CredentialKind
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.postgresql.arrays import array_text
from cloudscribe.lib.postgresql.base import ask_along, prepared_rows
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from documents.exceptions import DocumentTrashed, WorkspaceBusy
from documents.models import Document, Workspace
from documents.roles import SEE_BIT
from documents.selectors.links import link_actor_renewed
from documents.visibility import actions_of


class Strength(enum.StrEnum):
    """How a workspace is locked: by whatever adds a node, or by whatever rewrites a subtree."""

    ADD = "FOR SHARE"
    REWRITE = "FOR NO KEY UPDATE"


# A job that is at work on a tree holds its workspace for long: whoever is not to wait for it passes it by.
_LOCK_SQL = {
    strength: f"""SELECT id, uid, default_language FROM documents_workspace
WHERE id = ANY(%(ids)s::bigint[]) AND (busy_job IS NULL OR busy_job = %(job)s::uuid OR %(even_busy)s::boolean)
ORDER BY id {strength}"""  # noqa: S608 (one of two words of our own)
    for strength in Strength
}

# The clock of the statement after the lock, so that what waited for another change is not dated before it.
_RENEW_SQL = """
SELECT statement_timestamp(),
       (SELECT stamp FROM accounts_userstamp WHERE user_id = %(user)s::bigint),
       (SELECT coalesce(sum(g.stamp), 0)::bigint FROM accounts_user_groups m
        JOIN accounts_groupstamp g ON g.group_id = m.group_id WHERE m.user_id = %(user)s::bigint),
       (SELECT coalesce(max(number), 0) FROM audit_epoch)
"""

_LOCKED = CompiledQuery(lambda pk: Document.objects.filter(pk=pk).select_for_update(no_key=True), pk=int)


@dataclasses.dataclass(frozen=True, slots=True)
class LockedWorkspace:
    """A workspace whose row this transaction holds."""

    pk: int
    uid: uuid.UUID
    default_language: str


def workspaces_lock(
    pks: Iterable[int], strength: Strength, actor: Actor | None = None, *, tree: bool = True
) -> dict[int, LockedWorkspace]:
    """Lock workspaces in the order of their ids; raises NotFound for one that is no more, WorkspaceBusy.

    A job may pass, as `actor`, where the workspace is reserved for it. What leaves the tree as it is (rights,
    holds) says so by `tree=False`: it is not kept waiting by a job that has yet to begin.
    """
    wanted = sorted(set(pks))
    parameters = {"ids": array_text(wanted), "job": _own_job(actor), "even_busy": not tree}
    rows = prepared_rows(_LOCK_SQL[strength], parameters)
    if len(rows) < len(wanted):
        raise WorkspaceBusy if Workspace.objects.filter(pk__in=wanted).count() == len(wanted) else NotFound
    return {row[0]: LockedWorkspace(*row) for row in rows}


def workspace_lock(
    pk: int, strength: Strength, actor: Actor | None = None, *, tree: bool = True
) -> LockedWorkspace:
    """Lock one workspace; see `workspaces_lock`."""
    return workspaces_lock([pk], strength, actor, tree=tree)[pk]


def _own_job(actor: Actor | None) -> uuid.UUID | None:
    return actor.credential_uid if actor and actor.credential_kind is CredentialKind.JOB else None


def renewal_ask_along(actor: Actor) -> None:
    """Have `actor_renewed` sent along with the prepared statement that locks: it begins under the lock."""
    if actor.kind is not ActorKind.LINK:
        ask_along(_RENEW_SQL, {"user": actor.pk})


def actor_renewed(actor: Actor) -> Actor:
    """The actor under the stamps and the clock of now: what was taken meanwhile no longer counts.

    Raises NotFound for a share link that opens nothing any more.
    """
    if actor.kind is ActorKind.LINK:
        return link_actor_renewed(actor)
    ((now, user_stamp, group_stamps, epoch),) = prepared_rows(_RENEW_SQL, {"user": actor.pk})
    return actor_at(actor, now, user_stamp, group_stamps, epoch)


def actor_at(actor: Actor, now: dt.datetime, user_stamp: int | None, group_stamps: int, epoch: int) -> Actor:
    """The actor as of a moment and its stamps.

    Stamps only grow, so those that still are the sign-in's were committed; others may be this transaction's.
    """
    if user_stamp is None:
        return dataclasses.replace(actor, now=now, access_key=None)
    key, known = AccessKey(user_stamp, group_stamps, epoch), actor.access_key
    settled = known.settled if key == known and known else not connection.in_atomic_block
    return dataclasses.replace(actor, now=now, access_key=dataclasses.replace(key, settled=settled))


def document_lock(actor: Actor, pk: int) -> tuple[Actor, Document]:
    """The actor of now and the document, locked; raises NotFound where it isn't or no longer visible to them.

    The actor is renewed after the lock: who takes a right on the document may have held it until then.
    """
    document = _LOCKED.first(pk=pk)
    actor = actor_renewed(actor)
    if document is None or not actions_of(actor, document) & SEE_BIT:
        raise NotFound
    return actor, document


def document_held(actor: Actor, document: Document) -> tuple[Actor, Document]:
    """As `document_lock`, for what is known already with its workspace; raises DocumentTrashed, too."""
    workspace = document.workspace
    actor, document = document_lock(actor, document.pk)
    if document.is_trashed:
        raise DocumentTrashed
    if document.workspace_id == workspace.pk:
        document.workspace = workspace
    return actor, document
