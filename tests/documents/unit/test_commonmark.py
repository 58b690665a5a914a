"""Our rendering against the examples of CommonMark's specification."""

from __future__ import annotations

import re
from collections import Counter

from markdown_it import MarkdownIt

from documents.rendering import render
from tests.commonmark import Example, examples
from tests.documents.markup import Event, Page

# Addresses of other schemes lose them in the cleaner.
KEPT = {"cs", "http", "https", "mailto"}
_SCHEME = re.compile(r'href="([A-Za-z][A-Za-z0-9+.-]*):')


def reason_to_leave_out(example: Example) -> str:
    """Why an example says nothing about us; empty for one that we must pass."""
    # Raw HTML is shown as text here.
    read, shown = (
        MarkdownIt("commonmark", {"html": html}).render(example.markdown) for html in (True, False)
    )
    if read != shown:
        return "raw HTML"
    schemes = {scheme.lower() for scheme in _SCHEME.findall(example.html)}
    return "address of another scheme" if schemes - KEPT else ""


def told(html: str) -> list[Event]:
    """What a page says, without what we add: anchors, `rel`, colours of code, and that it scrolls."""
    html = re.sub(r"</?span[^>]*>", "", html.replace('<pre class="highlight"', "<pre"))
    html = html.replace("<blockquote>\n</blockquote>", "<blockquote></blockquote>")
    events = []
    for name, attributes in Page(html).events:
        added = {"rel", "tabindex", "id"} if name.startswith("<h") else {"rel", "tabindex"}
        events.append((name, tuple(one for one in attributes if one[0] not in added)))
    return events


def test_render_passes_the_examples_of_commonmark() -> None:
    """All that raw HTML does not touch; what is left out is counted, reason by reason."""
    known = examples()
    reasons = {example.number: reason_to_leave_out(example) for example in known}
    assert Counter(reasons.values()) == {"": 576, "raw HTML": 72, "address of another scheme": 4}
    ours = {example.number: render(example.markdown).html for example in known if not reasons[example.number]}
    failed = [one for one in known if one.number in ours and told(ours[one.number]) != told(one.html)]
    assert [(one.number, one.markdown, ours[one.number]) for one in failed] == []
