"""What tests of documents share: a workspace with people of every role, made over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.fixtures import ApiClient

ABSENT = "01900000-0000-7000-8000-000000000000"
# What the server has prepared is logged without its text.
PREPARED = "(prepared)"
# Transaction control, and what a timer reads in service: without timers it falls upon whichever request comes
# next.
_CONTROL = re.compile(
    r"^(SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|SET )|security_(ratelimitpolicy|iprule|readonly)"
)


class World:
    """One workspace and whoever is in it; `owner` made it."""

    def __init__(self, client_for: Callable[..., ApiClient]) -> None:
        self.client_for = client_for
        self.owner = client_for()
        self.workspace: str = self.ok(self.owner.post("workspaces/", {"name": "World"}), 201)["id"]

    @staticmethod
    def ok(answer: Any, status: int = 200) -> Any:
        """The body of an answer that must have this status."""
        assert answer.status_code == status, (answer.status_code, answer.content)
        return answer.json() if answer.content else None

    def member(self, role: str) -> ApiClient:
        """A new person with this role in the workspace."""
        person = self.client_for()
        self.ok(self.add(person, role), 201)
        return person

    def add(self, person: ApiClient, role: str, by: ApiClient | None = None, **more: Any) -> Any:
        """The answer to adding a person."""
        body = {"user": uid_of(person), "role": role, **more}
        return (by or self.owner).post(f"workspaces/{self.workspace}/members/", body)

    def document(self, title: str = "Page", by: ApiClient | None = None, **fields: Any) -> str:
        """The id of a new document."""
        body = {"workspace": self.workspace, "title": title, **fields}
        created: str = self.ok((by or self.owner).post("documents/", body), 201)["id"]
        return created

    def grant(
        self, document: str, person: ApiClient, role: str, by: ApiClient | None = None
    ) -> dict[str, Any]:
        """A grant on a document."""
        body = {"user": uid_of(person), "role": role}
        granted: dict[str, Any] = self.ok((by or self.owner).post(f"documents/{document}/grants/", body), 201)
        return granted

    def act(self, document: str, what: str, by: ApiClient | None = None, **body: Any) -> Any:
        """The answer to one of the actions of a document."""
        return (by or self.owner).post(f"documents/{document}/{what}/", body)

    def titles(self, by: ApiClient, query: str = "") -> list[str]:
        """What somebody finds in the list."""
        return [row["title"] for row in self.ok(by.get(f"documents/{query}"))["results"]]


def uid_of(person: ApiClient) -> str:
    """A person's id."""
    assert person.user is not None
    return str(person.user.uid)


@contextmanager
def statements(most: int) -> Iterator[None]:
    """At most so many statements, transaction control apart; the failure lists them."""
    with CaptureQueriesContext(connection) as captured:
        yield
    found = [query["sql"] for query in captured.captured_queries if not _CONTROL.search(query["sql"] or "")]
    assert len(found) <= most, "\n".join(
        f"{number} {(sql or PREPARED)[:150]}" for number, sql in enumerate(found, 1)
    )
