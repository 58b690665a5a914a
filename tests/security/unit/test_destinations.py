"""Which addresses are ours to ask: every forbidden range, every spelling; no network."""

from __future__ import annotations

import ipaddress

import pytest

from security.destinations import FORBIDDEN, Openings, is_allowed, is_public, literal, parse_allowed

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "168.63.129.15",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
]


@pytest.mark.parametrize(("network", "why"), FORBIDDEN, ids=lambda text: text)
def test_forbidden_range_is_shut(network: str, why: str) -> None:
    """Its first address, its last and one between are no host that may be asked."""
    found = ipaddress.ip_network(network)
    middle = found[found.num_addresses // 2]
    assert why
    assert [str(each) for each in (found[0], middle, found[-1]) if is_public(each)] == []


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_open(address: str) -> None:
    """What lies beside a forbidden range is no part of it."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "4000::1",
        "8000::1",
        "1::1",
        "fe00::1",
        "::7f00:1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "2001:0:808:808::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "169.254.169.254",
        "255.255.255.255",
    ],
)
def test_address_that_hides_another_is_shut(address: str) -> None:
    """Forms that carry an IPv4 address, metadata of clouds, and what was never given out."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.01",
        "127.0.0.0x1",
        "1.2.3.4.5",
        "256.0.0.1",
        "example.1",
        "\u2460\u2461\u2466.0.0.1",
        "127\u30020\u30020\u30021",
        "ex\u00e4mple.org",
        "fe80::1%eth0",
        "::1%25lo",
        "1::2::3",
        "",
        ".",
        "example.org.",
        "a..b",
        "-a.org",
        "a b.org",
        "a/b",
        "a" * 64 + ".org",
        ".".join(["abc"] * 70),
    ],
)
def test_odd_spelling_is_no_host(host: str) -> None:
    """What a resolver or a browser would bend into an address is refused before anybody asks one."""
    with pytest.raises(ValueError, match=r".*"):
        literal(host)


@pytest.mark.parametrize("host", ["example.org", "xn--exmple-cua.org", "a_b.example", "10.example", "0x.org"])
def test_name_is_no_address(host: str) -> None:
    """Names are for the resolver."""
    assert literal(host) is None


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:db8::1", "::1", "127.0.0.1"])
def test_usual_spelling_is_an_address(host: str) -> None:
    """Whether it may be asked is another question."""
    assert str(literal(host)) == host


def test_allowed_networks_and_ports() -> None:
    """Without a port the usual ones are open, with one that alone."""
    allowed = Openings(parse_allowed(("10.0.0.0/8", "10.9.9.9:8443", "[fd00::/8]:8080", "fd12::/16")))

    def opened(address: str, port: int) -> bool:
        return is_allowed(ipaddress.ip_address(address), port, allowed)

    assert [opened("10.1.1.1", port) for port in (80, 443, 8443)] == [True, True, False]
    assert [opened("10.9.9.9", port) for port in (443, 8443, 22)] == [True, True, False]
    assert [opened("fd00::1", port) for port in (443, 8080)] == [False, True]
    assert [opened("fd12::1", port) for port in (443, 8080)] == [True, True]
    assert not opened("11.1.1.1", 443)


@pytest.mark.parametrize(
    "entry", ["intranet", "10.0.0.1/8", "10.0.0.0/8:0", "10.0.0.0/8:99999", "[::1]:", ""]
)
def test_allowed_entry_that_is_none(entry: str) -> None:
    """It is named."""
    with pytest.raises(ValueError, match=r".*"):
        parse_allowed((entry,))
