"""What of documents belongs into a person's export: by the rights of the moment at which it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet

from accounts.actors import person_pk
from accounts.exporting import json_list
from accounts.ports import exports
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.renderers import dump_json
from documents.models import (
    AccessRequest,
    Comment,
    Document,
    DocumentUserPermission,
    Revision,
    WorkspaceUserPermission,
)
from documents.selectors.marks import favorites_of, recent_of, watches_of
from documents.services.granting import role_of_grant
from documents.services.locking import actor_renewed
from documents.visibility import visible_to

# A body is 2 MB at most.
_BODIES = 20
_BATCH = 500


class DocumentExports:
    """Memberships, grants, requests, marks, documents and the numbers of one's own revisions."""

    def count(self, actor: Actor) -> int:
        """About how many files there are."""
        return 2 * _own(actor).count() + 8

    def parts(self, actor: Actor) -> Iterator[tuple[str, Iterable[bytes]]]:
        """The files, each with its content in pieces."""
        yield "memberships.json", json_list(_memberships(actor))
        yield "grants.json", json_list(_grants(actor))
        yield "favorites.json", json_list(_favorites(actor))
        yield "recent.json", json_list(_recent(actor))
        yield "watches.json", json_list(_watches(actor))
        yield "access-requests.json", json_list(_access_requests(actor))
        yield "comments.json", json_list(_comments(actor))
        yield "revisions.json", json_list(_revisions(actor))
        yield from _documents(actor)


def connect() -> None:
    """Fill the port; called in `ready()`."""
    exports.provide(DocumentExports())


def _own(actor: Actor) -> QuerySet[Document]:
    """What they own or made and may read now; what lies in the trash is not read."""
    pk = person_pk(actor)
    rows = Document.objects.filter(Q(owner_id=pk) | Q(created_by_id=pk), trashed_at__isnull=True)
    return visible_to(rows, actor)


def _memberships(actor: Actor) -> Iterator[dict[str, Any]]:
    rows = WorkspaceUserPermission.objects.filter(_alive(actor), user_id=actor.pk)
    for grant in rows.select_related("permission", "content_object").order_by("pk"):
        room = grant.content_object
        yield {"workspace": room.uid, "name": room.name, **_grant(grant)}


def _grants(actor: Actor) -> Iterator[dict[str, Any]]:
    rows = DocumentUserPermission.objects.filter(_alive(actor), user_id=actor.pk)
    rows = rows.filter(content_object__trashed_at__isnull=True)
    for grant in rows.select_related("permission", "content_object").order_by("pk"):
        document = grant.content_object
        yield {"document": document.uid, "title": document.title, **_grant(grant)}


def _favorites(actor: Actor) -> Iterator[dict[str, Any]]:
    for row in favorites_of(actor).select_related("document").order_by("pk"):
        yield {"document": row.document.uid, "title": row.document.title, "favorited_at": row.created_at}


def _recent(actor: Actor) -> Iterator[dict[str, Any]]:
    for row in recent_of(actor).select_related("document").order_by("-seen_at", "-pk"):
        yield {"document": row.document.uid, "title": row.document.title, "seen_at": row.seen_at}


def _watches(actor: Actor) -> Iterator[dict[str, Any]]:
    for row in watches_of(actor).order_by("pk"):
        yield {
            "document": row.document and row.document.uid,
            "workspace": row.workspace and row.workspace.uid,
            "subtree": row.subtree,
            "created_at": row.created_at,
        }


def _access_requests(actor: Actor) -> Iterator[dict[str, Any]]:
    """As their asker sees them: nothing in them tells what is there."""
    for row in AccessRequest.objects.filter(asker_id=actor.pk).order_by("pk"):
        yield {
            "document": row.document_uid,
            "role": row.role,
            "message": row.message,
            "state": row.state_shown(actor.now),
            "created_at": row.created_at,
            "expires_at": row.expires_at,
        }


def _alive(actor: Actor) -> Q:
    return Q(expires_at__isnull=True) | Q(expires_at__gt=actor.now)


def _grant(grant: Any) -> dict[str, Any]:
    return {
        "role": role_of_grant(grant),
        "origin": grant.origin,
        "expires_at": grant.expires_at,
        "created_at": grant.created_at,
    }


def _revisions(actor: Actor) -> Iterator[dict[str, Any]]:
    """Numbers by document, in the order of an index that holds the author as well."""
    written = Revision.objects.filter(author_id=actor.pk).values("document_id").order_by("document_id")
    last = 0
    while batch := list(
        written.filter(document_id__gt=last).annotate(numbers=ArrayAgg("number", order_by="number"))[:_BATCH]
    ):
        last = batch[-1]["document_id"]
        seen = visible_to(Document.objects.filter(trashed_at__isnull=True), actor_renewed(actor))
        uids = dict(seen.filter(pk__in=[row["document_id"] for row in batch]).values_list("pk", "uid"))
        for row in batch:
            if row["document_id"] in uids:
                yield {"document": uids[row["document_id"]], "numbers": row["numbers"]}


def _comments(actor: Actor) -> Iterator[dict[str, Any]]:
    """What they said about documents that they may see now, in the order in which it was said."""
    said = Comment.objects.filter(author_id=actor.pk, deleted_at=None).select_related("thread").order_by("pk")
    last = 0
    while batch := list(said.filter(pk__gt=last)[:_BATCH]):
        last = batch[-1].pk
        seen = visible_to(Document.objects.filter(trashed_at__isnull=True), actor_renewed(actor))
        uids = dict(seen.filter(pk__in={row.thread.document_id for row in batch}).values_list("pk", "uid"))
        for row in batch:
            if (document := uids.get(row.thread.document_id)) is not None:
                yield {
                    "document": document,
                    "thread": row.thread.uid,
                    "body": row.body,
                    "created_at": row.created_at,
                    "edited_at": row.edited_at,
                }


def _documents(actor: Actor) -> Iterator[tuple[str, Iterable[bytes]]]:
    """For each document what it says and how it stands; whatever is taken away meanwhile stays out."""
    last = 0
    while True:
        rows = _own(actor_renewed(actor)).filter(pk__gt=last).order_by("pk")
        batch = list(rows.select_related("body", "workspace", "owner")[:_BODIES])
        if not batch:
            return
        last = batch[-1].pk
        for document in batch:
            yield f"documents/{document.uid}.json", [dump_json(document_described(document)), b"\n"]
            yield f"documents/{document.uid}.md", [document.body.content.encode()]


def document_described(document: Document) -> dict[str, Any]:
    """What is known of a document beside its body, in an archive."""
    return {
        "id": document.uid,
        "workspace": document.workspace.uid,
        "title": document.title,
        "state": document.state,
        "template": document.template,
        "language": document.language,
        "icon": document.icon,
        "tags": document.tags,
        "revision": document.revision,
        "owner": document.owner.uid,
        "created_at": document.created_at,
        "updated_at": document.updated_at,
    }
