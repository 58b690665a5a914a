"""Who sees what, recomputed from the rows of parents, grants, teams, ends, cuts, drafts and trash.

By brute force and without a thought for speed: no path, no reach, no map, nothing of what it judges.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import User
from documents.models import (
    Document,
    DocumentGroupPermission,
    DocumentUserPermission,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)

RANKS = {"read": 0, "comment": 1, "edit": 2, "manage": 3, "own": 4}
NAMES = ["viewer", "commenter", "editor", "manager", "owner"]


class Oracle:
    """The rows of now, judged as of a moment."""

    def __init__(self, now: dt.datetime) -> None:
        self.documents: dict[int, Any] = {row.pk: row for row in Document.objects.all()}
        self.grants: list[tuple[str, int, int, int]] = []
        for kind, people, teams in (
            ("document", DocumentUserPermission, DocumentGroupPermission),
            ("workspace", WorkspaceUserPermission, WorkspaceGroupPermission),
        ):
            for grant in people.objects.select_related("permission"):
                self._add(kind, grant, [grant.user_id], now)
            for grant in teams.objects.select_related("permission"):
                self._add(kind, grant, [user.pk for user in grant.group.user_set.all()], now)

    def _add(self, kind: str, grant: Any, people: list[int], now: dt.datetime) -> None:
        if grant.expires_at is None or grant.expires_at > now:
            rank = RANKS[grant.permission.codename.partition("_")[0]]
            self.grants += [(kind, grant.content_object_id, person, rank) for person in people]

    def rank(self, person: int, document: int) -> int:
        """The rank of somebody's strongest role, -1 for none: up from the document to the nearest cut."""
        at: Any = self.documents[document]
        reached = []
        while True:
            reached.append(("document", at.pk))
            if not at.inherits_access or at.state == "draft":
                break
            if at.parent_id is None:
                reached.append(("workspace", at.workspace_id))
                break
            at = self.documents[at.parent_id]
        return max((g[3] for g in self.grants if g[2] == person and (g[0], g[1]) in reached), default=-1)

    def visible(self, person: int) -> set[int]:
        """What somebody sees, the trash included."""
        return {pk for pk in self.documents if self.rank(person, pk) >= 0}

    def listed(self, person: int) -> set[int]:
        """What lists and search show them."""
        return {pk for pk in self.visible(person) if self._stands(pk)}

    def status(self, person: int, document: int) -> int:
        """What a GET of the document answers."""
        rank = self.rank(person, document)
        if self.documents[document].trashed_at is None:
            return 200 if rank >= 0 else 404
        return 410 if rank >= RANKS["edit"] else 404

    def in_tree(self, person: int, document: int) -> bool:
        """Whether the tree shows it: below what it shows, or where their sight begins."""
        if self.rank(person, document) < 0 or not self._stands(document):
            return False
        parent = self.documents[document].parent_id
        return parent is None or self.rank(person, parent) < 0 or self.in_tree(person, parent)

    def access(self, document: int) -> dict[Any, str]:
        """Everybody's role on a document, by their id, without who is kept out."""
        ranks = {user.uid: self.rank(user.pk, document) for user in User.objects.filter(is_active=True)}
        return {uid: NAMES[rank] for uid, rank in ranks.items() if rank >= 0}

    def _stands(self, document: int) -> bool:
        row = self.documents[document]
        return row.trashed_at is None and row.state != "archived" and not row.template
