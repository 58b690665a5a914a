"""What the trail says of backups, and how it goes on after one was restored."""

from __future__ import annotations

from audit.selectors.log import epoch_now
from audit.selectors.tree import seal_newest
from audit.services.events import Target, event_record
from audit.showing import hash_shown
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional

# Seconds since 2020, not just one more: two restores of one backup are two epochs, or clients, caches and
# witnesses would take the one for the other. It runs in the transaction that brings the data in, where names
# need their schema.
EPOCH_RAISE_SQL = """
UPDATE public.audit_epoch
SET number = greatest(number + 1, extract(epoch FROM now() - timestamptz '2020-01-01Z')::integer);
"""
_DATABASE = Target("database", None, "")


@transactional
def backup_record(*, actor: Actor, size: int, parts: int) -> None:
    """Somebody has a copy of everything from now on: so many bytes, in so many parts."""
    event_record(
        actor=actor, action="database.backed_up", target=_DATABASE, facts={"size": size, "parts": parts}
    )


@transactional
def log_continue(*, actor: Actor) -> None:
    """The first event of an epoch, with the last checkpoint of the one before it, where it had any."""
    seal = seal_newest()
    last = {"tree_size": seal.tree_size, "root": hash_shown(bytes(seal.root))} if seal else None
    facts = {"epoch": epoch_now(), "checkpoint": last}
    event_record(actor=actor, action="database.restored", target=_DATABASE, facts=facts)
