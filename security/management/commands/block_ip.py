"""`manage.py block_ip`: keep a network out, or let it in again."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.core.management.base import CommandParser
from django.utils.dateparse import parse_datetime

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import FoundWrong, OperatorCommand, UsageError
from security.ip_rules import parse_network
from security.models import IPRule
from security.services import ip_rule_create, ip_rule_remove, ip_rule_update

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d{1,9})([smhdw]?)")


class Command(OperatorCommand):
    """Block an address or network, from all workers within five seconds; a second run changes the block."""

    help = (
        "Keep an address or network out, whatever credential it shows; run again, it changes reason and "
        "expiry. With --remove the block goes; exit code 1 where there was none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom, why and how long."""
        parser.add_argument("network", metavar="ADDRESS_OR_CIDR", help="of IPv6 usually a /64")
        parser.add_argument("--reason", default=None, help="for who reads the list later")
        parser.add_argument(
            "--expires", default=None, help="a duration (30m, 12h, 7d; seconds without a letter) or RFC 3339"
        )
        parser.add_argument("--remove", action="store_true", help="take the block away")
        parser.add_argument("--force", action="store_true", help="block a very wide network, too")

    def run(self, actor: Actor, **options: Any) -> None:
        """Make, change or remove the block."""
        network = self._network(options["network"])
        standing = IPRule.objects.filter(network=network, effect=IPRule.Effect.BLOCK).first()
        if options["remove"]:
            if options["reason"] is not None or options["expires"] is not None:
                raise UsageError("--remove takes neither --reason nor --expires.")
            self._remove(actor, network, standing)
            return
        expires_at = self._moment(options["expires"], actor.now)
        if standing and (standing.expires_at is None or standing.expires_at > actor.now):
            changes = {"expires_at": expires_at}
            if options["reason"] is not None:
                changes["reason"] = options["reason"]
            ip_rule_update(actor=actor, rule=standing.uid, changes=changes)
        else:
            ip_rule_create(
                actor=actor,
                network=network,
                reason=options["reason"] or "",
                expires_at=expires_at,
                force=options["force"],
            )
        until = f"until {expires_at.isoformat()}" if expires_at else "until it is removed"
        self.stdout.write(f"{network} is blocked {until}.")

    def _remove(self, actor: Actor, network: str, standing: IPRule | None) -> None:
        if standing is None:
            raise FoundWrong(f"{network} has no block.")
        ip_rule_remove(actor=actor, rule=standing.uid)
        self.stdout.write(f"{network} is no longer blocked.")

    @staticmethod
    def _network(text: str) -> str:
        try:
            return str(parse_network(text))
        except ValueError:
            raise UsageError(f"{text} is no address and no CIDR.") from None

    @staticmethod
    def _moment(text: str | None, now: dt.datetime) -> dt.datetime | None:
        if text is None:
            return None
        duration = _DURATION.fullmatch(text)
        if duration:
            seconds = int(duration[1]) * _UNITS[duration[2] or "s"]
            try:
                return now + dt.timedelta(seconds=seconds)
            except OverflowError:
                raise UsageError(f"{text} is too long.") from None
        try:
            moment = parse_datetime(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise UsageError("--expires is a duration such as 12h, or a time with its offset as RFC 3339.")
        return moment
