"""What the commands that measure share: options, the page that is written, what is told of a fault."""

from __future__ import annotations

import argparse
import pathlib
import sys

from bench.servers import ROOT
from cloudscribe.lib.embedded.processes import tail


def parser_of(command: str, description: str | None, *, page: str, quick: str) -> argparse.ArgumentParser:
    """Options that each has; `page` is the name in docs/ of what is written, `quick` the smoke test."""
    parser = argparse.ArgumentParser(prog=f"python -m {command}", description=description)
    parser.add_argument("--quick", action="store_true", help=f"smoke test: {quick}, nothing is written")
    path = ROOT / "docs" / page
    parser.add_argument("--output", type=pathlib.Path, default=path, help="the page to write")
    return parser


def publish(page: str, options: argparse.Namespace) -> None:
    """Print the page, and write it unless this is the smoke test."""
    print(page)
    if not options.quick:
        options.output.write_text(page, encoding="utf-8")


def complain(problem: Exception, folder: pathlib.Path) -> None:
    """Print what went wrong, and the ends of the logs in the folder."""
    print(f"bench: {problem}", file=sys.stderr)
    for log in folder.glob("*.log"):
        print(f"{log.name}: {tail(log)}", file=sys.stderr)
