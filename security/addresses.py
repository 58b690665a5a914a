"""Whose address a request comes from, given who may speak for others. Pure."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# A peer without an address: a proxy on this machine that connects over a Unix socket.
UNIX = "unix"


def parse_proxies(entries: Sequence[str]) -> tuple[tuple[Network, ...], bool]:
    """The trusted networks, and whether `unix` is among them; raises ValueError that names a bad entry."""
    networks = []
    for entry in entries:
        if entry == UNIX:
            continue
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError as error:
            raise ValueError(f"{entry} is no network: {error}") from error
    return tuple(networks), UNIX in entries


@functools.lru_cache(maxsize=4_096)
def parse_address(text: str) -> Address | None:
    """The address that `text` spells, None for anything else; IPv4 inside IPv6 is IPv4.

    Without a zone (RFC 4007), which means something on one machine alone and can't be stored.
    """
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_trusted(peer: Address | None, proxies: Sequence[Network], *, unix: bool) -> bool:
    """Whether the peer may say whom it speaks for."""
    if peer is None:
        return unix
    return any(peer in network for network in proxies)


def client_address(
    peer: Address | None, forwarded_for: str, proxies: Sequence[Network], *, unix: bool = False
) -> Address | None:
    """The nearest address that no trusted proxy vouches for, walking from the peer towards the client.

    Each proxy appends whom it was called by, so the right end is the nearest; what stands left of the first
    untrusted address is the client's own invention. An entry that is no address ends the walk.
    """
    found = peer
    if not is_trusted(peer, proxies, unix=unix):
        return found
    for entry in reversed(forwarded_for.split(",")):
        address = parse_address(entry)
        if address is None:
            break
        found = address
        if not is_trusted(address, proxies, unix=False):
            break
    return found


def address_block(address: str) -> str:
    """What counts as one caller: the address, or of IPv6 its /64, which usually belongs to one."""
    if ":" not in address:
        return address or UNIX
    return str(ipaddress.ip_network((address, 64), strict=False))
