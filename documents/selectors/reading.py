"""The hot reads of documents: prebuilt, parameter-only SQL, rows by the driver, plain dicts for orjson.

The contract of the answers is `documents.api.serializers.DocumentAnswer`; a test holds both to be equal. A
row brings the columns that its rights are judged by, so one document is read by its id alone and judged in
Python: what that costs doesn't grow with the number of grants. It brings the keys of people and workspaces,
and the stamp under which the process keeps their names and ids: to join them took a third of a short read.
"""

from __future__ import annotations

import functools
import itertools
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from django.conf import settings

from accounts.caching import people_named
from cloudscribe.lib.actor import Actor, Limit
from cloudscribe.lib.errors import NotFound, ServiceUnavailable
from cloudscribe.lib.postgresql.arrays import array_text
from cloudscribe.lib.postgresql.base import ask_along, prepared_rows
from cloudscribe.lib.renderers import dump_json
from documents import limits
from documents.addresses import document_url
from documents.caching import workspace_ids
from documents.etags import document_etag
from documents.exceptions import DocumentTrashed
from documents.policies import ACTION_BITS, Action, abilities_of
from documents.roles import SEE_BIT
from documents.visibility import bits_on, rights_of

Answer = dict[str, Any]

COLUMNS = """d.id, d.workspace_id, d.path, d.reach, d.trashed_at, d.uid, p.uid,
 d.title, d.language, d.tags, d.icon, d.state, d.template, d.owner_id, d.position, d.revision,
 d.inherits_access, CASE WHEN d.lock_expires_at > statement_timestamp() THEN d.lock_expires_at END,
 d.lock_reason, d.locked_by_id, d.created_actor, d.created_by_id, d.updated_actor, d.updated_by_id,
 d.created_at, d.updated_at,
 p.id, p.workspace_id, p.path, p.reach,
 (SELECT bit_xor(stamp) FROM accounts_peoplestamp)"""
UPDATED_AT = 25
_REVISION, _PARENT, _STAMP = 15, slice(26, 30), 30
# Owner, who holds the lock, who made it, who changed it last.
_PEOPLE_OF = itemgetter(13, 19, 21, 23)

JOINS = "LEFT JOIN documents_document p ON p.id = d.parent_id"

# A client that knows the revision already needs no body: reading a long one from TOAST costs more than the
# rest. So much that its time would tell of a hidden document: it is read once the reader may see it.
_READ_AT_ONCE = 16_384
_ONE_SQL = f"""SELECT {COLUMNS},
 CASE WHEN d.revision IS DISTINCT FROM %(known)s THEN (
  SELECT b.content FROM documents_documentbody b WHERE b.document_id = d.id AND b.size <= %(most)s) END
FROM documents_document d {JOINS} WHERE d.uid = %(uid)s"""  # noqa: S608
_MANY_SQL = f"SELECT {COLUMNS} FROM documents_document d {JOINS} WHERE d.id = ANY(%(ids)s::bigint[])"  # noqa: S608
_MANY_WITH_CONTENT_SQL = f"""SELECT {COLUMNS}, b.content
FROM documents_document d {JOINS} JOIN documents_documentbody b ON b.document_id = d.id
WHERE d.id = ANY(%(ids)s::bigint[])"""  # noqa: S608
_WORKSPACES_SQL = "SELECT id, uid FROM documents_workspace WHERE id = ANY(%(keys)s::bigint[])"


class Names(NamedTuple):
    """By their keys, references to people and the ids of workspaces; of all that are still there."""

    people: Mapping[int, Answer]
    workspaces: Mapping[int, str]

    def workspace(self, key: int) -> str:
        """The id of a row's workspace; raises ServiceUnavailable for one purged since the row was read."""
        try:
            return self.workspaces[key]
        except KeyError:
            raise ServiceUnavailable from None


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
    if row[-1] is None and row[_REVISION] != known:
        parameters = {"uid": uid, "known": None, "most": limits.BODY_BYTES}
        row = _judged(prepared_rows(_ONE_SQL, parameters, ids_as_text=True), rights, actor.limit)
    answer = answer_of(row, names_of([row]), rights, actor.limit)
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
    rights, names = rights_of(actor), names_of(rows)
    listed = {row[0]: answer_of(row, names, rights, actor.limit) for row in rows}
    if content:
        for row in rows:
            listed[row[0]]["content"] = row[-1]
    return listed


def answer_etag(actor: Actor, answer: Answer, variant: bytes) -> str:
    """The ETag of an answer without its body, which the revision fixes; `variant` says what was asked for."""
    epoch = actor.access_key.epoch if actor.access_key else 0
    return document_etag(epoch, answer["revision"], dump_json(answer) + variant)


def names_of(
    rows: Sequence[Sequence[Any]], *, people: Collection[int] = (), workspaces: Collection[int] = ()
) -> Names:
    """Who and what is named by rows that begin with `COLUMNS`, and by further keys."""
    stamp = rows[0][_STAMP] if rows else None
    named = {*people, *itertools.chain.from_iterable(map(_PEOPLE_OF, rows))}
    named.discard(None)
    places = {*workspaces, *(row[1] for row in rows)}
    return Names(people_named(stamp, named), workspace_ids(stamp, places, _workspaces_by_key))


def _workspaces_by_key(keys: Collection[int]) -> dict[int, str]:
    return dict(prepared_rows(_WORKSPACES_SQL, {"keys": array_text(list(keys))}, ids_as_text=True))


def answer_of(
    row: Sequence[Any],
    names: Names,
    rights: Mapping[int, int],
    limit: Limit | None,
    abilities: Callable[[int], Any] = document_abilities,
) -> Answer:
    """The answer of a row that begins with `COLUMNS`, for a reader with these rights.

    A hidden parent is shown as none.
    """
    parent = row[6]
    if parent is not None and not _bits(row[_PARENT], rights, limit) & SEE_BIT:
        parent = None
    people = names.people
    return {
        "id": row[5],
        "workspace": names.workspace(row[1]),
        "parent": parent,
        "title": row[7],
        "language": row[8],
        "tags": row[9],
        "icon": row[10],
        "state": row[11],
        "template": row[12],
        "owner": people[row[13]]["id"],
        "position": row[14],
        "revision": row[_REVISION],
        "inherits_access": row[16],
        "lock": row[17] and {"by": people.get(row[19]), "expires_at": row[17], "reason": row[18]},
        "created_by": people.get(row[21]) if row[20] is None else orjson.loads(row[20]),
        "updated_by": people.get(row[23]) if row[22] is None else orjson.loads(row[22]),
        "created_at": row[24],
        "updated_at": row[UPDATED_AT],
        "trashed_at": row[4],
        "abilities": abilities(_bits(row[:4], rights, limit)),
    }


def answer_listed(row: Sequence[Any], names: Names, rights: Mapping[int, int], limit: Limit | None) -> Answer:
    """As `answer_of`, to be written out as it is."""
    return answer_of(row, names, rights, limit, _abilities_written)


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
