"""Whose address counts; no database."""

from __future__ import annotations

import ipaddress

import pytest

from security.addresses import client_address, parse_address, parse_proxies

PROXIES, _ = parse_proxies(["10.0.0.0/8", "2001:db8:1::/48"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.5", "", "203.0.113.5"),
        ("203.0.113.5", "1.2.3.4", "203.0.113.5"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "198.51.100.9, 10.0.0.2", "198.51.100.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "rubbish, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.9, rubbish", "10.0.0.1"),
        ("10.0.0.1", ",,,", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.9:1234", "10.0.0.1"),
        ("2001:db8:1::1", "2001:db8:2::7", "2001:db8:2::7"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("::ffff:10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "::ffff:198.51.100.9", "198.51.100.9"),
    ],
)
def test_client_address(peer: str, forwarded: str, client: str) -> None:
    """Only what a trusted proxy vouches for is believed, from the right."""
    assert str(client_address(parse_address(peer), forwarded, PROXIES)) == client


def test_client_address_of_a_unix_peer() -> None:
    """A peer without an address speaks for others only where `unix` is trusted."""
    assert client_address(None, "198.51.100.9", PROXIES, unix=True) == ipaddress.ip_address("198.51.100.9")
    assert client_address(None, "198.51.100.9", PROXIES) is None


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "proxy.example.org", "300.1.1.1", ""])
def test_proxies_that_are_no_networks_are_refused_by_name(entry: str) -> None:
    """A typing error must not trust nobody or everybody in silence."""
    with pytest.raises(ValueError, match="is no network"):
        parse_proxies([entry])
