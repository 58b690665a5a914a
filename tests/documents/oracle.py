"""Who sees what, recomputed from the rows of parents, grants, teams, ends, cuts, drafts and trash.

By brute force: no path, no reach, no map, nothing of what it judges. It reads each table once, and goes up
from each document once, since it is asked after each of a hundred thousand operations.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
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
        self.active: dict[int, uuid.UUID] = dict(User.objects.filter(is_active=True).values_list("pk", "uid"))
        self._teams: dict[int, list[int]] = defaultdict(list)
        for team, person in User.groups.through.objects.values_list("group_id", "user_id"):
            self._teams[team].append(person)
        # By what they stand on: the people who hold a grant, with its rank.
        self._grants: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        for kind, people, teams in (
            ("document", DocumentUserPermission, DocumentGroupPermission),
            ("workspace", WorkspaceUserPermission, WorkspaceGroupPermission),
        ):
            for target, person, rank in _alive(people, "user_id", now):
                self._grants[kind, target].append((person, rank))
            for target, team, rank in _alive(teams, "group_id", now):
                self._grants[kind, target] += [(person, rank) for person in self._teams[team]]
        self._ranks: dict[int, dict[int, int]] = {}

    def rank(self, person: int, document: int) -> int:
        """The rank of somebody's strongest role, -1 for none."""
        if document not in self._ranks:
            self._ranks[document] = self._ranks_on(document)
        return self._ranks[document].get(person, -1)

    def _ranks_on(self, document: int) -> dict[int, int]:
        """Everybody's on a document: up from it to the nearest cut."""
        at: Any = self.documents[document]
        found: dict[int, int] = {}
        while True:
            reached = [("document", at.pk)]
            cut = not at.inherits_access or at.state == "draft"
            if at.parent_id is None and not cut:
                reached.append(("workspace", at.workspace_id))
            for person, rank in (grant for place in reached for grant in self._grants.get(place, ())):
                found[person] = max(rank, found.get(person, -1))
            if cut or at.parent_id is None:
                return found
            at = self.documents[at.parent_id]

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

    def is_member(self, person: int, workspace: int) -> bool:
        """Whether somebody holds a grant on a workspace."""
        return any(who == person for who, _ in self._grants.get(("workspace", workspace), ()))

    def access(self, document: int) -> dict[Any, str]:
        """Everybody's role on a document, by their id, without who is kept out."""
        ranks = {uid: self.rank(pk, document) for pk, uid in self.active.items()}
        return {uid: NAMES[rank] for uid, rank in ranks.items() if rank >= 0}

    def _stands(self, document: int) -> bool:
        row = self.documents[document]
        return row.trashed_at is None and row.state != "archived" and not row.template


def _alive(table: Any, subject: str, now: dt.datetime) -> list[tuple[int, int, int]]:
    """The grants of a table that have not ended by then: on what, to whom, and the rank."""
    rows = table.objects.values_list("content_object_id", subject, "permission__codename", "expires_at")
    return [
        (target, who, RANKS[codename.partition("_")[0]])
        for target, who, codename, end in rows
        if end is None or end > now
    ]
