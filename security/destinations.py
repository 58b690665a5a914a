"""Which addresses requests of ours may go to. Pure."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import re

from security.addresses import Address, Network

PORTS = frozenset({80, 443})

# What is no host of the public Internet, by the IANA registries of special-purpose addresses. `ipaddress`
# doesn't serve: `is_global` lets NAT64, 6to4, multicast and site-local pass, `is_private` shared addresses.
FORBIDDEN: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this network (RFC 791)"),
    ("10.0.0.0/8", "private (RFC 1918)"),
    ("100.64.0.0/10", "shared by carriers (RFC 6598)"),
    ("127.0.0.0/8", "loopback (RFC 1122)"),
    ("168.63.129.16/32", "Azure's host of its virtual machines"),
    ("169.254.0.0/16", "link-local, metadata of clouds (RFC 3927)"),
    ("172.16.0.0/12", "private (RFC 1918)"),
    ("192.0.0.0/24", "protocol assignments (RFC 6890)"),
    ("192.0.2.0/24", "documentation (RFC 5737)"),
    ("192.88.99.0/24", "relays of 6to4 (RFC 7526)"),
    ("192.168.0.0/16", "private (RFC 1918)"),
    ("198.18.0.0/15", "benchmarks (RFC 2544)"),
    ("198.51.100.0/24", "documentation (RFC 5737)"),
    ("203.0.113.0/24", "documentation (RFC 5737)"),
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("240.0.0.0/4", "reserved, broadcast (RFC 1112, RFC 919)"),
    ("::/128", "unspecified (RFC 4291)"),
    ("::1/128", "loopback (RFC 4291)"),
    ("::/96", "IPv4-compatible (RFC 4291)"),
    ("::ffff:0:0/96", "IPv4-mapped (RFC 4291)"),
    ("::ffff:0:0:0/96", "IPv4-translated (RFC 2765)"),
    ("64:ff9b::/96", "NAT64 (RFC 6052)"),
    ("64:ff9b:1::/48", "NAT64 of a network's own (RFC 8215)"),
    ("100::/64", "discard (RFC 6666)"),
    ("100:0:0:1::/64", "dummy (RFC 9780)"),
    ("2001::/32", "Teredo (RFC 4380)"),
    ("2001:2::/48", "benchmarks (RFC 5180)"),
    ("2001:10::/28", "ORCHID (RFC 4843)"),
    ("2001:20::/28", "ORCHIDv2 (RFC 7343)"),
    ("2001::/23", "protocol assignments (RFC 2928)"),
    ("2001:db8::/32", "documentation (RFC 3849)"),
    ("2002::/16", "6to4 (RFC 3056)"),
    ("3fff::/20", "documentation (RFC 9637)"),
    ("5f00::/16", "segment routing (RFC 9602)"),
    ("fc00::/7", "unique local (RFC 4193)"),
    ("fe80::/10", "link-local (RFC 4291)"),
    ("fec0::/10", "site-local (RFC 3879)"),
    ("ff00::/8", "multicast (RFC 4291)"),
)
# All other addresses of IPv6 are given out to nobody.
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
_FORBIDDEN = tuple(ipaddress.ip_network(text) for text, _ in FORBIDDEN)

_ENTRY = re.compile(
    r"(?:\[(?P<six>[0-9a-fA-F:.]+(?:/\d+)?)\]|(?P<four>[\d.]+(?:/\d+)?))(?::(?P<port>\d{1,5}))?"
)
_LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost", "ip6-loopback"})
# Kept for networks of one's own by RFC 6762 and by ICANN, or by custom; with home.arpa (RFC 8375).
_PRIVATE_ZONES = frozenset({"local", "internal", "localdomain"})
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Allowed:
    """A network that operators open, on the usual ports or on one."""

    network: Network
    port: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Openings:
    """What operators let requests of one purpose reach: networks beyond the public Internet, and ports."""

    allowed: tuple[Allowed, ...] = ()
    ports: frozenset[int] = PORTS


@functools.lru_cache(maxsize=8)
def parse_allowed(entries: tuple[str, ...]) -> tuple[Allowed, ...]:
    """`10.0.0.0/8`, `10.1.2.3:8443`, `[fd00::/8]:8443`; raises ValueError that names a bad entry."""
    return tuple(_parse_entry(entry) for entry in entries)


def _parse_entry(entry: str) -> Allowed:
    match = _ENTRY.fullmatch(entry)
    text, port = (match["six"] or match["four"], match["port"]) if match else (entry, None)
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"{entry} is no network: {error}") from error
    if port is not None and not 0 < int(port) < 65_536:
        raise ValueError(f"{entry} names no port")
    return Allowed(network, int(port) if port else None)


def is_allowed(address: Address, port: int, opened: Openings) -> bool:
    """Whether operators have opened the network of the address on this port."""
    return any(
        address in each.network and (port in opened.ports if each.port is None else port == each.port)
        for each in opened.allowed
    )


def is_public(address: Address) -> bool:
    """Whether the address is one of the public Internet, of a single host."""
    if isinstance(address, ipaddress.IPv6Address) and (address not in _GIVEN_OUT or address.scope_id):
        return False
    return not any(address in network for network in _FORBIDDEN)


def is_loopback_name(host: str) -> bool:
    """Whether every machine calls itself so (RFC 6761, section 6.3; the last two by custom)."""
    labels = host.lower().split(".")
    return labels[-1] in _LOOPBACK_NAMES or labels == ["localhost", "localdomain"]


def is_private_name(host: str) -> bool:
    """Whether the name is one of some network's own: no zone of the public Internet can hold it."""
    labels = host.lower().split(".")
    return len(labels) == 1 or labels[-1] in _PRIVATE_ZONES or labels[-2:] == ["home", "arpa"]


def literal(host: str) -> Address | None:
    """The address that `host` spells in the usual form, None for a name.

    Raises ValueError for neither: whatever a resolver would take for an address in another spelling (octal,
    hexadecimal, one number, fewer parts), letters outside ASCII, a zone.
    """
    if ":" in host:
        address: Address = ipaddress.IPv6Address(host)
        if "%" in host:
            raise ValueError("a zone means something on one machine alone")
        return address
    labels = host.lower().split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return ipaddress.IPv4Address(host)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("this is no host name")
    return None
