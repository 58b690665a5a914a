"""HTML as a browser would read it, for tests that compare it or look for what could run."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input"}
# Elements with the attributes that they have, and text.
Event = tuple[str, tuple[tuple[str, str], ...]]


class Page(HTMLParser):
    """The elements, attributes and text of an HTML text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.events: list[Event] = []
        # What ends that never began, or never ends.
        self.open: list[str] = []
        self.misplaced: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.add(tag)
        known = [(name, value or "") for name, value in attrs]
        self.attributes += [(tag, name, value) for name, value in known]
        self.events.append((f"<{tag}>", tuple(sorted(known))))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """As HTML has it: without an end."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Note its end."""
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(tag)
        self.events.append((f"</{tag}>", ()))

    def handle_data(self, data: str) -> None:
        """Note text, pieces of one as one."""
        if self.events and not self.events[-1][0].startswith("<"):
            data = self.events.pop()[0].removeprefix("text ") + data
        self.events.append((f"text {data}", ()))

    def handle_comment(self, data: str) -> None:
        """None is expected."""
        self.misplaced.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        """None is expected."""
        self.misplaced.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        """None is expected."""
        self.misplaced.append(f"<?{data}>")

    def values(self, *names: str) -> list[str]:
        """The values of some attributes."""
        return [value for _, name, value in self.attributes if name in names]

    @property
    def text(self) -> str:
        """What stands between the elements."""
        return "".join(name.removeprefix("text ") for name, _ in self.events if name.startswith("text "))
