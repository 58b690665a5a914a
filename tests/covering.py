"""Which of our lines and branches the tests reach: `-p tests.covering` has SlipCover look on.

It writes its marks into the code when a module is imported, and takes those away that were met: what runs
again and again runs as fast as without, where a tracer (coverage.py before Python 3.12) stops at every line.
Each process of the tests has its own marks; the one that hands the tests out puts them together and prints.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import marshal
import os
import pathlib
import sys
from types import CodeType, ModuleType
from typing import Any

import pytest
import slipcover
from slipcover import branch, importer

OURS = ["accounts", "audit", "cloudscribe", "documents", "security"]
OMITTED = ["*/migrations/*"]
# What is written for the reader of types, or to be overridden.
EXCLUDED = ["if TYPE_CHECKING:", "raise NotImplementedError", r"\.\.\.$"]
_KEY = "coverage"
_CACHE = pathlib.Path(__file__).resolve().parent.parent / ".cache" / "covering"


class Loader(importer.SlipcoverLoader):
    """Loads a module with marks; what is made of its text is kept, as Python keeps its own.

    To make it again takes two seconds a process, more than all the rest of an import.
    """

    def exec_module(self, module: ModuleType) -> None:
        """As SlipCover's."""
        self.sci.register_module(module)
        exec(self.sci.instrument(_compiled(self.origin)), module.__dict__)  # noqa: S102 (a module of ours)


def _compiled(origin: pathlib.Path) -> CodeType:
    """The code of a module whose branches can be told apart."""
    source = origin.read_bytes()
    kept = _CACHE / hashlib.sha256(bytes(origin)).hexdigest()[:32]
    state = hashlib.sha256(f"{sys.version} {slipcover.__version__}".encode() + source).digest()
    with contextlib.suppress(OSError):
        found = kept.read_bytes()
        if found.startswith(state):
            code: CodeType = marshal.loads(found[len(state) :])  # noqa: S302 (written below)
            return code
    code = compile(branch.preinstrument(ast.parse(source)), str(origin), "exec")
    _CACHE.mkdir(parents=True, exist_ok=True)
    # Whole or not there: the other processes of the tests read it, too.
    fresh = kept.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(state + marshal.dumps(code))
    fresh.rename(kept)
    return code


class Looking:
    """What was met so far, here and in the processes whose reports have come."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.marks: slipcover.Slipcover | None = None
        self.met: dict[str, Any] | None = None

    def begin(self) -> None:
        """Mark what is imported from now on."""
        self.marks = slipcover.Slipcover(branch=True, omit=OMITTED, exclude_also=EXCLUDED)
        importer.SlipcoverLoader = Loader
        matcher = slipcover.FileMatcher(sources=OURS, omit=OMITTED)
        slipcover.ImportManager(self.marks, matcher).__enter__()  # for as long as the process lives

    def add(self, report: dict[str, Any]) -> None:
        """Put in what another process has met."""
        self.met = slipcover.merge_coverage(self.met, report) if self.met else report

    def whole(self) -> dict[str, Any]:
        """All of it, with the modules that nobody has imported, whose source is read for it."""
        if self.marks:
            self.add(self.marks.get_coverage())
        omitted = [*OMITTED, *(self.met["files"] if self.met else ())]
        unseen = slipcover.Slipcover(branch=True, source=OURS, omit=omitted, exclude_also=EXCLUDED)
        self.add(unseen.get_coverage())
        assert self.met
        return self.met


looking = Looking()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before anything of ours is imported, where tests are run."""
    hands_out = getattr(early_config.known_args_namespace, "numprocesses", None)
    if "PYTEST_XDIST_WORKER" in os.environ or not hands_out:
        looking.begin()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Report to the process that handed the tests out, where there is one."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None and looking.marks:
        output[_KEY] = json.dumps(looking.marks.get_coverage())


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take a process's report; one that died has none."""
    report = getattr(node, "workeroutput", {}).get(_KEY)
    if report:
        looking.add(json.loads(report))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much of each file was met, without those that were met as a whole, and of all."""
    terminalreporter.section("coverage")
    slipcover.print_coverage(looking.whole(), missing_width=30, skip_covered=True)
