"""Changing the key ring: where it lies, which keys may go, and sealing anew what old keys have sealed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import pathlib
from collections.abc import Collection

from django.conf import settings

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.secrets_file import KEPT_IN
from cloudscribe.lib.keyring import KeyRing
from cloudscribe.lib.sealed import SealBroken, SealedField, seal, sealed_by, sealed_fields, unseal
from cloudscribe.lib.transactions import transactional

# Of two who rotate at once, or of a run and its repetition, the second finds that it is done.
PAUSE = dt.timedelta(minutes=5)
_BATCH = 500
_RING = Target("key_ring", None, "key ring")


def kept_layout() -> Layout | None:
    """The installation whose file holds this process's ring; None where the environment brought it."""
    path = os.environ.get(KEPT_IN)
    return Layout(pathlib.Path(path).parent) if path else None


def longest_life() -> dt.timedelta:
    """How long what a key has signed may go on to verify: sessions live longest, mailed tokens may."""
    lives = (
        settings.SESSION_LIFETIME,
        settings.VERIFICATION_LIFETIME,
        settings.INVITATION_LIFETIME,
        settings.LINK_VISIT_LIFETIME,
    )
    return dt.timedelta(seconds=max(lives))


def ring_rotated(ring: KeyRing, now: dt.datetime) -> KeyRing:
    """The ring with a new active key, or as it is where the active one is younger than PAUSE."""
    made = ring.made.get(ring.active_kid)
    return ring if made is not None and now - made < PAUSE else ring.rotated(now)


def retirement(ring: KeyRing, kid: str) -> dt.datetime | None:
    """From when on nothing that `kid` has signed can be alive; None where that can't be known."""
    replaced = ring.replaced_at(kid)
    return None if replaced is None else replaced + longest_life()


def retirable(ring: KeyRing, now: dt.datetime) -> list[str]:
    """The keys that may go without ending anybody's session."""
    due = {kid: retirement(ring, kid) for kid in ring.keys}
    return [kid for kid, at in due.items() if at is not None and at <= now]


@transactional
def keys_changed(*, actor: Actor, action: str, kids: Collection[str]) -> None:
    """Write down that keys were made or taken out: their ids, which every token shows anyway."""
    event_record(actor=actor, action=action, target=_RING, facts={"keys": sorted(kids)})


@dataclasses.dataclass
class Resealed:
    """How many texts were sealed anew, and which rows no key of the ring opens."""

    done: int = 0
    broken: list[str] = dataclasses.field(default_factory=list)


def texts_reseal(*, actor: Actor, dry_run: bool = False) -> Resealed:
    """Seal by the active key whatever another key of the ring has sealed.

    Safe to run again and beside requests: each batch is a transaction of its own that locks its rows. With
    `dry_run` it counts alone.
    """
    found = Resealed()
    for field in sealed_fields:
        for pks in _stale_batches(field):
            if dry_run:
                found.done += len(pks)
            else:
                _batch_reseal(field=field, pks=pks, found=found)
    if found.done and not dry_run:
        _resealed_record(actor=actor, count=found.done)
    return found


def _stale_batches(field: SealedField) -> list[list[int]]:
    """The rows of other keys than the active one; a text that can't even be read counts to them."""
    texts = field.model._default_manager.order_by("pk").values_list("pk", field.field)  # noqa: SLF001 (any model)
    stale = [pk for pk, text in texts.iterator(chunk_size=_BATCH) if text and _is_stale(text)]
    return [stale[at : at + _BATCH] for at in range(0, len(stale), _BATCH)]


def _is_stale(text: bytes) -> bool:
    try:
        return sealed_by(text) != settings.KEY_RING.active_kid
    except SealBroken:
        return True


@transactional
def _batch_reseal(*, field: SealedField, pks: list[int], found: Resealed) -> None:
    rows = field.model._default_manager.order_by("pk")  # noqa: SLF001 (any model)
    # Locked before it is read: a person who enrols anew meanwhile must not get the old secret back.
    locked = list(rows.filter(pk__in=pks).select_for_update(of=("self",)))
    done, broken = 0, []
    for row in locked:
        text, context = bytes(getattr(row, field.field)), field.context(row)
        try:
            data = unseal(field.purpose, text, context)
        except SealBroken:
            broken.append(f"{field.model._meta.label} {row.pk}")  # noqa: SLF001 (Django's documented name)
            continue
        rows.filter(pk=row.pk).update(**{field.field: seal(field.purpose, data, context)})
        done += 1
    found.done += done
    found.broken += broken


@transactional
def _resealed_record(*, actor: Actor, count: int) -> None:
    event_record(
        actor=actor,
        action="key_ring.resealed",
        target=_RING,
        facts={"key": settings.KEY_RING.active_kid, "count": count},
    )
