"""`python -m bench.scale`: how long requests take on a large world, and by which plans; prints Markdown.

Run it against a `make run` with `RATELIMIT_ENABLE=false` that `manage.py seed_demo` has filled; WORLD is a
file whose last line is the command's last line. One client, one request at a time: medians over HTTP.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx

from bench.client import Client
from bench.plans import Plan, Plans, shortened

_WARM = 2
_SECONDS = 120
# Of a plan so much is shown, and only of statements that take longer.
_LINES, _SHOWN_FROM = 24, 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """One row: what is asked, by whom, and the request."""

    what: str
    who: str
    send: Callable[[], object]
    repetitions: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What a row showed: median and worst in ms, statements, pages of 8 KB, and the longest statement."""

    ask: Ask
    median: float
    worst: float
    plans: list[Plan]


class World:
    """The people of the world, and what they ask."""

    def __init__(self, base: str, said: dict[str, Any]) -> None:
        """Sign them in."""
        self.said = said
        self.clients = {
            who: Client(base, said[who], said["password"]) for who in ("few", "many", "owner_of_all")
        }
        self.subtree = said["subtree"]
        self.clients["subtree's owner"] = Client(base, self.subtree["owner"], said["password"])

    def asks(self) -> list[Ask]:
        """All rows."""
        rows = [row for who in ("few", "many", "owner_of_all") for row in self._reads(who)]
        return [*rows, *self._writes()]

    def _reads(self, who: str) -> list[Ask]:
        client = self.clients[who]
        first = client.send("GET", "documents/?page_size=50").json()["results"][0]
        me = client.send("GET", "me/").json()["id"]
        paths = {
            "list of 50": "documents/?page_size=50",
            "open": f"documents/{first['id']}/",
            "children": f"documents/{first['id']}/children/",
            "check of access (explain)": f"documents/{first['id']}/access/explain/?user={me}",
            "search, rare word": f"search/?q={self.said['rare']}",
            "search, common word": f"search/?q={self.said['common']}",
            "search, phrase": f'search/?q="{self.said["phrase"]}"',
            "suggest, word of titles": "search/suggest/?q=lette",
            "suggest, word of bodies alone": "search/suggest/?q=harb",
        }
        rooms = client.send("GET", "workspaces/?page_size=1").json()["results"]
        if rooms:
            paths["tree of a workspace, one level"] = f"workspaces/{rooms[0]['id']}/tree/?depth=1"
        return [Ask(what, who, _get(client, path)) for what, path in paths.items()]

    def _writes(self) -> list[Ask]:
        who = "subtree's owner"
        return [
            Ask("grant on a root, and its removal", who, self._grant),
            Ask("move of 10,922 (job, there and back)", who, self._move, repetitions=2),
        ]

    def _grant(self) -> None:
        client, root = self.clients["subtree's owner"], self.subtree["document"]
        reader = self.clients["few"].send("GET", "me/").json()["id"]
        made = client.send(
            "POST", f"documents/{root}/grants/", json={"user": reader, "role": "viewer"}
        ).json()
        client.send("DELETE", f"documents/{root}/grants/{made['id']}/")

    def _move(self) -> None:
        client, root = self.clients["subtree's owner"], self.subtree["document"]
        room = client.send("GET", f"documents/{root}/").json()["workspace"]
        tops = client.send("GET", f"workspaces/{room}/tree/?depth=1").json()
        target = next(node["id"] for node in tops if node["id"] != root)
        for parent in (target, None):
            _finished(client, client.send("POST", f"documents/{root}/move/", json={"parent": parent}))


def _get(client: Client, path: str) -> Callable[[], object]:
    return lambda: client.send("GET", path)


def _finished(client: Client, answer: httpx.Response) -> None:
    """Wait for the job that an answer speaks of; raises RuntimeError where it fails or takes too long."""
    if answer.status_code != httpx.codes.ACCEPTED:
        return
    limit, state = time.monotonic() + _SECONDS, ""
    while state not in ("succeeded", "failed", "cancelled"):
        if time.monotonic() > limit:
            raise RuntimeError(f"the job did not end in {_SECONDS} s")
        time.sleep(0.05)
        state = client.send("GET", f"jobs/{answer.json()['id']}/").json()["state"]
    if state != "succeeded":
        raise RuntimeError(f"the job {state}")


def measured(ask: Ask, plans: Plans | None, repetitions: int) -> Seen:
    """Send a row's request warm and time it; with `plans` explain one more."""
    if plans is not None:
        return Seen(ask, 0, 0, plans.of(ask.send))
    times = []
    for number in range(_WARM + (ask.repetitions or repetitions)):
        start = time.monotonic()
        ask.send()
        if number >= _WARM or ask.repetitions:
            times.append((time.monotonic() - start) * 1000)
    return Seen(ask, statistics.median(times), max(times), [])


def table(timed: list[Seen], explained: list[Seen]) -> str:
    """The rows as a Markdown table, and below it the plans of what took long."""
    lines = [
        "| request | reader | median, ms | worst, ms | statements | pages of 8 KB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for seen, plans in zip(timed, (row.plans for row in explained), strict=True):
        numbers = (
            f"{seen.median:.0f} | {seen.worst:.0f} | {len(plans)} | {sum(plan.pages for plan in plans):,}"
        )
        lines.append(f"| {seen.ask.what} | `{seen.ask.who}` | {numbers} |")
    for row in explained:
        if row.plans and row.plans[0].duration >= _SHOWN_FROM:
            longest = row.plans[0]
            lines += ["", f"### {row.ask.what}, `{row.ask.who}`", ""]
            lines += [f"{longest.duration:.1f} ms, {longest.pages:,} pages.", "", "```text"]
            lines += [*shortened(longest.lines, _LINES), "```"]
    return "\n".join(lines)


def main() -> int:
    """0 where all was measured, 1 where a request failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--base", default="http://127.0.0.1:8000", help="address (default port 8000)")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="its CLOUDSCRIBE_DATA")
    parser.add_argument("--world", type=pathlib.Path, required=True, help="what seed_demo said")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--only", default="", help="rows whose name begins so")
    options = parser.parse_args()
    said = json.loads(options.world.read_text(encoding="utf-8").splitlines()[-1])
    try:
        asks = [ask for ask in World(options.base, said).asks() if ask.what.startswith(options.only)]
        timed = []
        for ask in asks:
            timed.append(measured(ask, None, options.repetitions))
            print(f"{ask.what}, {ask.who}: {timed[-1].median:.0f} ms", file=sys.stderr)
        plans = Plans(options.data)
        with plans.logged():
            for ask in asks:
                ask.send()  # connections are new
            explained = [measured(ask, plans, 0) for ask in asks]
    except (httpx.HTTPError, RuntimeError) as problem:
        print(f"bench.scale: {problem}", file=sys.stderr)
        return 1
    print(table(timed, explained))
    return 0


if __name__ == "__main__":
    sys.exit(main())
