"""The hot reads of documents: prebuilt, parameter-only SQL, rows by the driver, plain dicts for orjson.

The contract of the answers is `documents.api.serializers.DocumentAnswer`; a test holds both to be equal. A
row brings the columns that its rights are judged by, so one document is read by its id alone and judged in
Python: what that costs doesn't grow with the number of grants.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from django.conf import settings

from cloudscribe.lib.actor import Actor, Limit
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.postgresql.arrays import array_text
from cloudscribe.lib.postgresql.base import ask_along, prepared_rows
from cloudscribe.lib.renderers import dump_json
from documents import limits
from documents.addresses import document_url
from documents.etags import document_etag
from documents.exceptions import DocumentTrashed
from documents.policies import ACTION_BITS, Action, abilities_of
from documents.roles import SEE_BIT
from documents.visibility import bits_on, rights_of

Answer = dict[str, Any]

COLUMNS = """d.id, d.workspace_id, d.path, d.reach, d.trashed_at,
 d.uid, w.uid, p.uid,
 d.title, d.language, d.tags, d.icon, d.state, d.template, o.uid, d.position, d.revision, d.inherits_access,
 CASE WHEN d.lock_expires_at > statement_timestamp() THEN d.lock_expires_at END, d.lock_reason,
 lu.uid, lu.name,
 d.created_actor, cu.uid, cu.name, d.updated_actor, uu.uid, uu.name, d.created_at, d.updated_at,
 p.id, p.workspace_id, p.path, p.reach"""

JOINS = """
JOIN documents_workspace w ON w.id = d.workspace_id
JOIN accounts_user o ON o.id = d.owner_id
LEFT JOIN documents_document p ON p.id = d.parent_id
LEFT JOIN accounts_user lu ON lu.id = d.locked_by_id
LEFT JOIN accounts_user cu ON cu.id = d.created_by_id
LEFT JOIN accounts_user uu ON uu.id = d.updated_by_id"""

# A client that knows the revision already needs no body: reading a long one from TOAST costs more than the
# rest. So much that its time would tell of a hidden document: it is read once the reader may see it.
_READ_AT_ONCE = 16_384
_ONE_SQL = f"""SELECT {COLUMNS},
 CASE WHEN d.revision IS DISTINCT FROM %(known)s AND b.size <= %(most)s THEN b.content END
FROM documents_document d {JOINS} JOIN documents_documentbody b ON b.document_id = d.id
WHERE d.uid = %(uid)s"""  # noqa: S608
_MANY_SQL = f"SELECT {COLUMNS} FROM documents_document d {JOINS} WHERE d.id = ANY(%(ids)s::bigint[])"  # noqa: S608
_MANY_WITH_CONTENT_SQL = f"""SELECT {COLUMNS}, b.content
FROM documents_document d {JOINS} JOIN documents_documentbody b ON b.document_id = d.id
WHERE d.id = ANY(%(ids)s::bigint[])"""  # noqa: S608


class Place:
    """The four columns of a row that its rights are judged by."""

    __slots__ = ("id", "path", "reach", "workspace_id")

    def __init__(self, row: Sequence[Any]) -> None:
        self.id, self.workspace_id, self.path, self.reach = row


@functools.lru_cache(maxsize=256)
def document_abilities(bits: int) -> dict[str, bool]:
    """The abilities of a document by action bits; shared, so never to be changed."""
    return abilities_of(bits, document=True)


@functools.lru_cache(maxsize=256)
def _abilities_written(bits: int) -> orjson.Fragment:
    """`document_abilities` as JSON: of a list's answer they are a third."""
    return orjson.Fragment(dump_json(document_abilities(bits)))


def document_ask_along(uid: uuid.UUID, known: int | None = None) -> None:
    """Have what `document_read` reads sent along with the question who asks; nothing of it is used before."""
    ask_along(_ONE_SQL, _one(uid, known), ids_as_text=True)


def document_read(actor: Actor, uid: uuid.UUID, known: int | None = None) -> tuple[Answer, str]:
    """One document and its ETag, in one statement unless the body is long.

    Without `content` where the client knows that revision. Raises NotFound, and for a trashed one that the
    actor may edit DocumentTrashed.
    """
    rights = rights_of(actor)
    row = _judged(prepared_rows(_ONE_SQL, _one(uid, known), ids_as_text=True), rights, actor.limit)
    if row[-1] is None and row[16] != known:
        parameters = {"uid": uid, "known": None, "most": limits.BODY_BYTES}
        row = _judged(prepared_rows(_ONE_SQL, parameters, ids_as_text=True), rights, actor.limit)
    answer = answer_of(row, rights, actor.limit)
    answer["url"] = document_url(answer["id"], answer["title"], settings.PUBLIC_URL)
    etag = answer_etag(actor, answer, b"full")
    if row[-1] is not None:
        answer["content"] = row[-1]
    return answer, etag


def _one(uid: uuid.UUID, known: int | None) -> dict[str, Any]:
    return {"uid": uid, "known": known, "most": _READ_AT_ONCE}


def _judged(rows: Sequence[Sequence[Any]], rights: Mapping[int, int], limit: Limit | None) -> Sequence[Any]:
    if not rows:
        raise NotFound
    (row,) = rows
    bits = _bits(row[:4], rights, limit)
    if not bits & SEE_BIT:
        raise NotFound
    if row[4] is not None:
        if bits & ACTION_BITS[Action.EDIT]:
            raise DocumentTrashed
        raise NotFound
    return row


def document_read_whole(actor: Actor, uid: uuid.UUID, known: int | None, matches: Any) -> tuple[Answer, str]:
    """As `document_read`, with the body unless `matches(etag)` says that the client holds this answer."""
    answer, etag = document_read(actor, uid, known)
    if "content" not in answer and not matches(etag):
        return document_read(actor, uid)
    return answer, etag


def documents_listed(actor: Actor, ids: Sequence[int], *, content: bool = False) -> dict[int, Answer]:
    """The list representation of documents that are known to be visible, by key, in one statement."""
    if not ids:
        return {}
    parameters = {"ids": array_text(list(ids))}
    rows = prepared_rows(_MANY_WITH_CONTENT_SQL if content else _MANY_SQL, parameters, ids_as_text=True)
    rights = rights_of(actor)
    listed = {row[0]: answer_of(row, rights, actor.limit) for row in rows}
    if content:
        for row in rows:
            listed[row[0]]["content"] = row[-1]
    return listed


def answer_etag(actor: Actor, answer: Answer, variant: bytes) -> str:
    """The ETag of an answer without its body, which the revision fixes; `variant` says what was asked for."""
    epoch = actor.access_key.epoch if actor.access_key else 0
    return document_etag(epoch, answer["revision"], dump_json(answer) + variant)


def answer_of(
    row: Sequence[Any],
    rights: Mapping[int, int],
    limit: Limit | None,
    abilities: Callable[[int], Any] = document_abilities,
) -> Answer:
    """The answer of a row that begins with `COLUMNS`, for a reader with these rights.

    A hidden parent is shown as none.
    """
    parent = row[7]
    if parent is not None and not _bits(row[30:34], rights, limit) & SEE_BIT:
        parent = None
    creator = _author(row[22], row[23], row[24])
    same = row[26] == row[23] and row[25] is None and row[22] is None
    return {
        "id": row[5],
        "workspace": row[6],
        "parent": parent,
        "title": row[8],
        "language": row[9],
        "tags": row[10],
        "icon": row[11],
        "state": row[12],
        "template": row[13],
        "owner": row[14],
        "position": row[15],
        "revision": row[16],
        "inherits_access": row[17],
        "lock": row[18] and _lock(row[18:22]),
        "created_by": creator,
        "updated_by": creator if same else _author(row[25], row[26], row[27]),
        "created_at": row[28],
        "updated_at": row[29],
        "trashed_at": row[4],
        "abilities": abilities(_bits(row[:4], rights, limit)),
    }


def _lock(columns: Sequence[Any]) -> Answer:
    expires_at, reason, uid, name = columns
    return {
        "by": {"kind": "user", "id": uid, "name": name},
        "expires_at": expires_at,
        "reason": reason,
    }


def answer_listed(row: Sequence[Any], rights: Mapping[int, int], limit: Limit | None) -> Answer:
    """As `answer_of`, to be written out as it is."""
    return answer_of(row, rights, limit, _abilities_written)


def row_seen(row: Sequence[Any], rights: Mapping[int, int], limit: Limit | None) -> bool:
    """Whether the document of a row that begins with `COLUMNS` is to be seen and not in the trash."""
    return row[4] is None and bool(_bits(row[:4], rights, limit) & SEE_BIT)


def _bits(place: Sequence[Any], rights: Mapping[int, int], limit: Limit | None) -> int:
    if limit is not None:
        return bits_on(rights, limit, Place(place))
    bits = 0
    for target in place[3]:
        bits |= rights.get(target, 0)
    return bits


def _author(actor: str | None, uid: uuid.UUID | None, name: str | None) -> Any:
    """As `documents.authors.author_reference`, of columns as the driver gives them."""
    if actor is not None:
        return orjson.loads(actor)
    return None if uid is None else {"kind": "user", "id": uid, "name": name}
