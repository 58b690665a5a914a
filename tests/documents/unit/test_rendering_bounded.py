"""Rendering always ends, harms nobody who reads something else, and leaves nothing behind."""

from __future__ import annotations

import os
import pathlib
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pygments.lexers.python import PythonLexer

from cloudscribe.lib.errors import ServiceUnavailable
from documents.rendering import TooBusyToRender, bounded, render_bounded
from documents.rendering.bounded import CHILDREN, LONGEST_TEXT
from documents.rendering.html import LONGEST_HTML
from tests.documents.api.test_editing_races import at_once

pytestmark = pytest.mark.slow
HOSTILE = "[" * 60_000 + "<b>"
FINE = "<p><em>a</em></p>\n"


@pytest.fixture(autouse=True)
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Renderers of the test's own, which know of no other text."""
    own = bounded._Pool()
    monkeypatch.setattr(bounded, "_pool", own)
    yield own
    for child in [*own._children]:
        child.end()


def descriptors() -> int:
    """How many files and pipes this process has open."""
    return len([*pathlib.Path("/proc/self/fd").iterdir()])


def exists(pid: int) -> bool:
    """Whether there is such a process, dead ones that nobody has waited for among them."""
    return pathlib.Path(f"/proc/{pid}").exists()


def test_render_bounded_gives_up_on_hostile_text(pool: Any) -> None:
    """A text that would keep the parser for minutes comes back as it is, and the next one is rendered."""
    found = render_bounded(HOSTILE, seconds=0.3)
    assert found.plain
    assert found.html.endswith("&lt;b&gt;</pre>")
    assert render_bounded("*a*").html == FINE


def test_render_bounded_leaves_neither_processes_nor_pipes(pool: Any) -> None:
    """However many had to be killed."""
    render_bounded(HOSTILE, seconds=0.1)
    before, pids = descriptors(), set()
    for _ in range(5):
        pids |= {child.pid for child in pool._children}
        assert render_bounded(HOSTILE, seconds=0.1).plain
    assert descriptors() == before
    assert len(pids) == 5
    assert [pid for pid in pids if exists(pid)] == []
    assert len(pool._children) == 1


def test_render_bounded_remembers_what_was_too_much(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who wait for the same text don't have it tried again; a preview is told nothing of it."""
    assert render_bounded(HOSTILE).plain
    monkeypatch.setattr(bounded.Child, "ask", _asked)
    assert render_bounded(HOSTILE).plain
    with pytest.raises(AssertionError, match="asked"):
        render_bounded(HOSTILE, preview=True)


def _asked(*_: Any) -> bytes:
    raise AssertionError("asked")


SLOW = [
    "*a_ " * 5_000,
    ">" * 20_000,
    "".join("  " * number + "- a\n" for number in range(300)),
    "![" * 10_000,
    "[^" * 10_000,
    "^[" * 10_000,
    "- [ ] a\n" * 10_000,
    "|" + "a|" * 5_000 + "\n|" + "-|" * 5_000 + "\n" + "|b\n" * 2_000,
    "".join(f"a[^{number}]\n\n[^{number}]: b\n\n" for number in range(10_000)),
    "[^1]\n\n[^1]: [^1]\n",
    "```html\n" + "<" * 19_000 + "\n```",
    "```markdown\n" + "```python\n" * 1_900 + "```",
]


def test_render_bounded_ends(pool: Any) -> None:
    """With HTML or with plain text, of a bounded size."""
    for text in SLOW:
        found = render_bounded(text, seconds=0.2)
        assert found.html
        assert len(found.html) <= LONGEST_HTML


def test_render_bounded_is_not_made_to_write_without_end(pool: Any) -> None:
    """A short text that asks for a long address ten thousand times is shown as it is."""
    text = "[a]: /" + "b" * 10_000 + "\n\n" + "[a] " * 10_000
    assert render_bounded(text).plain


def test_render_bounded_leaves_out_no_word(pool: Any) -> None:
    """What is nested deeper than the parser goes is shown as it is, what is less deep as it should be."""
    for mark in (">", "- "):
        found = [render_bounded(mark * depth + "word") for depth in range(48, 102)]
        assert all("word" in one.html for one in found)
        assert (found[0].plain, found[-1].plain) == (False, True)


def test_render_bounded_shows_what_is_too_long_as_it_is(pool: Any) -> None:
    """Nobody is asked about it."""
    assert render_bounded("<" + "a" * LONGEST_TEXT).html.startswith('<pre tabindex="0">&lt;a')
    assert pool._children == set()


def test_render_bounded_takes_no_long_prose_for_hostile(pool: Any) -> None:
    """A long text as people write them."""
    part = "## Head\n\nSome *text* with `code` and [a link](https://example.org/).\n\n- one\n- two\n\n"
    assert not render_bounded(part * 800).plain


def test_code_that_is_too_much_for_its_lexer_loses_its_colours_alone(
    pool: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """The rest of the text is as it would be."""
    # A lexer that never ends, for the child alone.
    (tmp_path / "sitecustomize.py").write_text(
        "import pygments.lexers.python as p\n"
        "def without_end(*_):\n    while True: pass\n"
        "p.PythonLexer.get_tokens = without_end\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = render_bounded("*a*\n\n```python\nx\n```\n")
    assert found.html == f'{FINE}<pre tabindex="0"><code class="language-python">x\n</code></pre>\n'
    assert not found.plain
    assert PythonLexer.get_tokens


def test_one_hostile_text_lets_others_be_read(pool: Any) -> None:
    """Eight at once, one of them hostile: the others don't wait until that one ends."""
    render_bounded("*warm*")
    took: dict[int, float] = {}

    def read(number: int) -> Any:
        began = time.monotonic()
        found = render_bounded(HOSTILE, seconds=2.0) if not number else render_bounded(f"*a{number}*")
        took[number] = time.monotonic() - began
        return found

    found = at_once([lambda number=number: read(number) for number in range(8)])
    assert found[0].plain
    assert [one.html for one in found[1:]] == [f"<p><em>a{number}</em></p>\n" for number in range(1, 8)]
    assert max(took[number] for number in range(1, 8)) < took[0]


def test_who_finds_no_renderer_free_is_told_to_come_back(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy server says nothing of the text: no plain text that would be kept for the real thing."""
    monkeypatch.setattr(bounded, "_WAIT", 0.05)
    for _ in range(CHILDREN):
        pool._places.acquire()
    with pytest.raises(ServiceUnavailable):
        render_bounded("*a*")


@pytest.mark.parametrize(
    ("text", "preview"), [("*a*", True), ("*a*\n" * 20_000, False)], ids=["preview", "long"]
)
def test_previews_and_long_texts_leave_a_renderer_to_others(
    pool: Any, monkeypatch: pytest.MonkeyPatch, text: str, *, preview: bool
) -> None:
    """However many look at drafts, or at books."""
    monkeypatch.setattr(bounded, "_WAIT_ASIDE", 0.05)
    with pool.aside():
        with pytest.raises(ServiceUnavailable):
            render_bounded(text, preview=preview)
        assert render_bounded("*a*").html == FINE


def test_a_renderer_that_was_killed_is_replaced(pool: Any) -> None:
    """By a system out of memory, say, while nobody asked it."""
    render_bounded("*a*")
    (child,) = pool._children
    os.kill(child.pid, signal.SIGKILL)
    assert render_bounded("*a*").html == FINE
    assert not exists(child.pid)
    assert len(pool._children) == 1


def test_a_renderer_that_answers_too_late_is_none_of_the_texts_fault(pool: Any) -> None:
    """It is ended, and whoever asked is told to come back."""
    render_bounded("*a*")
    (child,) = pool._children
    os.kill(child.pid, signal.SIGSTOP)
    with pytest.raises(TooBusyToRender):
        render_bounded("*a*", seconds=0.1)
    assert not exists(child.pid)
    assert render_bounded("*a*").html == FINE


def test_a_text_that_had_most_of_its_time_is_too_much_when_the_clock_runs_out(
    pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However busy the machine was; of one that had less nothing is known, nor does its process count."""
    render_bounded("*warm*")
    monkeypatch.setattr("documents.rendering.child._GRACE", 0.0)
    monkeypatch.setattr("documents.rendering.child._PATIENCE", 0.4)
    with pytest.raises(TooBusyToRender):
        render_bounded(HOSTILE, seconds=1.0)
    render_bounded("*warm*", seconds=20.0)
    monkeypatch.setattr(bounded, "_MOST_OF_IT", 0.01)
    assert render_bounded(HOSTILE, seconds=1.0).plain


def test_a_fork_has_renderers_of_its_own(pool: Any) -> None:
    """The parent's answer the parent; its pipes are closed in the child."""
    render_bounded("*a*")
    pid = os.fork()
    if not pid:
        status = 1
        try:
            status = int(not (pool._children == set() and render_bounded("*a*").html == FINE))
            for child in [*pool._children]:
                child.end()
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    assert render_bounded("*a*").html == FINE


def test_the_renderer_knows_no_secret(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is not that of a web process."""
    monkeypatch.setenv("CLOUDSCRIBE_SECRET_KEY", "never-to-be-seen")
    render_bounded("*a*")
    (child,) = pool._children
    assert b"never-to-be-seen" not in pathlib.Path(f"/proc/{child.pid}/environ").read_bytes()
