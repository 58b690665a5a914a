"""The address that the supervisor holds, where another wants it as well."""

from __future__ import annotations

import contextlib
import socket

import pytest

from cloudscribe.lib.supervisor.address import Address
from cloudscribe.lib.supervisor.installation import Misused


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_address_at_which_another_listens_is_not_taken() -> None:
    """Whoever starts is told what to change."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            contextlib.closing(Address("127.0.0.1", port)) as address,
            pytest.raises(Misused, match=f"{port} cannot"),
        ):
            address.take(0)


def test_of_two_who_start_at_once_the_later_is_told() -> None:
    """Both hold the address until one of them listens."""
    port = _free_port()
    with contextlib.ExitStack() as stack:
        first, second = (stack.enter_context(contextlib.closing(Address("127.0.0.1", port))) for _ in "12")
        first.take()
        second.take()
        first.listen()
        with pytest.raises(Misused, match="Set PORT"):
            second.listen()
