"""`python -m bench.webhooks`: deliveries to one receiver; prints docs/deliveries.md and writes it."""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import import_module

import django

from bench import servers
from bench.pages import complain, parser_of, publish
from bench.processes import cpu_seconds
from bench.webhooks.receiver import MANNERS, Receiver, certificate
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import Postgres
from cloudscribe.lib.embedded.sharing import SharedServers, ensure_servers

_WARM = 50


def _arguments() -> argparse.Namespace:
    parser = parser_of("bench.webhooks", __doc__, page="deliveries.md", quick="few of each")
    parser.add_argument("--deliveries", type=int, default=1000, help="of a round (default 1000)")
    parser.add_argument("--repetitions", type=int, default=3, help="rounds a receiver (default 3)")
    options = parser.parse_args()
    if options.quick:
        options.deliveries, options.repetitions = 100, 1
    return options


@contextlib.contextmanager
def _installation(folder: pathlib.Path) -> Iterator[Postgres]:
    """Servers of its own with a small world; Django is set up for it."""
    layout = Layout.at(folder / "data")
    os.environ.update(servers.environment(layout.data, DJANGO_SETTINGS_MODULE="cloudscribe.settings"))
    os.environ.update(ensure_servers(layout.data, start=False))
    running = SharedServers(layout, {})
    running.open()
    try:
        servers.command(folder, "manage.py", "prepare")
        wanted = ("--documents", "50", "--users", "10", "--password", servers.READER_PASSWORD)
        servers.command(folder, "manage.py", "seed_demo", *wanted)
        yield Postgres(layout)
    finally:
        running.close(stop_always=True)


def _measure(folder: pathlib.Path, options: argparse.Namespace) -> str:
    trusted, context = certificate(folder)
    with contextlib.ExitStack() as opened:
        receivers = {manner.name: Receiver(manner, context) for manner in MANNERS}
        for receiver in receivers.values():
            opened.enter_context(receiver.listening())
        postgres = opened.enter_context(_installation(folder))
        os.environ["CLOUDSCRIBE_WEBHOOK_ALLOWED_CIDRS"] = "127.0.0.1/32"
        ports = (str(receiver.server_port) for receiver in receivers.values())
        os.environ["CLOUDSCRIBE_WEBHOOK_ALLOWED_PORTS"] = ",".join(ports)
        os.environ["CLOUDSCRIBE_WEBHOOK_BACKOFF"] = "0.5"
        os.environ["SSL_CERT_FILE"] = str(trusted)
        django.setup()
        sender = opened.enter_context(servers.module(folder, "sender", "bench.webhooks.sender"))
        seen = _rounds(receivers, sender, postgres, options)
    page: str = import_module("bench.webhooks.report").markdown(seen, options.deliveries)
    return page


def _rounds(
    receivers: Mapping[str, Receiver], sender: int, postgres: Postgres, options: argparse.Namespace
) -> dict[str, list[object]]:
    """What was seen of each receiver; the first round warms up."""
    heap = import_module("bench.webhooks.rounds").heap

    def database() -> float:
        pid = postgres.pid()
        return cpu_seconds(pid) if pid else 0.0

    for receiver in receivers.values():
        heap(receiver, sender, _WARM, database)
    seen: dict[str, list[object]] = {name: [] for name in receivers}
    for name, receiver in [*receivers.items()] * options.repetitions:
        seen[name].append(heap(receiver, sender, options.deliveries, database))
        print(name, seen[name][-1], file=sys.stderr)
    return seen


def main() -> int:
    """0 where the page was written, 1 where a server failed or something was not delivered."""
    options = _arguments()
    with tempfile.TemporaryDirectory(prefix="cloudscribe-bench-") as name:
        folder = pathlib.Path(name)
        try:
            page = _measure(folder, options)
        except RuntimeError as problem:
            complain(problem, folder)
            return 1
    publish(page, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
