"""`python -m bench.jobs`: our jobs beside procrastinate's and RQ's; prints docs/jobs.md and writes it."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import pathlib
import sys
import tempfile
from importlib import import_module

import django

from bench import servers
from bench.jobs import report
from bench.jobs.rounds import Burst, Delays, burst, delays
from bench.jobs.sides import PlainRq, Procrastinate, Side, working
from bench.jobs.work import Ear, Unheard, listening
from bench.jobs.workers import PROCRASTINATE, RQ
from bench.pages import complain, parser_of, publish
from bench.processes import cpu_seconds
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import APP_ROLE, Postgres
from cloudscribe.lib.embedded.sharing import SharedServers, ensure_servers
from cloudscribe.lib.embedded.valkey import Valkey

_RQ_DATABASE = 20
_WARM = 5


def _arguments() -> argparse.Namespace:
    parser = parser_of("bench.jobs", __doc__, page="jobs.md", quick="one small burst")
    parser.add_argument("--jobs", type=int, default=300, help="jobs a burst (default 300)")
    parser.add_argument("--repetitions", type=int, default=5, help="bursts a side (default 5)")
    parser.add_argument("--singles", type=int, default=200, help="single jobs a side (default 200)")
    options = parser.parse_args()
    if options.quick:
        options.jobs, options.repetitions, options.singles = 30, 1, 10
    return options


class Bench:
    """One run, on servers of its own."""

    def __init__(self, folder: pathlib.Path, options: argparse.Namespace) -> None:
        """Start the servers and make the tables; Django is set up afterwards."""
        self._folder, self._options = folder, options
        layout = Layout.at(folder / "data")
        os.environ.update(servers.environment(layout.data, DJANGO_SETTINGS_MODULE="cloudscribe.settings"))
        os.environ.update(ensure_servers(layout.data, start=False))
        self._servers = SharedServers(layout, {})
        self._servers.open()
        self._postgres, self._valkey = Postgres(layout), Valkey(layout)
        servers.command(folder, "manage.py", "prepare")
        self._postgres.psql(f"CREATE DATABASE procrastinate OWNER {APP_ROLE}")
        os.environ[PROCRASTINATE] = self._postgres.url(database="procrastinate")
        os.environ[RQ] = self._valkey.url(_RQ_DATABASE)
        django.setup()
        logging.getLogger("procrastinate").setLevel(logging.WARNING)

    def close(self) -> None:
        """End the servers."""
        self._servers.close(stop_always=True)

    def run(self) -> report.Report:
        """Everything in order; Redis is gone at the end of it."""
        ours: Side = import_module("bench.jobs.ours").Ours()
        sides: list[Side] = [ours, Procrastinate(), PlainRq()]
        bursts: dict[str, list[Burst]] = {side.name: [] for side in sides}
        singles: dict[str, Delays] = {}
        with listening(self._folder) as ear, contextlib.ExitStack() as workers:
            running = {side.name: workers.enter_context(working(side.worker, self._folder)) for side in sides}
            for side in sides:
                self._warm(side, ear)
            for _ in range(self._options.repetitions):
                for side in sides:
                    seen = burst(side, running[side.name], ear, self._options.jobs, self._server_seconds)
                    print(side.name, seen, file=sys.stderr)
                    bursts[side.name].append(seen)
            for side in sides:
                singles[side.name] = delays(side, ear, self._options.singles)
            without = self._without_redis(ours, ear)
        for side in sides:
            side.close()
        return report.Report(bursts, singles, without, self._options.jobs)

    def _without_redis(self, ours: Side, ear: Ear) -> Delays:
        with working("scheduler", self._folder):
            self._warm(ours, ear)
            for server in self._servers.servers:
                if server.name == self._valkey.name:
                    server.stop()
            if self._valkey.pid():
                raise servers.ServerError("Valkey does not end.")
            self._warm(ours, ear)
            return delays(ours, ear, self._options.singles // 2)

    def _warm(self, side: Side, ear: Ear) -> None:
        for _ in range(_WARM):
            side.ask(ear.path)
        ear.hear(_WARM, 120)

    def _server_seconds(self) -> float:
        return sum(cpu_seconds(pid) for pid in (self._postgres.pid(), self._valkey.pid()) if pid)


def main() -> int:
    """0 where the page was written, 1 where a server or a worker failed."""
    options = _arguments()
    with tempfile.TemporaryDirectory(prefix="cloudscribe-bench-") as name:
        try:
            with contextlib.closing(Bench(pathlib.Path(name), options)) as bench:
                page = report.markdown(bench.run())
        except (servers.ServerError, Unheard) as problem:
            complain(problem, pathlib.Path(name))
            return 1
    publish(page, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
