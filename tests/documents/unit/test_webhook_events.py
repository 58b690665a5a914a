"""The actions that webhooks can be told of are actions that there are, and patterns choose among them."""

from __future__ import annotations

import pathlib

import pytest
from django.conf import settings

from documents.webhook_events import ACTIONS, PING, is_chosen, is_pattern


def test_every_action_is_written_somewhere() -> None:
    """A name that no service writes would be promised for nothing; the list is in the docs as well."""
    root = pathlib.Path(settings.BASE_DIR)
    sources = [path for path in (root / "documents").rglob("*.py") if path.name != "webhook_events.py"]
    written = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert [action for action in sorted(ACTIONS) if f'"{action}"' not in written] == []
    page = (root / "docs" / "webhooks.md").read_text(encoding="utf-8")
    rows = [row.split("|") for row in page.partition("## Events")[2].splitlines() if row.startswith("| `")]
    told = {f"{row[1].strip(' `')}.{name}" for row in rows for name in row[2].replace("`", "").split()}
    assert told == ACTIONS


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("*", True),
        ("document.*", True),
        ("document.created", True),
        ("document", False),
        ("document.", False),
        ("document.exploded", False),
        ("*.created", False),
        ("**", False),
        (".*", False),
        ("", False),
        ("hold.*", False),
        (PING, False),
    ],
)
def test_patterns(text: str, known: bool) -> None:
    """Names, nouns with `.*`, and `*`; what isn't for webhooks is chosen by none of them."""
    assert is_pattern(text) is known


def test_choice() -> None:
    """By any of the patterns."""
    assert is_chosen("document.created", ["comment.*", "document.*"])
    assert is_chosen("document.created", ["document.created"])
    assert is_chosen("document.created", ["*"])
    assert not is_chosen("document.created", ["document.updated", "comment.*"])
    assert not is_chosen("hold.placed", ["*"])
