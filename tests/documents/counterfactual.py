"""Whether `explain` names just what would have to be otherwise."""

from __future__ import annotations

import collections
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from accounts.models import User
from cloudscribe.lib.actor import Actor
from documents.models import (
    Document,
    DocumentGroupPermission,
    DocumentUserPermission,
    Origin,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.policies import ACTION_BITS, Action
from documents.roles import Role
from documents.selectors.access import EXPLAINED, access_explained
from documents.services.granting import grant_insert
from documents.visibility import access_map_load, bits_on
from tests.accounts.factories import user_make
from tests.documents.play import Play

# By what a grant stands on, and whether it is a team's.
_TABLES = {
    ("document", False): DocumentUserPermission,
    ("document", True): DocumentGroupPermission,
    ("workspace", False): WorkspaceUserPermission,
    ("workspace", True): WorkspaceGroupPermission,
}


@contextmanager
def _otherwise() -> Iterator[None]:
    """What is changed in the block is as it was after it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _observer(play: Play) -> Actor:
    """Somebody who sees every document, by grants where a cut is in the way."""
    observer = user_make()
    for room in Workspace.objects.all():
        grant_insert(room, role=Role.MANAGER, origin=Origin.STANDING, user_pk=observer.pk)
    for cut in Document.objects.filter(scope_id__gt=0):
        if cut.is_cut:
            grant_insert(cut, role=Role.MANAGER, origin=Origin.STANDING, user_pk=observer.pk)
    return play.actor(observer)


def _may(user: User, document: Document, action: Action, actor: Actor) -> bool:
    """What the rule itself says."""
    return _allowed(_rights(user, actor), document, action)


def _rights(user: User, actor: Actor) -> Mapping[int, int]:
    return access_map_load(user.pk).alive(actor.now.timestamp())


def _allowed(rights: Mapping[int, int], document: Document, action: Action) -> bool:
    return bool(bits_on(rights, None, document) & ACTION_BITS[action])


def counterfactual_check(play: Play, chance: random.Random, pairs: int) -> dict[str, int]:
    """Ask about so many random people, documents and actions; how many were allowed and denied.

    Taking away just the grant that `via` names changes the decision or moves `via`; for a denial, granting
    just what is needed allows.
    """
    actor, documents = _observer(play), list(Document.objects.select_related("workspace"))
    rights = {user.pk: _rights(user, actor) for user in play.people}
    verdicts: collections.Counter[str] = collections.Counter()
    for _ in range(pairs):
        document, user = chance.choice(documents), chance.choice(play.people)
        action = chance.choice([Action.SEE, Action.SEE, chance.choice(EXPLAINED)])
        found = access_explained(actor, document, user, action)
        verdicts[found.decision] += 1
        assert (found.decision == "allowed") == _allowed(rights[user.pk], document, action)
        assert (found.via is None) == (not _allowed(rights[user.pk], document, Action.SEE))
        if found.via is not None:
            _taken(actor, document, user, found)
        if found.needed is not None:
            _given(actor, document, user, found)
    return verdicts


def _taken(actor: Actor, document: Document, user: User, found: Any) -> None:
    assert found.via.uid is not None
    with _otherwise():
        table = _TABLES[found.via.on.type, found.via.team is not None]
        assert table.objects.filter(uid=found.via.uid).delete()[0] == 1
        then = access_explained(actor, document, user, found.action)
        moved = then.via is None or then.via.uid != found.via.uid
        assert moved
        assert (then.decision == "allowed") == _may(user, document, found.action, actor)


def _given(actor: Actor, document: Document, user: User, found: Any) -> None:
    with _otherwise():
        # There is one of an origin: a weaker one gives way.
        _standing_remove(document, user)
        grant_insert(document, role=found.needed, origin=Origin.STANDING, user_pk=user.pk)
        then = access_explained(actor, document, user, found.action)
        assert then.decision == "allowed"
        assert _may(user, document, found.action, actor)


def _standing_remove(document: Document, user: User) -> None:
    standing = DocumentUserPermission.objects.filter(content_object=document, user=user)
    standing.filter(origin=Origin.STANDING).delete()
