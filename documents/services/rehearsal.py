"""A change of grants, made and taken back: what it would do to whom, by the services themselves."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional
from documents.models import Document
from documents.policies import Action, can
from documents.selectors.access import ranks_by_reach
from documents.selectors.effects import Effects, effects_between


@transactional
def grant_rehearse(*, actor: Actor, document: Document, change: Callable[[], object]) -> Effects:
    """Who would gain and lose by `change`, a service call about grants on the document; nothing stays of it.

    Raises what the service raises. Who doesn't manage the document is told of themselves alone.
    """
    with transaction.atomic():
        before = ranks_by_reach(document.reach, actor.now)
        change()
        after = ranks_by_reach(document.reach, actor.now)
        transaction.set_rollback(True)
    return effects_between(actor, before, after, others=can(actor, Action.GRANT, document))
