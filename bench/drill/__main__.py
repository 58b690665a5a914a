"""`python -m bench.drill`: play, provoke, judge; exit code 1 where something was lost or done twice."""

from __future__ import annotations

import argparse
import collections
import pathlib
import sys
import tempfile
import time

import httpx

from bench import servers
from bench.drill.cluster import Cluster
from bench.drill.faults import FAULTS, Fault, FaultFailed
from bench.drill.history import Outcome
from bench.drill.judge import JUDGES, TOLD, World
from bench.drill.librarian import Librarian
from bench.drill.people import Author, Voice
from bench.drill.receiver import Receiver
from cloudscribe.lib.embedded.processes import wait_until
from documents.demo.names import address

_AUTHORS = 3
# A job that has been tried and is to be tried again is open, too, while it waits for that.
_OPEN = """
SELECT 'jobs' AS what FROM jobs_job
WHERE state = 'running' OR (state = 'queued' AND (run_at < now() OR attempts > 0))
UNION ALL SELECT 'deliveries' FROM documents_delivery WHERE status = 'pending'
UNION ALL SELECT 'batches of events' FROM documents_webhookprogress p WHERE EXISTS (
  SELECT FROM audit_event e WHERE (e.epoch, e.xid, e.sequence) > (p.epoch, p.xid, p.sequence))
"""
_SHOWN = 10
_LONGEST_ANSWER = 90


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.drill", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a third of the faults, once each")
    parser.add_argument(
        "--seconds", type=float, default=420, help="begin no further fault after (default 420)"
    )
    parser.add_argument("--pause", type=float, help="seconds of work before and after a fault")
    parser.add_argument("--only", metavar="WORDS", help="only faults whose name holds these words")
    parser.add_argument("--seed", type=int, default=1, help="what people choose to do follows from it")
    return parser.parse_args()


class Drill:
    """One drill on one cluster."""

    def __init__(self, cluster: Cluster, receiver: Receiver, options: argparse.Namespace) -> None:
        """Take a cluster that serves, and the receiver that it may tell of things."""
        self._cluster, self._receiver, self._options = cluster, receiver, options
        self._started = time.monotonic()
        self._pause: float = options.pause or (0.7 if options.short else 2.0)
        self._findings: list[str] = []

    def run(self) -> int:
        """How many findings there are; the tables are printed."""
        world = self._world()
        _line("fault", "whole after", "done", "refused", "unknown")
        people: list[Author | Librarian] = [*world.authors, world.librarian]
        for person in people:
            person.start()
        try:
            self._rounds(world)
        finally:
            for person in people:
                person.stopping.set()
        for person in people:
            person.join(_LONGEST_ANSWER)
            if person.is_alive():
                self._findings.append(f"{person.name} waits for an answer for more than {_LONGEST_ANSWER} s")
        if not wait_until(lambda: not self._cluster.rows(_OPEN), 60, step=0.5):
            found = collections.Counter(row["what"] for row in self._cluster.rows(_OPEN))
            told = " and ".join(f"{count} {what}" for what, count in found.items())
            self._findings.append(f"{told} are open after 60 s")
        self._judge(world)
        return len(self._findings)

    def _world(self) -> World:
        people = str(_AUTHORS + 2)
        wanted = ["--documents", "1", "--users", people, "--password", servers.READER_PASSWORD]
        self._cluster.command("seed_demo", *wanted)
        voices = [
            Voice(self._cluster.base, address(number), servers.READER_PASSWORD)
            for number in range(1, _AUTHORS + 3)
        ]
        owner, stranger = voices[0], voices[-1]
        workspace = _id(owner.ask("POST", "workspaces/", json={"name": "Drill"}))
        for other in voices[1:_AUTHORS]:
            _id(
                owner.ask(
                    "POST", f"workspaces/{workspace}/members/", json={"user": other.uid, "role": "manager"}
                )
            )
        hook = {"url": self._receiver.url, "events": sorted(TOLD)}
        webhook = _id(owner.ask("POST", f"workspaces/{workspace}/webhooks/", json=hook))
        body = {"workspace": workspace, "title": "Shared", "content": "".join(f"{n}\n" for n in range(50))}
        shared = _id(owner.ask("POST", "documents/", json=body))
        authors = [
            Author(voice, stranger, workspace, shared, self._options.seed * 1000 + number)
            for number, voice in enumerate(voices[:_AUTHORS])
        ]
        librarian = Librarian(voices[_AUTHORS])
        return World(self._cluster, authors, librarian, owner, stranger, workspace, webhook, self._receiver)

    def _rounds(self, world: World) -> None:
        until = self._started + self._options.seconds
        words = self._options.only or ""
        faults = [
            fault for fault in FAULTS if words in fault.name and (fault.short or not self._options.short)
        ]
        while True:
            for fault in faults:
                if not self._options.short and time.monotonic() > until:
                    return
                self._fault(world, fault)
            if self._options.short or words:
                return

    def _fault(self, world: World, fault: Fault) -> None:
        before = _counted(world)
        time.sleep(self._pause)
        started = time.monotonic()
        try:
            fault.provoke(self._cluster)
        except (FaultFailed, OSError, RuntimeError) as problem:
            self._findings.append(f"{fault.name}: {problem}")
        if not wait_until(self._cluster.ready, 60, step=0.1):
            self._findings.append(f"{fault.name}: not whole again after 60 s")
        seconds = time.monotonic() - started
        time.sleep(self._pause)
        after = _counted(world)
        counts = [str(after[outcome] - before[outcome]) for outcome in Outcome]
        _line(fault.name, f"{seconds:.1f} s", *counts)

    def _judge(self, world: World) -> None:
        print()
        _line("what must hold", "looked at", "wrong")
        for name, judge in JUDGES.items():
            verdict = judge(world)
            _line(name, str(verdict.looked_at), str(len(verdict.findings)))
            self._findings += [f"{name}: {finding}" for finding in verdict.findings]
        print()
        for finding in self._findings[:_SHOWN]:
            print(f"FOUND {finding}")
        if len(self._findings) > _SHOWN:
            print(f"and {len(self._findings) - _SHOWN} more")


def _counted(world: World) -> dict[Outcome, int]:
    told = [author.counted() for author in world.authors]
    return {outcome: sum(each[outcome] for each in told) for outcome in Outcome}


def _id(answer: httpx.Response | None) -> str:
    if answer is None or not answer.is_success:
        raise servers.ServerError(
            f"The world can't be made: {answer.text if answer is not None else 'silence'}"
        )
    return str(answer.json()["id"])


def _line(first: str, *further: str) -> None:
    print(f"{first:<42}" + "".join(f"{text:>13}" for text in further), flush=True)


def main() -> int:
    """0 where all holds, 1 where something was found or the drill could not be held."""
    options = _arguments()
    started = time.monotonic()
    receiver = Receiver()
    with tempfile.TemporaryDirectory(prefix="cloudscribe-drill-") as name, receiver.listening():
        cluster = Cluster(pathlib.Path(name), receiver.server_port)
        try:
            cluster.start()
            found = Drill(cluster, receiver, options).run()
        except (servers.ServerError, httpx.HTTPError, RuntimeError) as problem:
            print(f"drill: {problem}", file=sys.stderr)
            return 1
        finally:
            cluster.kill()
    print(f"{found} findings in {time.monotonic() - started:.0f} s")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
