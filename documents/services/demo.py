"""The demo world's rows, written in bulk by an operator's command: workspaces, then documents by COPY.

The indexes stay while it writes: documents that are there already can be read and found all the while, and a
run that is cut off leaves nothing to mend. Only its last batch is missing, and the next run adds it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from django.contrib.auth.models import Permission
from django.db import connection
from uuid_utils.compat import uuid7

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.demo.layout import Layout, Node, Share
from documents.demo.names import ROOM_NAMES, SMALL_ROOM, slug
from documents.demo.prose import CONFIG, LANGUAGE, Lexemes, Written
from documents.models import (
    Document,
    DocumentBody,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.payloads import payload_for
from documents.roles import DOCUMENT_CODENAMES, WORKSPACE_CODENAMES, Role
from documents.services.locking import Strength, workspaces_lock

_LEXEMES_SQL = """
SELECT word, tsvector_to_array(to_tsvector(%s::regconfig, word)) FROM unnest(%s::text[]) AS t(word)
"""
_KEYS_SQL = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
_OWNED_SQL = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(%s)"
_META = DocumentBody._meta  # noqa: SLF001 (Django's own documented face)
_WORD_INDEX = next(index for index in _META.indexes if index.name == "documents_body_search")
_PAYS_FROM, _PAYS_TIMES = 50_000, 4
_DOCUMENTS = """
COPY documents_document (id, uid, workspace_id, parent_id, position, inherits_access, state, template, title,
    language, icon, tags, revision, owner_id, created_by_id, created_at, updated_by_id, updated_at,
    lock_reason)
FROM STDIN
"""
_BODIES = """
COPY documents_documentbody (document_id, content, sha256, size, search_vector, search_config, search_length)
FROM STDIN
"""
_REVISIONS = """
COPY documents_revision (id, document_id, number, author_id, note, parent, base, meta, sha256, size,
    created_at)
FROM STDIN
"""
_PAYLOADS = "COPY documents_revisionpayload (revision_id, base_number, payload) FROM STDIN"
_PLACEMENTS = """
COPY documents_placement (document_id, workspace_id, parent_id, position, state, trashed, valid_from)
FROM STDIN
"""
_USER_GRANTS = """
COPY documents_documentuserpermission (uid, user_id, content_object_id, permission_id, origin,
    granted_by_id, reason)
FROM STDIN
"""
_GROUP_GRANTS = """
COPY documents_documentgrouppermission (uid, group_id, content_object_id, permission_id, origin,
    granted_by_id, reason)
FROM STDIN
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """A membership of workspace number `room`; `user` or `group` is a key."""

    room: int
    role: Role
    user: int | None = None
    group: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Cast:
    """The keys of who and what the layout speaks of by number: people and groups from 1, rooms from 0."""

    people: Sequence[int]
    groups: Sequence[int]
    rooms: Sequence[int]


class _Place(NamedTuple):
    """The keys of a row and of its workspace."""

    pk: int
    workspace: int


class _Body(NamedTuple):
    """A body, its SHA-256 and its size in bytes."""

    text: str
    sha256: bytes
    size: int


class _New(NamedTuple):
    """A document to be written; `bodies` are those of its revisions, oldest first."""

    pk: int
    workspace: int
    parent: int | None
    node: Node
    text: Written
    bodies: list[_Body]


def numbers_missing(layout: Layout, numbers: Sequence[int]) -> list[int]:
    """Those of the documents `numbers` that are not there."""
    uids = {layout.uid(number): number for number in numbers}
    there = set(Document.objects.filter(uid__in=uids).values_list("uid", flat=True))
    return [number for uid, number in uids.items() if uid not in there]


@contextlib.contextmanager
def word_index_aside(added: int) -> Iterator[None]:
    """Run the block without the index of words where that pays, and make the index again behind it.

    Built at once it takes a fifth of the work that a million rows one by one take. It goes only where what is
    `added` is a multiple of what is there, so hardly anybody searches meanwhile, and only for the role that
    owns it. A run that was killed leaves it away: the next run of whatever size makes it.
    """
    if not _may_index():
        yield
        return
    if added >= _PAYS_FROM and added > _PAYS_TIMES * Document.objects.count() and _word_index_stands():
        with connection.schema_editor() as editor:
            editor.remove_index(DocumentBody, _WORD_INDEX)
    try:
        yield
    finally:
        if not _word_index_stands():
            with connection.schema_editor() as editor:
                editor.execute("SET LOCAL maintenance_work_mem = '512MB'")
                editor.add_index(DocumentBody, _WORD_INDEX)


def _may_index() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_OWNED_SQL, [_META.db_table])
        return bool(cursor.fetchone()[0])


def _word_index_stands() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [_WORD_INDEX.name])
        return bool(cursor.fetchone()[0])


def lexemes_of(words: Sequence[str]) -> Lexemes:
    """Which lexemes each word becomes; none for a stop word."""
    with connection.cursor() as cursor:
        cursor.execute(_LEXEMES_SQL, [CONFIG, list(words)])
        return dict(cursor.fetchall())


@transactional
def demo_rooms_add(*, actor: Actor, layout: Layout, members: Sequence[Member]) -> list[int]:
    """Make the workspaces and memberships, where they are missing; gives keys by the room's number."""
    names = ROOM_NAMES if layout.large else (SMALL_ROOM,)
    known = set(Workspace.objects.filter(slug__in=map(slug, names)).values_list("slug", flat=True))
    made = Workspace.objects.bulk_create(
        [Workspace(name=name, slug=slug(name)) for name in names if slug(name) not in known]
    )
    for room in made:
        event_record(
            actor=actor,
            action="workspace.created",
            target=Target("workspace", room.uid, room.name),
            workspace_uid=room.uid,
            changes={"name": (None, room.name)},
        )
    keys = dict(Workspace.objects.filter(slug__in=map(slug, names)).values_list("slug", "pk"))
    rooms = [keys[slug(name)] for name in names]
    permissions = _permissions(WORKSPACE_CODENAMES)
    for model, subject, chosen in (
        (WorkspaceUserPermission, "user", [member for member in members if member.user]),
        (WorkspaceGroupPermission, "group", [member for member in members if member.group]),
    ):
        model.objects.bulk_create(
            [
                model(
                    **{f"{subject}_id": getattr(member, subject)},
                    content_object_id=rooms[member.room],
                    permission_id=permissions[member.role],
                )
                for member in chosen
            ],
            ignore_conflicts=True,
        )
    return rooms


@transactional
def demo_documents_add(
    *, actor: Actor, layout: Layout, cast: Cast, documents: Sequence[tuple[Node, Written]], most: int
) -> int:
    """Write the documents of these that are not there, `most` at the utmost; gives how many.

    Left out are those whose parent was trashed or moved too deep meanwhile. Raises WorkspaceBusy.
    """
    uids = [node.uid for node, _ in documents]
    present = set(Document.objects.filter(uid__in=uids).values_list("uid", flat=True))
    missing = [drawn for drawn in documents if drawn[0].uid not in present][:most]
    # Before the tree is read: who moves or trashes a parent holds the same lock.
    workspaces_lock({cast.rooms[node.room] for node, _ in missing}, Strength.ADD)
    new = _placed(layout, cast, missing)
    if not new:
        return 0
    _copy(_DOCUMENTS, (_document_row(document, cast) for document in new))
    _copy(_BODIES, map(_body_row, new))
    _copy(_PLACEMENTS, map(_placement_row, new))
    _histories(new, cast)
    _shares(new, cast)
    event_record(
        actor=actor,
        action="demo.documents_added",
        target=Target("demo", None, "Documents of the demo world"),
        facts={"added": len(new), "first": new[0].node.number, "last": new[-1].node.number},
    )
    return len(new)


def _placed(layout: Layout, cast: Cast, documents: Sequence[tuple[Node, Written]]) -> list[_New]:
    keys = _keys("documents_document", len(documents))
    above = _parents(layout, [node for node, _ in documents])
    new = []
    for pk, (node, text) in zip(keys, documents, strict=True):
        room, parent = cast.rooms[node.room], None
        if node.parent is not None:
            if node.parent not in above:
                continue
            parent, room = above[node.parent]
        above[node.number] = _Place(pk, room)
        bodies = [_body(text.body(number, node.revisions)) for number in range(1, node.revisions + 1)]
        new.append(_New(pk, room, parent, node, text, bodies))
    return new


def _parents(layout: Layout, nodes: Sequence[Node]) -> dict[int, _Place]:
    """The parents that stand already and can take a child, by number."""
    numbers = {layout.uid(node.parent): node.parent for node in nodes if node.parent is not None}
    rows = Document.objects.filter(uid__in=numbers, trashed_at=None, depth__lt=limits.DEPTH)
    return {
        numbers[uid]: _Place(pk, workspace)
        for uid, pk, workspace in rows.values_list("uid", "pk", "workspace_id")
    }


def _document_row(document: _New, cast: Cast) -> tuple[Any, ...]:
    node, text, owner = document.node, document.text, cast.people[document.node.owner - 1]
    last = node.revisions
    return (
        *(document.pk, node.uid, document.workspace, document.parent, node.position, node.inherits),
        *(str(node.state), False, text.title, LANGUAGE, "", text.tags, last, owner, owner),
        *(node.at, _author(node, last, cast), _written_at(node, last), ""),
    )


def _body_row(document: _New) -> tuple[Any, ...]:
    text = document.text
    return (document.pk, *document.bodies[-1], text.vector, CONFIG, text.length)


def _placement_row(document: _New) -> tuple[Any, ...]:
    node = document.node
    place = (document.workspace, document.parent, node.position, str(node.state))
    return (document.pk, *place, False, node.at)


def _histories(new: Sequence[_New], cast: Cast) -> None:
    """The revisions, and the payloads of all but each document's last."""
    keys = iter(_keys("documents_revision", sum(document.node.revisions for document in new)))
    revisions, payloads = [], []
    for document in new:
        node, text = document.node, document.text
        fields = {"title": text.title, "language": LANGUAGE, "tags": text.tags, "icon": "", "template": False}
        meta = orjson.dumps(fields).decode()
        for number, body in enumerate(document.bodies, 1):
            pk, before = next(keys), number - 1 or None
            by = _author(node, number, cast)
            at = _written_at(node, number)
            revisions.append(
                (pk, document.pk, number, by, "", before, before, meta, body.sha256, body.size, at)
            )
            if number < node.revisions:
                payload = payload_for(number, body.text, document.bodies[number].text)
                payloads.append((pk, payload.base_number, payload.data))
    _copy(_REVISIONS, revisions)
    _copy(_PAYLOADS, payloads)


def _shares(new: Sequence[_New], cast: Cast) -> None:
    permissions = _permissions(DOCUMENT_CODENAMES)

    def row(document: _New, share: Share, subject: int) -> tuple[Any, ...]:
        owner = cast.people[document.node.owner - 1]
        return (uuid7(), subject, document.pk, permissions[share.role], str(share.origin), owner, "")

    shared = [(document, share) for document in new for share in document.node.shares]
    people = [
        row(document, share, cast.people[share.person - 1]) for document, share in shared if share.person
    ]
    groups = [row(document, share, cast.groups[share.team - 1]) for document, share in shared if share.team]
    _copy(_USER_GRANTS, people)
    _copy(_GROUP_GRANTS, groups)


def _permissions(codenames: dict[Role, str]) -> dict[Role, int]:
    """The keys of the permissions that the roles are called by."""
    found = Permission.objects.filter(codename__in=codenames.values(), content_type__app_label="documents")
    keys = dict(found.values_list("codename", "pk"))
    return {role: keys[codename] for role, codename in codenames.items()}


def _keys(table: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_KEYS_SQL, [table, count])
        return [pk for (pk,) in cursor.fetchall()]


def _copy(statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _body(text: str) -> _Body:
    encoded = text.encode()
    return _Body(text, hashlib.sha256(encoded).digest(), len(encoded))


def _author(node: Node, revision: int, cast: Cast) -> int:
    """The owner wrote the first revision, the next people the ones after it."""
    return cast.people[(node.owner + revision - 2) % len(cast.people)]


def _written_at(node: Node, revision: int) -> dt.datetime:
    """Revisions follow each other by six hours."""
    return node.at + dt.timedelta(hours=6 * (revision - 1))
