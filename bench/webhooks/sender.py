"""`python -m bench.webhooks.sender`: what the scheduler keeps, without a scheduler."""

from __future__ import annotations

from importlib import import_module

import django


def main() -> None:
    """Send what is due, until somebody ends this process."""
    django.setup()
    lanes = import_module("documents.webhook_lanes")
    while True:
        lanes.deliveries_send(lambda: True)


if __name__ == "__main__":
    main()
