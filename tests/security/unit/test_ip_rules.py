"""Which rule decides; no database."""

from __future__ import annotations

import datetime as dt
import ipaddress
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.ip_rules import RuleIndex, parse_network

NOW = dt.datetime.now(tz=dt.UTC)
TraceFunction = Callable[[FrameType, str, Any], Any]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        (" 192.0.2.77/24 ", "192.0.2.0/24"),
        ("2001:DB8::1", "2001:db8::1/128"),
        ("2001:db8:0:0:1::/64", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::/0", "::/0"),
    ],
)
def test_network_has_one_spelling(text: str, stored: str) -> None:
    """Host bits go, IPv4 inside IPv6 is IPv4."""
    assert str(parse_network(text)) == stored


@pytest.mark.parametrize(
    "text", ["", "nowhere", "192.0.2.1/33", "192.0.2.256", "fe80::1%eth0", "010.0.0.1", "1"]
)
def test_network_of_nonsense_is_none(text: str) -> None:
    """Zones and octal spellings too."""
    with pytest.raises(ValueError, match=r".*"):
        parse_network(text)


@pytest.mark.parametrize(
    ("rows", "address", "effect"),
    [
        ([], "192.0.2.1", None),
        ([("192.0.2.0/24", "block")], "192.0.2.1", "block"),
        ([("192.0.2.0/24", "block")], "::ffff:192.0.2.1", "block"),
        ([("192.0.2.0/24", "block")], "192.0.3.1", None),
        ([("192.0.2.0/24", "block"), ("192.0.2.1/32", "allow")], "192.0.2.1", "allow"),
        ([("192.0.2.0/24", "allow"), ("192.0.2.1/32", "block")], "192.0.2.1", "block"),
        ([("192.0.2.0/24", "block"), ("192.0.2.0/24", "allow")], "192.0.2.1", "allow"),
        ([("192.0.2.0/24", "allow"), ("192.0.2.0/24", "block")], "192.0.2.1", "allow"),
        ([("0.0.0.0/0", "block")], "192.0.2.1", "block"),
        ([("0.0.0.0/0", "block")], "2001:db8::1", None),
        ([("2001:db8::/64", "block")], "2001:db8::ffff:1", "block"),
        ([("2001:db8::/64", "block")], "2001:db8:0:1::1", None),
        ([("::/0", "block")], "::ffff:192.0.2.1", None),
        ([("192.0.2.0/24", "block")], "", None),
        ([("192.0.2.0/24", "block")], "no address", None),
    ],
)
def test_narrowest_rule_decides(rows: list[tuple[str, str]], address: str, effect: str | None) -> None:
    """Of two alike `allow` does."""
    assert RuleIndex([(network, kind, None) for network, kind in rows]).effect(address) == effect


def test_rule_that_ran_out_decides_nothing() -> None:
    """The next wider one does, judged at the moment of asking."""
    soon, gone = NOW + dt.timedelta(days=1), NOW - dt.timedelta(seconds=1)
    index = RuleIndex([("192.0.2.1/32", "allow", gone), ("192.0.2.0/24", "block", soon)])
    assert index.blocks("192.0.2.1")


def test_rule_ends_by_the_clock_of_the_database() -> None:
    """This machine's clock may be wrong; the offset sets it right."""
    row = ("192.0.2.1/32", "block", dt.datetime.now(tz=dt.UTC) + dt.timedelta(minutes=10))
    assert RuleIndex([row]).blocks("192.0.2.1")
    assert not RuleIndex([row], offset=700.0).blocks("192.0.2.1")


NETWORKS = st.one_of(
    st.ip_addresses(v=4, network="10.0.0.0/24"), st.ip_addresses(v=6, network="2001:db8::/120")
).flatmap(
    lambda address: st.integers(address.max_prefixlen - 8, address.max_prefixlen).map(
        lambda length: ipaddress.ip_network((address, length), strict=False)
    )
)


@given(st.lists(st.tuples(NETWORKS, st.sampled_from(["allow", "block"])), unique=True, max_size=12), NETWORKS)
def test_index_agrees_with_a_plain_walk(
    rows: list[tuple[ipaddress.IPv4Network, str]], asked: ipaddress.IPv4Network
) -> None:
    """Whatever the rules are, the index says what comparing each of them says."""
    address = asked.network_address
    holding = [(network.prefixlen, kind == "allow", kind) for network, kind in rows if address in network]
    expected = max(holding)[2] if holding else None
    assert RuleIndex([(str(network), kind, None) for network, kind in rows]).effect(address) == expected


def steps(work: Callable[[], object]) -> int:
    """How many instructions of Python `work` takes: its cost without the machine's load."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_look_up_costs_the_same_with_ten_thousand_rules() -> None:
    """There is one step for each length of prefix, however many rules have it."""
    few, many = (
        RuleIndex([(f"10.{n >> 8}.{n & 255}.0/{24 + n % 9}", "block", None) for n in range(count)])
        for count in (9, 10_000)
    )
    assert 0 < steps(lambda: many.blocks("192.0.2.1")) <= steps(lambda: few.blocks("192.0.2.1"))
