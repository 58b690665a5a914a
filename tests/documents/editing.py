"""What tests of editing share: a document in a workspace, opened by several people."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.fixtures import ApiClient

BODY = "one\n\ntwo\n\nthree\n"


@dataclasses.dataclass
class Page:
    """A document and who made it; `etag` is that of the first revision."""

    author: ApiClient
    workspace: str
    id: str
    etag: str
    client_for: Callable[..., ApiClient]

    @property
    def path(self) -> str:
        """Its address below /api/v1/."""
        return f"documents/{self.id}/"

    def member(self, role: str) -> ApiClient:
        """A new person with this role in the workspace."""
        person = self.client_for()
        assert person.user is not None
        body = {"user": str(person.user.uid), "role": role}
        answer = self.author.post(f"workspaces/{self.workspace}/members/", body)
        assert answer.status_code == 201, answer.content
        return person

    def edit(self, who: ApiClient | None = None, /, etag: str | None = None, **changes: Any) -> Any:
        """The answer to a PATCH from the first revision, or from the one that `etag` names."""
        return (who or self.author).patch(self.path, changes, If_Match=etag or self.etag)

    def now(self) -> dict[str, Any]:
        """The document as its author reads it."""
        found: dict[str, Any] = self.author.get(self.path).json()
        return found

    def revisions(self) -> list[dict[str, Any]]:
        """Its revisions, newest first."""
        found: list[dict[str, Any]] = self.author.get(f"{self.path}revisions/").json()["results"]
        return found


def page_make(client_for: Callable[..., ApiClient], **fields: Any) -> Page:
    """A document with BODY, unless `fields` say otherwise, in a workspace of a new person."""
    author = client_for()
    workspace = author.post("workspaces/", {"name": "Notes"}).json()["id"]
    answer = author.post("documents/", {"workspace": workspace, "title": "Page", "content": BODY, **fields})
    assert answer.status_code == 201, answer.content
    return Page(author, workspace, answer.json()["id"], answer.headers["ETag"], client_for)
