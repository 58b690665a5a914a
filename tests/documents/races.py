"""Two who change a tree at the same moment, and what must be true afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from accounts.selectors import database_now
from documents.models import Document, Workspace
from documents.selectors.derived import circles_in, differences_in
from tests.documents.api.test_editing_races import at_once
from tests.documents.oracle import Oracle
from tests.documents.world import World
from tests.fixtures import ApiClient

# What is done below and what is done to an ancestor of it.
BELOW = ("create", "copy", "restore")
ABOVE = ("move", "cut", "trash")
PAIRS = list(itertools.product(BELOW, ABOVE))
# Done, or refused with the reason: never a fault of ours.
_ANSWERS = {200, 201, 404, 409, 410}


class Arena:
    """A world with a member who reads, and a reader of a branch that is cut."""

    def __init__(self, client_for: Callable[..., ApiClient]) -> None:
        self.world = World(client_for)
        self.member, self.guest = self.world.member("viewer"), self.world.client_for()
        self.elsewhere = self.world.document("Elsewhere")
        World.ok(self.world.owner.patch(f"documents/{self.elsewhere}/", {"inherits_access": False}))
        self.world.grant(self.elsewhere, self.guest, "viewer")
        self.source = self.world.document("Source")

    def round(self, below: str, above: str) -> tuple[int, int]:
        """One of each at once, in a tree of its own; both statuses."""
        world = self.world
        top = world.document("Top")
        middle = world.document("Middle", parent=top)
        leaf = world.document("Leaf", parent=middle)
        World.ok(world.act(leaf, "trash"))
        path = f"documents/{top}/"
        acts: dict[str, Callable[[], Any]] = {
            "create": lambda: world.owner.post(
                "documents/", {"workspace": world.workspace, "parent": middle, "title": "New"}
            ),
            "copy": lambda: world.act(self.source, "copy", parent=middle),
            "restore": lambda: world.act(leaf, "restore"),
            "move": lambda: world.act(top, "move", parent=self.elsewhere),
            "cut": lambda: world.owner.patch(path, {"inherits_access": False}),
            "trash": lambda: world.act(top, "trash"),
        }
        first, second = at_once([acts[below], acts[above]])
        assert {first.status_code, second.status_code} <= _ANSWERS, (first.content, second.content)
        self.check()
        return first.status_code, second.status_code

    def crossed(self) -> list[int]:
        """One document below another and that one below the first, at once; both statuses."""
        first, second = self.world.document("A"), self.world.document("B")
        answers = at_once(
            [
                lambda: self.world.act(first, "move", parent=second),
                lambda: self.world.act(second, "move", parent=first),
            ]
        )
        self.check()
        return sorted(answer.status_code for answer in answers)

    def check(self) -> None:
        """No path, reach or reader is stale, nothing stands below itself, nor outside of the trash in it."""
        workspace = Workspace.objects.get(uid=self.world.workspace)
        assert differences_in(workspace.pk) == []
        assert circles_in(workspace.pk) == []
        assert not Document.objects.filter(parent__trashed_at__isnull=False, trashed_at=None).exists()
        oracle = Oracle(database_now())
        for reader in (self.member, self.guest):
            assert reader.user is not None
            for pk, row in oracle.documents.items():
                status = reader.get(f"documents/{row.uid}/").status_code
                assert status == oracle.status(reader.user.pk, pk)

    def clear(self) -> None:
        """Nothing of the rounds so far, so that the next is checked as fast."""
        standing = Document.objects.filter(title__in=["Top", "A", "B"], trashed_at=None).order_by("depth")
        while (root := standing.first()) is not None:
            World.ok(self.world.act(str(root.uid), "trash"))
        thrown = Document.objects.filter(trashed_at__isnull=False).order_by("depth")
        while (root := thrown.first()) is not None:
            assert self.world.owner.delete(f"documents/{root.uid}/").status_code == 204
