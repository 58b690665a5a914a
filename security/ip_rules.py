"""Which addresses are let in: an index of the IP rules that answers in microseconds, and its refresh."""

from __future__ import annotations

import dataclasses
import datetime as dt
import ipaddress
import math
import time
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from cloudscribe.lib.caching import TimedRefresh
from security.addresses import Address, Network, parse_address
from security.models import IPRule

_NEVER = math.inf
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
# Any change of the rows changes one of these; the rows themselves are read only then.
_MARK = """
SELECT count(*), coalesce(sum(extract(epoch FROM updated_at)), 0), coalesce(max(id), 0), statement_timestamp()
FROM security_iprule
"""


def parse_network(text: str) -> Network:
    """The network that `text` names, an address or CIDR, without host bits; IPv4 inside IPv6 is IPv4.

    Raises ValueError for anything else, zones included (RFC 4007): they mean something on one machine alone.
    """
    if "%" in text:
        raise ValueError("A zone can't be stored.")
    network = ipaddress.ip_network(text.strip(), strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        low = int(network.network_address) & 0xFFFF_FFFF
        return ipaddress.IPv4Network((low, network.prefixlen - _MAPPED.prefixlen))
    return network


@dataclasses.dataclass(slots=True)
class _Ends:
    """Until when a network is let in or kept out, in seconds of the epoch; 0 for not at all."""

    allow: float = 0.0
    block: float = 0.0


Level = tuple[int, dict[int, _Ends]]


class RuleIndex:
    """The rules by length of prefix, the longest first: one look-up for each length that occurs.

    The narrowest rule that is alive decides; of two for the same network, `allow`. Whether a rule is alive is
    judged when it is asked, by this machine's clock set right by `offset` seconds: the database's minus ours.
    """

    def __init__(self, rows: Iterable[tuple[str, str, dt.datetime | None]] = (), offset: float = 0.0) -> None:
        """Index `(network, effect, expires_at)` rows."""
        self.offset = offset
        tables: dict[int, dict[int, dict[int, _Ends]]] = {4: {}, 6: {}}
        for text, effect, expires_at in rows:
            network = parse_network(text)
            shift = network.max_prefixlen - network.prefixlen
            entries = tables[network.version].setdefault(shift, {})
            ends = entries.setdefault(int(network.network_address) >> shift, _Ends())
            setattr(ends, effect, expires_at.timestamp() if expires_at else _NEVER)
        self._levels: dict[int, list[Level]] = {
            version: sorted(table.items(), key=lambda level: level[0]) for version, table in tables.items()
        }
        self.empty = not any(self._levels.values())

    def effect(self, address: Address | str) -> str | None:
        """`allow` or `block` as the deciding rule says; None where no rule that is alive holds `address`."""
        found = parse_address(address) if isinstance(address, str) else address
        if found is None:
            return None
        now = time.time() + self.offset
        number = int(found)
        for shift, entries in self._levels[found.version]:
            ends = entries.get(number >> shift)
            if ends is None:
                continue
            if ends.allow > now:
                return IPRule.Effect.ALLOW.value
            if ends.block > now:
                return IPRule.Effect.BLOCK.value
        return None

    def blocks(self, address: Address | str) -> bool:
        """Whether `address` is kept out."""
        return not self.empty and self.effect(address) == IPRule.Effect.BLOCK.value


class _Loader:
    """Reads the rules when they have changed, and the database's clock each time."""

    def __init__(self) -> None:
        self._mark: tuple[Any, ...] | None = None
        self._index = RuleIndex()

    def load(self) -> RuleIndex:
        """The index as of now."""
        with connection.cursor() as cursor:
            cursor.execute(_MARK)
            *mark, clock = cursor.fetchone()
        offset = clock_offset(clock)
        if self._mark != tuple(mark):
            self._index, self._mark = index_read(offset), tuple(mark)
        self._index.offset = offset
        return self._index


def clock_offset(now: dt.datetime) -> float:
    """The database's clock, which has just said `now`, minus this machine's, in seconds."""
    return now.timestamp() - time.time()


def index_read(offset: float) -> RuleIndex:
    """The index of what holds, as the transaction at hand sees it; `offset` as RuleIndex has it."""
    alive = IPRule.objects.filter(Q(expires_at=None) | Q(expires_at__gt=Now()))
    return RuleIndex(alive.values_list("network", "effect", "expires_at"), offset)


rules: TimedRefresh[RuleIndex] = TimedRefresh("ip_rules", _Loader().load)
