"""What CloudScribe reads out of a Markdown text: title, headings, links, plain text. Pure: no Django."""

from documents.markdown.links import Link, LinkKind, TooComplex, links_of, rewrite_links
from documents.markdown.outline import headings_of, inline_text, title_of
from documents.markdown.plain import searchable_text, snippet_text, snippet_words

__all__ = [
    "Link",
    "LinkKind",
    "TooComplex",
    "headings_of",
    "inline_text",
    "links_of",
    "rewrite_links",
    "searchable_text",
    "snippet_text",
    "snippet_words",
    "title_of",
]
