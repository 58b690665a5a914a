"""The secret of a personal access token: 256 random bits behind a prefix that scanners can look for."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Sequence
from functools import lru_cache

from security.addresses import Network, parse_address

PREFIX = "csp_"
_BYTES = 32
_FORM = re.compile(r"csp_[A-Za-z0-9_-]{43}")
_HINT_LENGTH = 8
_MAPPED_BITS = 96


def secret_make() -> str:
    """A fresh secret, to be shown once."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def secret_hint(secret: str) -> str:
    """The first characters, by which people tell their tokens apart; 24 bits of 256 are given away."""
    return secret[:_HINT_LENGTH]


def secret_hash(secret: str) -> bytes | None:
    """What is stored of a secret, None for what can't be one.

    Plain SHA-256: there is nothing to guess in 256 random bits, so a slow hash would protect nothing.
    """
    return hashlib.sha256(secret.encode()).digest() if _FORM.fullmatch(secret) else None


def network_parse(text: str) -> Network:
    """The network that `text` spells, of IPv4 inside IPv6 the IPv4 one; raises ValueError.

    Bits behind the prefix are refused: who writes them may have meant another length.
    """
    network = ipaddress.ip_network(text)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return ipaddress.ip_network((mapped, network.prefixlen - _MAPPED_BITS))


@lru_cache(maxsize=1_024)
def _networks(cidrs: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(cidr) for cidr in cidrs)


def address_allowed(address: str, cidrs: Sequence[str]) -> bool:
    """Whether a vetted client address lies in one of the networks; without any, each does.

    An unknown address (a Unix socket without a proxy) lies in none.
    """
    if not cidrs:
        return True
    found = parse_address(address)
    return found is not None and any(found in network for network in _networks(tuple(cidrs)))


def networks_within(inner: Sequence[str], outer: Sequence[str]) -> bool:
    """Whether each network of `inner` lies inside one of `outer`; no network at all is every address."""
    if not outer:
        return True
    wider = _networks(tuple(outer))
    return bool(inner) and all(
        any(one.version == other.version and one.subnet_of(other) for other in wider)  # type: ignore[arg-type]
        for one in _networks(tuple(inner))
    )
