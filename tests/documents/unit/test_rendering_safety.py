"""Markdown to HTML: whatever stands in the text, nothing of it runs in the page that shows it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.rendering import render
from documents.rendering.html import _clean
from tests.documents.markup import Page

ELEMENTS = {
    *(
        "a",
        "blockquote",
        "br",
        "code",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "img",
        "input",
        "label",
    ),
    *("li", "ol", "p", "pre", "s", "section", "span", "strong", "sup", "table", "tbody", "td", "th", "thead"),
    *("tr", "ul"),
}
ATTRIBUTES = {
    "a": {"href", "title", "id", "class", "rel", "aria-label"},
    "code": {"class"},
    **{f"h{level}": {"id"} for level in range(1, 7)},
    "hr": {"class"},
    "img": {"src", "alt", "title"},
    "input": {"class", "checked", "disabled", "type"},
    "li": {"id", "class"},
    "ol": {"start", "class"},
    "pre": {"class", "tabindex"},
    "section": {"class", "aria-label"},
    "span": {"class"},
    "sup": {"class"},
    "td": {"class"},
    "th": {"class"},
    "ul": {"class"},
}
# As browsers read the beginning of an address: without control characters and white space in it.
_IGNORED = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029\ufeff]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)

ADDRESSES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "&#106;avascript:alert(1)",
    "&#x6A;avascript&colon;alert(1)",
    "javascript&#58;alert(1)",
    "java&#10;script:alert(1)",
    "java&Tab;script:alert(1)",
    "&#1;javascript:alert(1)",
    "javascript\\:alert(1)",
    "java%0ascript:alert(1)",
    "%6Aavascript:alert(1)",
    "\u2028javascript:alert(1)",
    "\ufeffjavascript:alert(1)",
    "\u00a0javascript:alert(1)",
    "java\u200bscript:alert(1)",
    "\uff4aavascript:alert(1)",
    "vbscript:msgbox(1)",
    "livescript:x",
    "mocha:x",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+",
    "data:image/png;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+",
    "DATA:text/html,<script>alert(1)</script>",
    "blob:https://example.org/1",
    "filesystem:https://example.org/x",
    "file:///etc/passwd",
    "feed:javascript:alert(1)",
    "view-source:javascript:alert(1)",
    "jar:https://example.org!/x",
    "intent://x#Intent;end",
    "cs:javascript:alert(1)",
    "https:javascript:alert(1)",
]
FORMS = [
    "[x]({})",
    "[x](<{}>)",
    "![x]({})",
    "![x](<{}>)",
    "<{}>",
    "[x]\n\n[x]: {}",
    "[x]\n\n[x]: <{}>",
    "![x]\n\n[x]: <{}>",
    "[![x]({})](/y)",
    "^[n [x]({})]",
    "- [ ] [x]({})",
    "| [x]({}) |\n|---|",
    "# [x]({})",
    "{}",
]
TEXTS = [
    "<script>alert(1)</script>",
    "<ScRiPt\n>alert(1)</sCrIpT >",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><use href=data:x></svg>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<form><math><mtext></form><form><mglyph><svg><style><path id="</style><img onerror=alert(1) src>">',
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)><embed src=x>",
    "<base href=https://example.org/><meta http-equiv=refresh content=0>",
    "<a href=javascript:alert(1)>x</a>",
    "<div style=background:url(javascript:alert(1))>",
    '<xmp><p title="</xmp><svg/onload=alert(1)>"></xmp>',
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml <img src=x onerror=alert(1)>?>",
    "</pre></code></p><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    '[x](https://e.org "onmouseover=alert(1)")',
    "[x](https://e.org '\"><script>alert(1)</script>')",
    '[x](https://e.org/"onclick="alert(1))',
    '![" onerror="alert(1)](/x)',
    "![x](/x '\" onerror=\"alert(1)')",
    '<https://e.org/"onclick=x>',
    '```"><script>alert(1)</script>\n```',
    '```python" onload="alert(1)\n```',
    "```html\n<script>alert(1)</script>\n```",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "```php\n<?php echo '</span><img src=x onerror=alert(1)>';\n```",
    "    </code></pre><script>alert(1)</script>",
    "`</code><script>alert(1)</script>`",
    "[^1]\n\n[^1]: <svg onload=alert(1)>",
    '[^"><script>]\n\n[^"><script>]: x',
    "| <iframe src=//e.org> |\n|---|\n| x |",
    "# <img src=x onerror=alert(1)>",
    '# " onmouseover="alert(1)',
    "- [x] <img src=x onerror=alert(1)>",
    "- [ ] </label><script>alert(1)</script>",
    "<label onclick=alert(1)>x</label>",
    '<input type="image" src=x onerror=alert(1)>',
    '<span class="k" onclick=alert(1)>x</span>',
    "\u202e<script>alert(1)</script>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<img/src=x/onerror=alert(1)>",
    "<img src=`x`onerror=alert(1)>",
    "<a\x0chref=javascript:alert(1)>x</a>",
]


def harmless(html: str) -> None:
    """Fail where an element, an attribute or an address could do more than be read."""
    page = Page(html)
    assert page.elements <= ELEMENTS
    assert page.open == page.misplaced == []
    for tag, name, value in page.attributes:
        assert name in ATTRIBUTES.get(tag, set()), (tag, name)
        assert (tag, name) != ("input", "type") or value == "checkbox"
        if name in {"href", "src"}:
            scheme = _SCHEME.match(_IGNORED.sub("", value))
            known = {"https"} if name == "src" else {"cs", "http", "https", "mailto"}
            assert scheme is None or scheme[1].lower() in known, value
    # What a browser makes of it and writes down again is the same: nothing lies in wait for a second reading.
    assert _clean(html) == html


@pytest.mark.parametrize("text", TEXTS)
def test_render_lets_nothing_run(text: str) -> None:
    """No element and no attribute that a browser would run comes out, whatever stands there as text."""
    harmless(render(text).html)


@pytest.mark.parametrize("form", FORMS)
def test_render_lets_no_address_run(form: str) -> None:
    """No address of another scheme, however it is spelt and wherever it stands."""
    for address in ADDRESSES:
        harmless(render(form.replace("{}", address)).html)


_PIECES = st.sampled_from(
    [
        *("<", ">", '"', "'", "`", "```", "[", "](", ")", "!", "*", "_", "~~", "|", "\n", "\n\n", "    "),
        *(
            "- [ ] ",
            "# ",
            "> ",
            "&",
            "&lt;",
            "&#106;",
            "javascript:",
            "<script>",
            "</pre>",
            "<img onerror=x>",
        ),
        *("html", "[^1]", "[^1]: ", "\\", "x"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES, max_size=30))
def test_render_lets_nothing_run_whatever_is_put_together(pieces: list[str]) -> None:
    """Pieces of Markdown and of attacks in any order."""
    harmless(render("".join(pieces)).html)
