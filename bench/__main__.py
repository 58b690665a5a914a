"""`python -m bench`: start both sides, make the world, measure, print and write docs/performance.md."""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time

import httpx

from bench import load, report, servers, trial
from bench.client import Client
from bench.counting import RedisCommands, Statements
from bench.door import door_share
from bench.measures import MEASURES, Measure, Setting
from bench.pages import parser_of, publish
from bench.processes import cpu_seconds, proportional_bytes, tree
from bench.single import Single
from cloudscribe.lib.embedded.sharing import ensure_servers
from documents.demo.names import address

USERS = 50
_WORKER_REQUESTS = 10_000


def _arguments() -> argparse.Namespace:
    parser = parser_of("bench", __doc__, page="performance.md", quick="small world, one short load a row")
    parser.add_argument("--seconds", type=float, default=5, help="length of one load (default 5)")
    parser.add_argument("--repetitions", type=int, default=5, help="undisturbed loads a row (default 5)")
    parser.add_argument("--documents", type=int, default=10_000, help="size of the world (default 10000)")
    parser.add_argument("--book", type=pathlib.Path, help="Markdown to import before memory is read")
    parser.add_argument("--only", choices=[measure.key for measure in MEASURES], help="print one row alone")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.repetitions, options.documents = 1, 1, 1_000
    return options


class Bench:
    """One run against one floor and one CloudScribe."""

    def __init__(
        self, folder: pathlib.Path, floor: servers.Server, ours: servers.Server, options: argparse.Namespace
    ) -> None:
        """`folder` holds data and requests."""
        self._folder, self._floor, self._ours = folder, floor, ours
        self._options = options
        self._bounds = trial.Bounds(options.seconds, options.repetitions)

    def run(self) -> report.Report | None:
        """Everything in order; None with `--only`, which prints its row."""
        large = self._options.documents
        small = max(200, large // 10)
        if self._options.only:
            self._world(large)
            chosen = next(measure for measure in MEASURES if measure.key == self._options.only)
            self._say(self._measure(chosen))
            return None
        idle = self._idle_memory()
        self._world(small)
        early = {key: self._cpu(key) for key in report.GROWTH_TARGETS}
        self._world(large)
        growth = {key: self._cpu(key) / early[key] for key in report.GROWTH_TARGETS}
        results = [self._measure(measure) for measure in MEASURES]
        for result in results:
            self._say(result)
        redis_limited, door = self._limited()
        memory = report.Memory(idle, self._idle_world(), self._worker_memory(), _WORKER_REQUESTS)
        return report.Report(
            results=results,
            statements=self._statements(),
            redis=self._redis(self._ours.url),
            redis_limited=redis_limited,
            door=door,
            growth=growth,
            sizes=(small, large),
            memory=memory,
            bounds=self._bounds,
        )

    def _setting(self) -> Setting:
        reader = Client(self._ours.url, address(1), servers.READER_PASSWORD)
        writer = Client(self._ours.url, address(USERS), servers.READER_PASSWORD)
        return Setting(self._ours.url, self._folder, reader, writer, USERS)

    def _measure(self, measure: Measure) -> trial.Result:
        return trial.run(measure, self._setting(), self._floor, self._ours, self._bounds)

    def _cpu(self, key: str) -> float:
        """CPU seconds a request of one row, without the floor beside it."""
        measure = next(measure for measure in MEASURES if measure.key == key)
        script = measure.prepare(self._setting())
        load.run(self._ours.url, 1, script.name, *script.arguments)  # warm
        before = cpu_seconds(self._ours.pid)
        seen = load.run(self._ours.url, self._bounds.seconds, script.name, *script.arguments)
        return (cpu_seconds(self._ours.pid) - before) / seen.requests

    def _world(self, documents: int) -> None:
        started = time.monotonic()
        wanted = ["--documents", str(documents), "--users", str(USERS), "--password", servers.READER_PASSWORD]
        said = servers.command(self._folder, "manage.py", "seed_demo", *wanted)
        made = json.loads(said.splitlines()[-1])
        print(
            f"world of {made['documents']:,} documents in {time.monotonic() - started:.0f} s", file=sys.stderr
        )

    def _idle_world(self) -> str:
        return "the imported book" if self._options.book else "the demo workspace"

    def _idle_memory(self) -> int:
        if self._options.book:
            path = str(self._options.book.resolve())
            options = ["--workspace", "book", "--owner", servers.EMAIL]
            servers.command(self._folder, "manage.py", "import_documents", path, *options)
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            before = cpu_seconds(self._ours.pid)
            time.sleep(3)
            if cpu_seconds(self._ours.pid) - before < 0.3:
                break
        return proportional_bytes([process.pid for process in tree(self._ours.pid)])

    def _worker_memory(self) -> int:
        """The largest web worker, after both together have answered twice the requests once more."""
        script = MEASURES[0].prepare(self._setting())
        done = 0
        while done < _WORKER_REQUESTS * servers.WORKERS:
            done += load.run(self._ours.url, self._bounds.seconds, script.name, *script.arguments).requests
        web = [process for process in tree(self._ours.pid) if "gunicorn" in process.command]
        masters = {process.parent for process in web}
        return max(proportional_bytes([process.pid]) for process in web if process.pid not in masters)

    def _statements(self) -> dict[str, int]:
        setting = self._setting()
        counter = Statements(self._folder / "data")
        found = {}
        with counter.logged():
            for measure in MEASURES:
                if not measure.statements:
                    continue
                send = Single(setting, measure)
                for _ in range(40):  # both workers and all their threads get warm
                    send()
                # A timer thread of the web processes may ask something meanwhile; the median does not see it.
                found[measure.key] = statistics.median_low([len(counter.of(send)) for _ in range(7)])
        return found

    def _redis(self, base: str) -> float:
        reader = Client(base, address(1), servers.READER_PASSWORD)
        path = f"documents/{reader.pages('documents/?page_size=1', 1)[0]['id']}/"
        for _ in range(40):
            reader.send("GET", path)
        return RedisCommands(self._folder / "data").of(lambda: reader.send("GET", path), 50)

    def _limited(self) -> tuple[float, float]:
        """The same, and the door's share, by a web process beside the others, whose general limits are on."""
        data, port = self._folder / "data", servers.free_port()
        base = f"http://127.0.0.1:{port}"
        env = servers.environment(
            data, **ensure_servers(data, start=False), CLOUDSCRIBE_PROCESS="web", RATELIMIT_ENABLE="true"
        )
        command = servers.gunicorn("cloudscribe.wsgi:application", port, workers=1)
        log = self._folder / "limited.log"
        with servers.running(command, f"{base}/health/ready", log, env, seconds=60) as web:
            share = door_share(base, lambda: cpu_seconds(web.pid) + cpu_seconds(self._ours.pid))
            return self._redis(base), share

    @staticmethod
    def _say(result: trial.Result) -> None:
        print(
            f"{result.measure.title}: {result.rate:.0f}/s ÷ {result.floor_rate:.0f}/s = {result.ratio:.3f} "
            f"(target {result.measure.target:g}, {result.disturbed} disturbed)",
            file=sys.stderr,
        )


def main() -> int:
    """0 where the page was written, 1 where a server or a load failed, 2 where wrk is missing."""
    options = _arguments()
    try:
        load.require_wrk()
    except load.LoadError as problem:
        print(problem, file=sys.stderr)
        return 2
    try:
        with (
            tempfile.TemporaryDirectory(prefix="cloudscribe-bench-") as name,
            servers.floor(pathlib.Path(name)) as floor,
            servers.cloudscribe(pathlib.Path(name), RATELIMIT_ENABLE="false") as ours,
        ):
            seen = Bench(pathlib.Path(name), floor, ours, options).run()
    except (load.LoadError, servers.ServerError, httpx.HTTPError) as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 1
    if seen is not None:
        publish(report.markdown(seen), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
