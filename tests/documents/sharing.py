"""What tests of share links share: a link of a document, and whoever comes by it."""

from __future__ import annotations

from typing import Any

from tests.documents.world import World
from tests.fixtures import ApiClient

PASSWORD = "open, sesame"


def link_make(world: World, document: str, by: ApiClient | None = None, **fields: Any) -> dict[str, Any]:
    """A new link, as its maker sees it."""
    made: dict[str, Any] = World.ok((by or world.owner).post(f"documents/{document}/links/", fields), 201)
    return made


def shared(secret: str, path: str = "", client: ApiClient | None = None, **headers: str) -> Any:
    """The answer that a stranger gets."""
    return (client or ApiClient()).get(f"shared/{secret}/{path}", **headers)


def keys(answer: Any, of: str = "children") -> dict[str, str]:
    """The keys of what an answer leads on to, by title."""
    return {row["title"]: row["key"] for row in World.ok(answer)[of]}


def edited(world: World, content: str = "one\n\ntwo\n\nthree\n") -> tuple[str, str]:
    """A document and the secret of a link for editing it."""
    document = world.document(content=content)
    return document, link_make(world, document, role="editor")["secret"]
