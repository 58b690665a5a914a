"""The page on webhooks: what a delivery costs, and whether a receiver is sent enough."""

from __future__ import annotations

from bench.webhooks.report import markdown
from bench.webhooks.rounds import Seen


def _page(*rates: float) -> str:
    rounds = [Seen(rate, 0.002, 0.001, 1.0, 0.04, 0.1) for rate in rates]
    return markdown({"keeps": rounds, "closes": [Seen(100, 0.004, 0.001, 1.0, 1.0, 0.1)]}, 500)


def test_page_shows_what_a_delivery_costs() -> None:
    """Medians; the CPU of all, and of whom it is."""
    page = _page(150, 200, 90)
    assert "| keeps | 150 | 3.00 | 2.00 | 1.00 | 1.00 | 0.04 |" in page
    assert "| closes | 100 | 5.00 | 4.00 | 1.00 | 1.00 | 1.00 |" in page
    assert "500 deliveries" in page
    assert "Medians of 3, with other processes at 10% of the machine" in page


def test_page_tells_whether_a_receiver_is_sent_enough() -> None:
    """Sixty a second, the slowest of them."""
    assert "| the slowest of these | 100/s | ≥60/s | yes |" in _page(150)
    assert "| the slowest of these | 59/s | ≥60/s | **no** |" in _page(59)
