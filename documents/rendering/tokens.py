"""What becomes of the parser's tokens before they are HTML: anchors, addresses, pictures, tasks, alignment.

Each pass goes over the tokens once: whatever the text, its cost grows with the length alone.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from documents.addresses import short_id
from documents.references import document_linked

# Longer ones are cut: an anchor is part of an address.
ANCHOR_LENGTH = 200
_ALIGNMENT = re.compile(r"text-align:(left|center|right)")
# Footnotes have these.
_RESERVED = re.compile(r"fn(?:ref)?[0-9]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# Below a document's route are answers of their own, which are no document.
_BELOW_ROUTE = re.compile(r"/api/v1/documents/[^/?#]*/[^?#]")
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_BOX = '<input class="task-list-item-checkbox" {}disabled="disabled" type="checkbox">'
_LISTS = {"bullet_list_open", "ordered_list_open"}
_LISTS_END = {"bullet_list_close", "ordered_list_close"}


def name_headings(tokens: Sequence[Token]) -> Iterator[dict[str, str | int]]:
    """Give each heading an anchor of its words, as code forges do; the second of a name is `name-1`.

    Gives level, title and anchor of each.
    """
    counts: Counter[str] = Counter()
    taken: set[str] = set()
    for opening, inline in itertools.pairwise(tokens):
        if opening.type != "heading_open":
            continue
        title = _text_of(inline.children or ()).strip()
        anchor = _free_anchor(_words_of(title), counts, taken)
        opening.attrSet("id", anchor)
        yield {"level": int(opening.tag[1]), "title": title, "anchor": anchor}


def _free_anchor(words: str, counts: Counter[str], taken: set[str]) -> str:
    anchor = f"{words}-{counts[words]}" if counts[words] else words
    # A heading may be called "name-1" itself.
    while anchor in taken or _RESERVED.fullmatch(anchor):
        counts[words] += 1
        anchor = f"{words}-{counts[words]}"
    counts[words] += 1
    taken.add(anchor)
    return anchor


def _words_of(title: str) -> str:
    # Vowel signs of many scripts are marks, and no word is one without them.
    kept = (
        "-" if letter.isspace() else letter
        for letter in title.lower()
        if letter.isalnum() or letter in "-_" or letter.isspace() or unicodedata.category(letter)[0] == "M"
    )
    return "".join(itertools.islice(kept, ANCHOR_LENGTH)) or "section"


def _text_of(children: Sequence[Token]) -> str:
    parts = []
    for part in children:
        if part.type in {"text", "code_inline"}:
            parts.append(part.content)
        elif part.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
        elif part.type == "image":
            parts.append(_text_of(part.children or ()))
    return "".join(parts)


def align_by_class(tokens: Sequence[Token]) -> None:
    """Cells by classes: inline styles break a strict content policy."""
    for token in tokens:
        style = _ALIGNMENT.fullmatch(str(token.attrs.get("style", "")))
        if style:
            del token.attrs["style"]
            token.attrSet("class", f"align-{style[1]}")


def settle_addresses(tokens: Sequence[Token]) -> None:
    """Links to documents lead to their pages, pictures are shown from here or by HTTPS alone."""
    for token in tokens:
        if token.type == "inline" and token.children:
            token.children = list(_settled(token.children))


def _settled(children: Sequence[Token]) -> Iterator[Token]:
    links = 0
    for token in children:
        links += token.type == "link_open"
        links -= token.type == "link_close"
        if token.type == "link_open":
            target = str(token.attrs.get("href", ""))
            token.attrs["href"] = page_address(target) or target
        if token.type == "image" and not _is_shown(str(token.attrs.get("src", ""))):
            yield from _in_words(token, linked=links > 0)
        else:
            yield token


def page_address(target: str) -> str | None:
    """The address of the document that a link's target means, `/d/{short id}`; None for other targets.

    Neither the document nor its title is asked for, so the address is the same for all readers and tells
    nothing that the target doesn't.
    """
    uid = None if _BELOW_ROUTE.search(target) else document_linked(target, "")
    if uid is None:
        return None
    _, mark, anchor = target.partition("#")
    return f"/d/{short_id(uid)}{mark}{anchor}"


def _is_shown(source: str) -> bool:
    scheme = _SCHEME.match(source)
    return scheme is None or scheme[1].lower() == "https"


def _in_words(picture: Token, *, linked: bool) -> Iterator[Token]:
    """A picture that isn't shown as its text, which leads to where it is if that may be opened."""
    source = str(picture.attrs.get("src", ""))
    text = Token("text", "", 0, content=_text_of(picture.children or ()) or source)
    if linked or not source.lower().startswith(("http:", "cs:")):
        yield text
        return
    yield Token("link_open", "a", 1, attrs={"href": page_address(source) or source})
    yield text
    yield Token("link_close", "a", -1)


def mark_tasks(tokens: Sequence[Token]) -> None:
    """List items that begin with `[ ]` or `[x]` get a box, with the words as its label."""
    lists: list[Token] = []
    for index, token in enumerate(tokens):
        if token.type in _LISTS:
            lists.append(token)
        elif token.type in _LISTS_END:
            lists.pop()
        elif token.type == "inline" and _begins_item(tokens, index) and _make_task(token):
            tokens[index - 2].attrSet("class", "task-list-item")
            lists[-1].attrSet("class", "contains-task-list")


def _begins_item(tokens: Sequence[Token], index: int) -> bool:
    before = [token.type for token in tokens[max(0, index - 2) : index]]
    return before == ["list_item_open", "paragraph_open"]


def _make_task(token: Token) -> bool:
    children = token.children or []
    mark = _TASK.match(children[0].content) if children and children[0].type == "text" else None
    if mark is None:
        return False
    children[0].content = " " + children[0].content[mark.end() :]
    box = _BOX.format("" if mark[1] == " " else 'checked="checked" ')
    token.children = [_raw(f"<label>{box}"), *children, _raw("</label>")]
    return True


def _raw(html: str) -> Token:
    return Token("html_inline", "", 0, content=html)
