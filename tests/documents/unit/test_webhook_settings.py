"""What operators open to webhooks is checked at the start."""

from __future__ import annotations

from typing import Any

import pytest

from documents.checks import check_webhooks


@pytest.mark.parametrize(
    ("networks", "ports", "found"),
    [
        ([], [], []),
        (["10.0.0.0/8", "[fd00::/8]:8080"], ["8443"], []),
        (["10.0.0.1/8"], [], ["documents.E001"]),
        (["everywhere"], [], ["documents.E001"]),
        ([], ["https"], ["documents.E001"]),
        ([], ["0"], ["documents.E001"]),
        ([], ["65536"], ["documents.E001"]),
    ],
)
def test_openings_are_networks_and_ports(
    settings: Any, networks: list[str], ports: list[str], found: list[str]
) -> None:
    """Else each delivery would fail, one by one."""
    settings.WEBHOOK_ALLOWED_CIDRS, settings.WEBHOOK_ALLOWED_PORTS = networks, ports
    assert [error.id for error in check_webhooks()] == found
