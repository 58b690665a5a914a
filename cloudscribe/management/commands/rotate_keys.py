"""`manage.py rotate_keys`: a new key for tokens, and the end of old ones, without ending sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import FoundWrong, OperatorCommand, UsageError
from cloudscribe.lib.embedded.secrets_file import change_ring
from cloudscribe.lib.keyring import KeyRing
from cloudscribe.management.keys import (
    Resealed,
    kept_layout,
    keys_changed,
    retirable,
    retirement,
    ring_rotated,
    texts_reseal,
)


class Command(OperatorCommand):
    """Make a new active key, seal anew what the old one has sealed, take out what nobody needs any more."""

    help = (
        "Make a new active key in the key ring of tokens; the old ones go on to verify. Restart, then run it "
        "with --reseal; when sessions of the old key can't be alive any more, with --retire. Where "
        "CLOUDSCRIBE_KEYS is set by yourself, --print prints the value to set."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Three steps of one rotation, of which each can be run again."""
        step = parser.add_mutually_exclusive_group()
        step.add_argument(
            "--reseal",
            action="store_true",
            help="after the restart: seal by the active key what an older one has sealed",
        )
        step.add_argument(
            "--retire", action="store_true", help="reseal, then take out the keys that no session needs"
        )
        parser.add_argument(
            "--at-once",
            action="store_true",
            help="with --retire: take out all but the active key whatever their age; ends their sessions",
        )
        parser.add_argument(
            "--print",
            action="store_true",
            dest="show",
            help="print the new ring, a secret, on the standard output",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")

    def run(self, actor: Actor, **options: Any) -> None:
        """One step; raises UsageError, and FoundWrong where a sealed text can't be opened by any key."""
        if options["at_once"] and not options["retire"]:
            raise UsageError("--at-once says how --retire goes about it.")
        if options["reseal"]:
            self._reseal(actor, dry_run=options["dry_run"])
            return
        _refuse_wrong_place(show=options["show"], dry_run=options["dry_run"])
        if options["retire"]:
            self._retire(actor, **options)
        else:
            self._rotate(actor, **options)

    def _rotate(self, actor: Actor, *, dry_run: bool, show: bool, **options: Any) -> None:
        before, after = self._change(lambda ring: ring_rotated(ring, actor.now), dry_run=dry_run, show=show)
        if after == before:
            self._say(f"The active key {before.active_kid} is younger than five minutes; nothing is due.")
            return
        if dry_run:
            self._say(f"A new key would take the place of {before.active_kid}, which would go on to verify.")
            return
        keys_changed(actor=actor, action="key_ring.rotated", kids=[after.active_kid])
        self._say(
            f"Key {after.active_kid} signs from the next start on; {', '.join(before.keys)} go on to verify."
        )
        self._say("Restart all processes now, then run `manage.py rotate_keys --reseal`.")

    def _retire(self, actor: Actor, *, dry_run: bool, show: bool, at_once: bool, **options: Any) -> None:
        ring = settings.KEY_RING
        leaving = set(ring.keys) - {ring.active_kid} if at_once else set(retirable(ring, actor.now))
        if not leaving:
            self._say_when(ring)
            return
        found = texts_reseal(actor=actor, dry_run=dry_run)
        self._change(
            lambda kept: kept.without(leaving & set(kept.keys) - {kept.active_kid}),
            dry_run=dry_run,
            show=show,
        )
        names = ", ".join(sorted(leaving))
        if dry_run:
            self._say(f"{found.done} texts would be sealed anew, and {names} taken out.")
            return
        keys_changed(actor=actor, action="key_ring.retired", kids=leaving)
        self._say(f"{names} taken out: what they signed is refused from the next start on. Restart now.")
        self._refuse_broken(found)

    def _reseal(self, actor: Actor, *, dry_run: bool) -> None:
        found = texts_reseal(actor=actor, dry_run=dry_run)
        verb = "would be" if dry_run else "were"
        self._say(f"{found.done} texts {verb} sealed anew by key {settings.KEY_RING.active_kid}.")
        self._refuse_broken(found)

    def _change(
        self, change: Callable[[KeyRing], KeyRing], *, dry_run: bool, show: bool
    ) -> tuple[KeyRing, KeyRing]:
        """The ring before and after; written where it is kept, printed where the operator sets it."""
        seen = [(settings.KEY_RING, change(settings.KEY_RING))]
        layout = kept_layout()
        if layout is not None and not dry_run:

            def noted(ring: KeyRing) -> KeyRing:
                seen.append((ring, change(ring)))
                return seen[-1][1]

            change_ring(layout, noted)
        before, after = seen[-1]
        if show and not dry_run and after != before:
            self.stdout.write(after.dump())
        return before, after

    def _say(self, sentence: str) -> None:
        # With --print the standard output is the ring alone, fit to be piped into a secret's store.
        (self.stdout if kept_layout() else self.stderr).write(sentence)

    def _say_when(self, ring: KeyRing) -> None:
        self._say("No key can be taken out yet.")
        for kid in sorted(set(ring.keys) - {ring.active_kid}):
            at = retirement(ring, kid)
            when = f"from {at:%Y-%m-%d %H:%M} UTC on" if at else "once a rotation has dated the active key"
            self._say(f"{kid}: {when}")

    @staticmethod
    def _refuse_broken(found: Resealed) -> None:
        if found.broken:
            raise FoundWrong("No key of the ring opens: " + ", ".join(found.broken))


def _refuse_wrong_place(*, show: bool, dry_run: bool) -> None:
    layout = kept_layout()
    if layout is None and not (show or dry_run):
        raise UsageError(
            "CLOUDSCRIBE_KEYS is set by yourself: run this with --print, and set what it prints."
        )
    if layout is not None and show:
        raise UsageError(f"The ring is kept in {layout.secrets}; --print is for rings that you set.")
