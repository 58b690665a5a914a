"""Whether somebody else holds a document."""

from __future__ import annotations

from accounts.models import User
from cloudscribe.lib.actor import Actor
from documents.exceptions import DocumentLocked
from documents.models import Document


def lock_check(actor: Actor, document: Document) -> None:
    """Raise DocumentLocked, naming the holder and the end, where the lock of somebody else is alive.

    No query unless it is; the row should be locked, and the actor of after that.
    """
    ends, holder_pk = document.lock_expires_at, document.locked_by_id
    if ends is None or ends <= actor.now or holder_pk in {None, actor.pk}:
        return
    holder = User.objects.filter(pk=holder_pk).values_list("uid", "name").first()
    if holder is None:
        return
    seconds = int((ends - actor.now).total_seconds()) + 1
    raise DocumentLocked(by=holder, expires_at=ends, reason=document.lock_reason, retry_after=seconds)
