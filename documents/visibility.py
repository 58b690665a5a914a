"""Who sees what: the one rule, side by side as a queryset, as SQL and in Python.

`reach` of a document holds the ids whose grants reach it (itself, its ancestors up to the nearest cut, the
negated workspace id if no cut was met), `scope_id` the negated workspace id or the nearest cut. What somebody
was granted is one small map `{target: [(action bits, expires_at)]}`. So

    actions(me, document) = OR over the unexpired entries of map[k], for k in document.reach
    visible = scope_id = ANY(my workspaces, negated) OR reach && (my documents)

narrowed by the limit of the credential. Expiry is judged by `actor.now`, the database's clock.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import connection
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import Subquery
from django.db.models.lookups import StartsWith

from cloudscribe.lib.actor import Actor, ActorKind, Limit
from cloudscribe.lib.context import current_context
from cloudscribe.lib.postgresql.arrays import one_of, overlapping
from documents.access_map import EMPTY, AccessMap, Entries, Targets, targets_of
from documents.caching import access_map
from documents.models import Document, Workspace
from documents.roles import ROLE_BITS, ROLE_OF_CODENAME, SEE_BIT

M = TypeVar("M", bound=Model)

# Direct grants and those of one's teams; workspaces appear under their negated id, as in `reach`.
_GRANTS_SQL = """
SELECT -g.content_object_id, p.codename, g.expires_at
FROM documents_workspaceuserpermission g JOIN auth_permission p ON p.id = g.permission_id
WHERE g.user_id = %(user)s
UNION ALL
SELECT g.content_object_id, p.codename, g.expires_at
FROM documents_documentuserpermission g JOIN auth_permission p ON p.id = g.permission_id
WHERE g.user_id = %(user)s
UNION ALL
SELECT -g.content_object_id, p.codename, g.expires_at
FROM accounts_user_groups m JOIN documents_workspacegrouppermission g ON g.group_id = m.group_id
JOIN auth_permission p ON p.id = g.permission_id
WHERE m.user_id = %(user)s
UNION ALL
SELECT g.content_object_id, p.codename, g.expires_at
FROM accounts_user_groups m JOIN documents_documentgrouppermission g ON g.group_id = m.group_id
JOIN auth_permission p ON p.id = g.permission_id
WHERE m.user_id = %(user)s
"""


def access_map_load(user_pk: int) -> AccessMap:
    """The map straight from the grants: one statement."""
    entries: Entries = {}
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS_SQL, {"user": user_pk})
        for target, codename, expires_at in cursor.fetchall():
            role = ROLE_OF_CODENAME.get(codename)
            if role is not None:
                expires = None if expires_at is None else expires_at.timestamp()
                entries.setdefault(target, []).append((ROLE_BITS[role], expires))
    return AccessMap(entries)


# A request asks for its actor's map several times, each of which the cache would lock and count. A write asks
# for that of the actor of now, too, whose stamps are most often still those of the sign-in.
_last = threading.local()


def access_map_for(actor: Actor) -> AccessMap:
    """The actor's map, cached under the stamps that the sign-in query brought; empty for who is no person."""
    if actor.pk is None:
        return EMPTY
    if actor.access_key is None or not actor.access_key.settled:
        return access_map_load(actor.pk)
    work, key = current_context(), (actor.pk, actor.access_key)
    last = getattr(_last, "read", None)
    if last is not None and last[0] is work and last[1] == key:
        found: AccessMap = last[2]
        return found
    found = access_map(actor.pk, actor.access_key, functools.partial(access_map_load, actor.pk))
    _last.read = (work, key, found)
    return found


def rights_of(actor: Actor) -> Mapping[int, int]:
    """Action bits by target, of what is alive at the actor's moment and within the actions of its limit.

    A share link has no grants: it reaches from its document as far as inheritance does.
    """
    if actor.kind is ActorKind.LINK:
        # Its limit is all that it has. `reach` of what is cut off below the document doesn't hold its id.
        limit = actor.limit or Limit()
        return {} if limit.document_pk is None else {limit.document_pk: limit.actions or 0}
    alive = access_map_for(actor).alive(actor.now.timestamp())
    if actor.limit is None or actor.limit.actions is None:
        return alive
    return {
        target: bits & actor.limit.actions for target, bits in alive.items() if bits & actor.limit.actions
    }


def bits_on(rights: Mapping[int, int], limit: Limit | None, row: Any) -> int:
    """Action bits on a document, given anything with its `id`, `workspace_id`, `path` and `reach`."""
    if limit is not None and not _within(limit, row):
        return 0
    bits = 0
    for target in row.reach:
        bits |= rights.get(target, 0)
    return bits


def actions_of(actor: Actor, target: Document | Workspace) -> int:
    """Action bits of the actor on a document or a workspace: no query once the map is there."""
    rights = rights_of(actor)
    if isinstance(target, Document):
        return bits_on(rights, actor.limit, target)
    limit = actor.limit
    if limit is not None and (limit.document_pk is not None or limit.workspace_pk not in (None, target.pk)):
        return 0
    return rights.get(-target.pk, 0)


def _within(limit: Limit, row: Any) -> bool:
    if limit.workspace_pk is not None and limit.workspace_pk != row.workspace_id:
        return False
    if limit.document_pk is None:
        return True
    if not limit.whole_subtree:
        return bool(limit.document_pk == row.id)
    label = f"{limit.document_pk:010x}"
    return any(row.path.startswith(label, start) for start in range(0, len(row.path), len(label)))


def targets_for(actor: Actor, bit: int = SEE_BIT) -> Targets:
    """My workspaces and my documents: where I may see, or do what `bit` says."""
    if actor.limit is None or actor.limit.actions is None:
        return access_map_for(actor).targets(actor.now.timestamp(), bit)
    return targets_of(rights_of(actor), bit)


def visible_to(queryset: QuerySet[M], actor: Actor, bit: int = SEE_BIT) -> QuerySet[M]:
    """Narrow a queryset of documents or workspaces to what the actor may see, or do what `bit` says."""
    targets = targets_for(actor, bit)
    limit = actor.limit or Limit()
    if issubclass(queryset.model, Workspace):
        if limit.document_pk is not None:
            return queryset.none()
        mine = queryset.filter(pk__in=[-scope for scope in targets.scopes])
        return mine if limit.workspace_pk is None else mine.filter(pk=limit.workspace_pk)
    queryset = queryset.filter(
        Q(one_of("scope_id", targets.scopes_text)) | Q(overlapping("reach", targets.roots_text))
    )
    if limit.workspace_pk is not None:
        queryset = queryset.filter(workspace_id=limit.workspace_pk)
    if limit.document_pk is None:
        return queryset
    if not limit.whole_subtree:
        return queryset.filter(pk=limit.document_pk)
    root = Document.objects.filter(pk=limit.document_pk).values("path")
    return queryset.filter(StartsWith(F("path"), Subquery(root)))


def visible_sql(alias: str, *, limited: bool = True) -> str:
    """The rule as an SQL condition on documents_document under `alias`, a name of our code, never a client's.

    Its named parameters come from `visible_parameters`. It judges a row: `width_bucket` finds the place of an
    id in a sorted array by halves. To hash 800 roots for `IN` takes as long as four pages of such look-ups;
    `&&` and `= ANY` of a prepared statement compare each with each, ten times slower than that. `reach` is
    opened only where it can hold more than the row itself and its workspace, which takes ten times as long as
    to ask for the id. To find rows by an index, gather them first. Without `limited` it is for actors whose
    credential has no limit alone.
    """
    granted = f"""({alias}.scope_id = ANY(%(scopes)s::bigint[]) OR {among_sql(f"{alias}.id")}
  OR {alias}.parent_id IS NOT NULL AND EXISTS (
    SELECT FROM (SELECT unnest({alias}.reach) AS k) r WHERE {among_sql("r.k")}))"""
    if not limited:
        return granted
    return f"""({granted}
 AND (%(limit_workspace)s::bigint IS NULL OR {alias}.workspace_id = %(limit_workspace)s)
 AND (%(limit_document)s::bigint IS NULL OR {alias}.id = %(limit_document)s OR (%(limit_subtree)s AND
 starts_with(
      {alias}.path, (SELECT l.path FROM documents_document l WHERE l.id = %(limit_document)s)))))"""  # noqa: S608 (as said above)


def among_sql(column: str, sorted_ids: str = "%(roots)s::bigint[]") -> str:
    """Whether a column's value is in a sorted array, by default that of the documents that were granted."""
    return f"((({sorted_ids})[width_bucket({column}, {sorted_ids})] = {column}) IS TRUE)"


VISIBLE_SQL = visible_sql("d")


def visible_parameters(actor: Actor) -> dict[str, Any]:
    """The parameters of `visible_sql` for this actor; lists as texts, which the driver binds as they are."""
    targets = targets_for(actor)
    limit = actor.limit or Limit()
    return {
        "scopes": targets.scopes_text,
        "roots": targets.roots_text,
        "limit_workspace": limit.workspace_pk,
        "limit_document": limit.document_pk,
        "limit_subtree": limit.whole_subtree,
    }
