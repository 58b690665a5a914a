"""The list of documents in one statement, by two plans chosen by the share of documents that the reader sees.

Who sees much walks the index of `(updated_at, id)` and filters; who sees little gathers the newest of each
scope and what was granted directly, and sorts that. The planner is never left to guess: with 35 visible among
a million the walk reads all of it, and with a third of them visible the gathering sorts that third. A walk
ends after so many rows: where what one sees is the oldest of all, it is gathered after all.

The server plans each text once a connection, whatever the values: the two limits that stand in the texts as
numbers tell it how little is read. Planning anew would take three times as long as the page.
"""

from __future__ import annotations

import dataclasses
import itertools
import uuid
from collections.abc import Hashable
from typing import Any, NamedTuple

from django.db import connection

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.cursors import Cursor, Page, cut_page
from cloudscribe.lib.pagination import MAX_PAGE_SIZE
from cloudscribe.lib.postgresql.base import ask_along, prepared_rows
from documents.caching import (
    question_forget,
    question_keep,
    question_last,
    visible_share,
    walk_is_vain,
    walk_was_vain,
    workspace_key,
)
from documents.models import Workspace
from documents.selectors.reading import COLUMNS, JOINS, UPDATED_AT, Answer, answer_listed, names_of
from documents.visibility import rights_of, targets_for, visible_parameters, visible_sql

# Templates and what is archived or trashed stay out of lists.
_LISTED = "d.trashed_at IS NULL AND d.state <> 'archived' AND NOT d.template"
_IN_ROOM = "d.workspace_id = %(room)s"
_EDGES = {
    False: ("(d.updated_at, d.id) < (%(edge_at)s, %(edge_id)s)", "DESC"),
    True: ("(d.updated_at, d.id) > (%(edge_at)s, %(edge_id)s)", "ASC"),
}
_WINDOW = 10_000
# Whether the rows that the walk could look at were all there are is asked only where they filled no page.
_WALK = """SELECT d.id, d.updated_at FROM (
    SELECT d.id, d.updated_at, d.scope_id, d.reach, d.parent_id, d.workspace_id, d.path
    FROM documents_document d WHERE {room} AND {listed} AND {edge}
    ORDER BY d.updated_at {way}, d.id {way} LIMIT {window}) AS d
WHERE {visible} ORDER BY d.updated_at {way}, d.id {way} LIMIT %(size)s"""
_WALKED_ALL = """(SELECT count(*) FROM page) >= %(size)s OR {window} > (SELECT count(*) FROM (
    SELECT FROM documents_document d WHERE {room} AND {listed} AND {edge} LIMIT {window}) AS seen)"""
_GATHER = """SELECT n.id, n.updated_at FROM (
    SELECT d.id, d.updated_at FROM unnest(%(scopes)s::bigint[]) AS s(scope) CROSS JOIN LATERAL (
        SELECT d.id, d.updated_at FROM documents_document d
        WHERE d.scope_id = s.scope AND {room} AND {listed} AND {edge} AND {visible}
        ORDER BY d.updated_at {way}, d.id {way} LIMIT %(size)s) AS d
    UNION
    SELECT d.id, d.updated_at FROM unnest(%(roots)s::bigint[]) AS r(id)
    JOIN documents_document root ON root.id = r.id CROSS JOIN LATERAL (
        SELECT b.* FROM documents_document b
        WHERE b.path >= root.path AND b.path < root.path || 'g' OFFSET 0) AS d
    WHERE {room} AND {listed} AND {edge} AND {visible}
) AS n ORDER BY n.updated_at {way}, n.id {way} LIMIT %(size)s"""
_PAGE = f"""WITH page AS MATERIALIZED (SELECT * FROM ({{plan}}) AS p LIMIT {MAX_PAGE_SIZE + 1})
SELECT {{columns}}, {{complete}} FROM page JOIN documents_document d ON d.id = page.id {{joins}}
ORDER BY d.updated_at {{way}}, d.id {{way}}"""  # noqa: S608


class _Shape(NamedTuple):
    """What the text of a page hangs on; `limited` for a credential that has a limit."""

    walked: bool
    within: bool
    reverse: bool
    first: bool
    limited: bool


def _text(shape: _Shape, window: int = _WINDOW) -> str:
    edge, way = _EDGES[shape.reverse]
    parts = {
        "window": window,
        "room": _IN_ROOM if shape.within else "true",
        "listed": _LISTED,
        "edge": "true" if shape.first else edge,
        "way": way,
        "visible": visible_sql("d", limited=shape.limited),
    }
    plan = (_WALK if shape.walked else _GATHER).format(**parts)
    complete = _WALKED_ALL.format(**parts) if shape.walked else "true"
    return _PAGE.format(plan=plan, complete=complete, columns=COLUMNS, joins=JOINS, way=way)


# Built once, only parameters change.
_TEXTS = {
    shape: _text(shape) for shape in itertools.starmap(_Shape, itertools.product((False, True), repeat=5))
}
_SHARE_SQL = """SELECT coalesce(sum(n), 0)::float8,
 coalesce(sum(n) FILTER (WHERE scope_id = ANY(%(scopes)s::bigint[])), 0)::float8 FROM documents_scopecount"""
_WALKED_SHARE = 0.015
_WALKED_ANYWAY = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """A page of answers and its neighbours' edges, which are `(updated_at, key)`."""

    results: list[Answer]
    page: Page[Any]


def page_ask_along(asker: Hashable) -> None:
    """Have what `documents_page` read for this asker before sent along with the question who asks.

    It is used only if the same is asked again once that is known: with the rights of now, by the same plan.
    """
    question = question_last(asker)
    if question is not None:
        ask_along(*question, ids_as_text=True)


def page_ask_no_more(asker: Hashable) -> None:
    """Have nothing sent along for this asker, who was refused, until a page has been read for them again."""
    question_forget(asker)


def documents_page(
    actor: Actor,
    *,
    size: int,
    cursor: Cursor | None,
    workspace: uuid.UUID | None = None,
    asker: Hashable | None = None,
) -> Listing:
    """The newest visible documents, of all workspaces or of one, from the cursor `(updated_at, key)` on.

    With `asker` it remembers what was asked, for `page_ask_along`.
    """
    # Documents can be shared without their workspace: whoever names its id may ask for what they see in it.
    room = None if workspace is None else workspace_key(workspace, lambda: _workspace_pk(workspace)) or 0
    rights = rights_of(actor)
    parameters = {**visible_parameters(actor), "room": room, "size": size + 1}
    if cursor is not None:
        parameters["edge_at"], parameters["edge_id"] = cursor.values
    shape = _Shape(
        walked=_is_walked(actor, room, parameters),
        within=room is not None,
        reverse=cursor is not None and cursor.reverse,
        first=cursor is None,
        limited=actor.limit is not None,
    )
    rows = prepared_rows(_TEXTS[shape], parameters, ids_as_text=True)
    if shape.walked and len(rows) <= size and not (rows and rows[0][-1]):
        shape = shape._replace(walked=False)
        rows = prepared_rows(_TEXTS[shape], parameters, ids_as_text=True)
        if shape.first:
            walk_was_vain(actor, room)
    if asker is not None:
        question_keep(asker, (_TEXTS[shape], parameters))
    page = cut_page(rows, size, cursor, lambda row: (row[UPDATED_AT], row[0]))
    names = names_of(page.rows)
    return Listing([answer_listed(row, names, rights, actor.limit) for row in page.rows], page)


def _workspace_pk(uid: uuid.UUID) -> int | None:
    return Workspace.objects.filter(uid=uid).values_list("pk", flat=True).first()


def _is_walked(actor: Actor, room: int | None, parameters: dict[str, Any]) -> bool:
    if actor.pk is None or actor.access_key is None or walk_is_vain(actor, room):
        return False
    if room is not None:
        return -room in rights_of(actor)
    granted = len(targets_for(actor).roots)

    def load() -> float:
        with connection.cursor() as statement:
            statement.execute(_SHARE_SQL, {"scopes": parameters["scopes"]})
            everything, mine = statement.fetchone()
        # Each document granted by itself is one at least.
        return 1.0 if everything <= _WALKED_ANYWAY else (mine + granted) / everything

    return visible_share(actor.pk, actor.access_key, load) >= _WALKED_SHARE
