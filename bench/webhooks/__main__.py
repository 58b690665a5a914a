"""`python -m bench.webhooks`: deliveries to one receiver; prints docs/deliveries.md and writes it."""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module

import django

from bench import servers
from bench.processes import cpu_seconds
from bench.webhooks.receiver import MANNERS, Receiver, certificate
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import Postgres
from cloudscribe.lib.embedded.processes import tail
from cloudscribe.lib.embedded.sharing import SharedServers, ensure_servers

_PAGE = servers.ROOT / "docs" / "deliveries.md"
_WARM = 50


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smoke test: few of each, nothing is written")
    parser.add_argument("--deliveries", type=int, default=1000, help="of a round (default 1000)")
    parser.add_argument("--repetitions", type=int, default=3, help="rounds a receiver (default 3)")
    parser.add_argument("--output", type=pathlib.Path, default=_PAGE, help="the page to write")
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


@contextlib.contextmanager
def _sending(folder: pathlib.Path) -> Iterator[int]:
    """The sender, whose output goes to `folder`; gives its number."""
    with (folder / "sender.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.webhooks.sender"],
            cwd=servers.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield process.pid
    finally:
        servers.end(process)


def _measure(folder: pathlib.Path, options: argparse.Namespace) -> str:
    trusted, context = certificate(folder)
    seen: dict[str, list[object]] = {manner.name: [] for manner in MANNERS}
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
        rounds = import_module("bench.webhooks.rounds")
        sender = opened.enter_context(_sending(folder))

        def database() -> float:
            pid = postgres.pid()
            return cpu_seconds(pid) if pid else 0.0

        for repetition in range(options.repetitions + 1):
            for name, receiver in receivers.items():
                count = options.deliveries if repetition else _WARM
                found = rounds.heap(receiver, sender, count, database)
                if repetition:
                    print(name, found, file=sys.stderr)
                    seen[name].append(found)
    page: str = import_module("bench.webhooks.report").markdown(seen, options.deliveries)
    return page


def main() -> int:
    """0 where the page was written, 1 where a server failed or something was not delivered."""
    options = _arguments()
    with tempfile.TemporaryDirectory(prefix="cloudscribe-bench-") as name:
        folder = pathlib.Path(name)
        try:
            page = _measure(folder, options)
        except RuntimeError as problem:
            print(f"bench: {problem}", file=sys.stderr)
            for log in folder.glob("*.log"):
                print(f"{log.name}: {tail(log)}", file=sys.stderr)
            return 1
    print(page)
    if not options.quick:
        options.output.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
