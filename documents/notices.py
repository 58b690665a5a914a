"""What documents tell people, and what they may be shown of it: the documents' half of the inbox."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import CharField, F, QuerySet, Value

from accounts.models import Channel
from accounts.notifications import NoticeKind, kinds_register
from accounts.ports import notices
from cloudscribe.lib.actor import Actor
from documents.models import Document, Workspace
from documents.visibility import visible_to

Rows = QuerySet[Any, Any]

ACCESS_REQUESTED = NoticeKind(
    "access.requested",
    "Somebody asks for access to a document whose readers you choose.",
    "{actor} asks for access to the document “{target}” as {role}.",
    default=Channel.EMAIL,
)
ACCESS_OVERRIDDEN = NoticeKind(
    "access.overridden",
    "An owner of the workspace opened a document of yours, or one that you manage, that was closed to them.",
    "{actor}, an owner of the workspace, opened “{target}” for an hour. The reason: {reason}",
    hidden_line="{actor}, an owner of the workspace, opened a document of yours for an hour: {reason}",
    default=Channel.EMAIL,
    mandatory=True,
)
GLASS_BROKEN = NoticeKind(
    "access.glass_broken",
    "Staff opened a document of yours, or one that you manage, that was closed to them.",
    "{actor} opened “{target}” by break-glass, to read it for an hour. The reason: {reason}",
    hidden_line="{actor} opened a document of yours by break-glass, to read it for an hour: {reason}",
    default=Channel.EMAIL,
    mandatory=True,
)
ATTACHMENT_INFECTED = NoticeKind(
    "attachment.infected",
    "A file that you attached to a document is infected.",
    "The virus scanner found something in a file that you attached to “{target}”. Nobody gets it.",
    default=Channel.EMAIL,
)
COMMENT_CREATED = NoticeKind(
    "comment.created",
    "Somebody commented on a document that is yours or that you watch, or in a thread that you take part in.",
    "{actor} commented on the document “{target}”.",
)
COMMENT_MENTIONED = NoticeKind(
    "comment.mentioned",
    "Somebody named you in a comment.",
    "{actor} named you in a comment on the document “{target}”.",
    default=Channel.EMAIL,
)
DOCUMENT_CHANGED = NoticeKind(
    "document.changed",
    "Somebody changed something that you watch.",
    "{actor} {change} the document “{target}”.",
)
GRANT_GIVEN = NoticeKind(
    "grant.given",
    "Somebody shared a document with you.",
    "{actor} shared the document “{target}” with you as {role}.",
    default=Channel.EMAIL,
)
INVITATION_ACCEPTED = NoticeKind(
    "invitation.accepted",
    "Somebody whom you invited to a workspace has come.",
    "{actor} accepted your invitation to the workspace “{target}” as {role}.",
)
LOCK_BROKEN = NoticeKind(
    "lock.broken",
    "Somebody broke your lock on a document.",
    "{actor} broke your lock on the document “{target}”: {reason}",
)
MEMBERSHIP_ADDED = NoticeKind(
    "membership.added",
    "Somebody made you, or a team that you are in, a member of a workspace.",
    "{actor} made you a member of the workspace “{target}” as {role}.",
    default=Channel.EMAIL,
)
MEMBERSHIP_REMOVED = NoticeKind(
    "membership.removed",
    "Somebody ended your membership of a workspace, or that of a team that you are in.",
    "{actor} ended a membership of yours of the workspace “{target}”.",
    hidden_line="{actor} ended your membership of a workspace.",
)
MEMBERSHIP_ROLE_CHANGED = NoticeKind(
    "membership.role_changed",
    "Somebody changed your role in a workspace, or that of a team that you are in.",
    "{actor} changed your role in the workspace “{target}” to {role}.",
)

OWNERSHIP_RECEIVED = NoticeKind(
    "ownership.received",
    "An account was deleted, and you own now what it owned.",
    "{actor} deleted an account. What it owned is yours now: workspaces {workspaces}, documents {documents}.",
    default=Channel.EMAIL,
)
WEBHOOK_DISABLED = NoticeKind(
    "webhook.disabled",
    "A webhook that speaks for you was switched off.",
    "The webhook to {host} in the workspace “{target}” was switched off: {reason}.",
    hidden_line="A webhook to {host} that spoke for you was switched off: {reason}.",
    default=Channel.EMAIL,
)


class DocumentNotices:
    """Answers under the rights of whoever reads."""

    def titles(
        self, actor: Actor, named: Collection[tuple[str, uuid.UUID]]
    ) -> Mapping[tuple[str, uuid.UUID], str]:
        """Titles by type and id of what the actor may see, outside of the trash: one query."""
        documents: Rows = Document.objects.filter(uid__in=_ids(named, "document"), trashed_at=None)
        workspaces: Rows = Workspace.objects.filter(uid__in=_ids(named, "workspace"))
        found = _titled(visible_to(documents, actor), "document", "title")
        return {
            (kind, uid): title
            for kind, uid, title in found.union(
                _titled(visible_to(workspaces, actor), "workspace", "name"), all=True
            )
        }


def _ids(named: Collection[tuple[str, uuid.UUID]], wanted: str) -> list[uuid.UUID]:
    return [uid for kind, uid in named if kind == wanted]


def _titled(rows: Rows, kind: str, title: str) -> Rows:
    rows = rows.annotate(kind=Value(kind, output_field=CharField()), shown=F(title))
    return rows.values_list("kind", "uid", "shown")


def connect() -> None:
    """Fill the port and make the kinds known; called in `ready()`."""
    notices.provide(DocumentNotices())
    kinds_register(
        ATTACHMENT_INFECTED,
        ACCESS_OVERRIDDEN,
        ACCESS_REQUESTED,
        COMMENT_CREATED,
        COMMENT_MENTIONED,
        GLASS_BROKEN,
        DOCUMENT_CHANGED,
        GRANT_GIVEN,
        INVITATION_ACCEPTED,
        LOCK_BROKEN,
        MEMBERSHIP_ADDED,
        MEMBERSHIP_REMOVED,
        MEMBERSHIP_ROLE_CHANGED,
        OWNERSHIP_RECEIVED,
        WEBHOOK_DISABLED,
    )
