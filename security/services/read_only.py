"""The installation frozen and thawed, each with its event."""

from __future__ import annotations

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional
from security.models import ReadOnly

_INSTALLATION = Target("installation", None, "")


@transactional
def read_only_start(*, actor: Actor, reason: str = "") -> tuple[ReadOnly, bool]:
    """Freeze the installation; gives the row, and whether it is new. One that stands stays as it is.

    Every process follows within seconds (`security.read_only`).
    """
    # Of two at once the second waits for the first to commit, and finds its row.
    row, made = ReadOnly.objects.get_or_create(pk=1, defaults={"reason": reason})
    if made:
        row.refresh_from_db(fields=["since"])
        event_record(actor=actor, action="read_only.started", target=_INSTALLATION, reason=reason)
    return row, made


@transactional
def read_only_end(*, actor: Actor) -> bool:
    """Let writing go on; False where it did already."""
    ended, _ = ReadOnly.objects.all().delete()
    if ended:
        event_record(actor=actor, action="read_only.ended", target=_INSTALLATION)
    return bool(ended)
