"""Documents, their children and trees as of a moment: what the history has, under the rights of today.

Purged documents are in no history. Rights, owner, cuts and locks have none: they are those of today.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import JSONField, OuterRef, Q, QuerySet, Subquery

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import InvalidInput, NotFound
from documents import limits
from documents.addresses import document_url
from documents.authors import author_reference
from documents.exceptions import DocumentTrashed
from documents.models import Document, Placement, Revision, State, Workspace
from documents.policies import ACTION_BITS, Action, can
from documents.selectors.reading import Answer, answer_etag, documents_listed
from documents.selectors.revisions import revision_snapshot
from documents.selectors.trees import MAX_NODES, Node, node_of, too_large
from documents.visibility import targets_for, visible_parameters, visible_sql, visible_to

_EDIT_BIT = ACTION_BITS[Action.EDIT]
# What lies in the trash by now is for those alone who may edit it.
_EDITABLE_SQL = (
    visible_sql("d").replace("%(scopes)s", "%(edit_scopes)s").replace("%(roots)s", "%(edit_roots)s")
)
# What stood in the workspace and is seen today, each with what its revision of then says, and below which
# one of these: up from the parent of then, as long as that is hidden.
_TREE_SQL = f"""
WITH RECURSIVE seen AS MATERIALIZED (
    SELECT d.id, d.uid, p.parent_id, p.position, p.state, r.number, r.meta
    FROM documents_placement p JOIN documents_document d ON d.id = p.document_id
    CROSS JOIN LATERAL (
        SELECT r.number, r.meta FROM documents_revision r
        WHERE r.document_id = d.id AND r.created_at <= %(at)s ORDER BY r.number DESC LIMIT 1) AS r
    WHERE p.workspace_id = %(workspace)s AND p.valid_from <= %(at)s
      AND (p.valid_to IS NULL OR p.valid_to > %(at)s) AND NOT p.trashed AND p.state <> 'archived'
      AND r.meta->>'template' = 'false' AND {visible_sql("d")} AND (d.trashed_at IS NULL OR {_EDITABLE_SQL})
    LIMIT %(most)s
), up AS (
    SELECT id, parent_id AS above, false AS closed FROM seen
    UNION ALL
    SELECT u.id, p.parent_id, {visible_sql("d")} AND (p.state = 'archived' OR d.template)
    FROM up u JOIN documents_placement p ON p.document_id = u.above
    JOIN documents_document d ON d.id = u.above
    WHERE NOT u.closed AND p.valid_from <= %(at)s AND (p.valid_to IS NULL OR p.valid_to > %(at)s)
      AND NOT EXISTS (SELECT FROM seen s WHERE s.id = u.above)
)
SELECT s.id, s.uid, s.meta->>'title', s.meta->>'icon', s.state, s.position, s.number,
       (SELECT u.above FROM up u JOIN seen a ON a.id = u.above WHERE u.id = s.id)
FROM seen s WHERE NOT EXISTS (SELECT FROM up u WHERE u.id = s.id AND u.closed) ORDER BY s.position, s.id
"""  # noqa: S608 (a fragment of our own)


def placed_at(at: dt.datetime) -> Q:
    """The condition on placements that held at a moment."""
    return Q(valid_from__lte=at) & (Q(valid_to__isnull=True) | Q(valid_to__gt=at))


def document_at(actor: Actor, document: Document, at: dt.datetime) -> tuple[Answer, str]:
    """A document, which the actor sees today, as of then, and its ETag.

    Raises NotFound for a moment before it was made, and where it lay in the trash, which is told to editors
    by DocumentTrashed; RevisionGone where its body of then is kept no longer.
    """
    place = Placement.objects.filter(placed_at(at), document=document).first()
    if place is None:
        raise NotFound
    if place.trashed:
        raise DocumentTrashed if can(actor, Action.EDIT, document) else NotFound
    answer = _answers(actor, [place], at)[document.pk]
    etag = answer_etag(actor, answer, b"at")
    answer["url"] = document_url(answer["id"], answer["title"], settings.PUBLIC_URL)
    answer["content"] = revision_snapshot(document.pk, answer["revision"]).content
    return answer, etag


def children_at(actor: Actor, document: Document, at: dt.datetime) -> QuerySet[Placement]:
    """The places of what stood right below a document and is seen today; to be paged by position."""
    meta = Revision.objects.filter(document=OuterRef("document"), created_at__lte=at).order_by("-number")
    rows = Placement.objects.filter(placed_at(at), parent=document, trashed=False)
    rows = rows.exclude(state=State.ARCHIVED).annotate(
        meta=Subquery(meta.values("meta")[:1], output_field=JSONField())
    )
    standing = visible_to(Document.objects.filter(trashed_at__isnull=True), actor)
    editable = visible_to(Document.objects.all(), actor, _EDIT_BIT)
    return rows.filter(Q(document__in=standing) | Q(document__in=editable), meta__template=False)


def listed_at(actor: Actor, places: Sequence[Placement], at: dt.datetime) -> list[Answer]:
    """The list representation of then, in the order of the places; five statements."""
    answers = _answers(actor, places, at)
    return [answers[place.document_id] for place in places if place.document_id in answers]


def _answers(actor: Actor, places: Sequence[Placement], at: dt.datetime) -> dict[int, Answer]:
    keys = [place.document_id for place in places]
    today = documents_listed(actor, keys)
    revisions = _revisions(keys, at)
    parents = {place.parent_id for place in places if place.parent_id is not None}
    shown = dict(visible_to(Document.objects.filter(pk__in=parents), actor).values_list("pk", "uid"))
    rooms = {place.workspace_id for place in places}
    uids = dict(Workspace.objects.filter(pk__in=rooms).values_list("pk", "uid"))
    answers = {}
    for place in places:
        revision = revisions.get(place.document_id)
        if revision is None or place.document_id not in today:
            continue
        answers[place.document_id] = {
            **today[place.document_id],
            **revision.meta,
            "workspace": uids.get(place.workspace_id),
            "parent": shown.get(place.parent_id) if place.parent_id else None,
            "position": place.position,
            "state": place.state,
            "revision": revision.number,
            "lock": None,
            "updated_by": author_reference(revision.author, revision.author_actor),
            "updated_at": revision.created_at,
            "trashed_at": None,
        }
    return answers


def _revisions(keys: Iterable[int], at: dt.datetime) -> dict[int, Revision]:
    """The revision that was the newest of each document."""
    rows = Revision.objects.filter(document__in=keys, created_at__lte=at).select_related("author")
    newest = rows.order_by("document", "-number").distinct("document")
    return {row.document_id: row for row in newest}


def tree_at(
    actor: Actor,
    workspace: int,
    at: dt.datetime,
    *,
    depth: int = limits.DEPTH,
    parent: Document | None = None,
) -> list[Node]:
    """As `workspace_tree`, as of then. Raises InvalidInput where more than 10,000 nodes stood there."""
    edits = targets_for(actor, _EDIT_BIT)
    parameters = {
        **visible_parameters(actor),
        "edit_scopes": edits.scopes_text,
        "edit_roots": edits.roots_text,
        "workspace": workspace,
        "at": at,
        "most": MAX_NODES + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TREE_SQL, parameters)
        rows = cursor.fetchall()
    if len(rows) > MAX_NODES:
        raise InvalidInput.field("?at", "too_large", too_large("of then"))
    below: dict[int | None, list[tuple[Any, ...]]] = {}
    for row in rows:
        below.setdefault(row[-1], []).append(row)
    return _nested(below, parent.pk if parent else None, depth)


def _nested(below: dict[int | None, list[tuple[Any, ...]]], above: int | None, depth: int) -> list[Node]:
    if not depth:
        return []
    return [
        {**node_of(columns), "has_children": pk in below, "children": _nested(below, pk, depth - 1)}
        for pk, *columns, _ in below.get(above, ())
    ]
