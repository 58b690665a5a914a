"""`python -m tests.permissions.document [--check]`: the permission table as a page of the handbook."""

from __future__ import annotations

import pathlib
import sys

from tests.permissions.table import ACTORS, TABLE

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "permissions.md"
INTRODUCTION = """# Who may call what

Every route, with the scope that an access token needs and the status that each kind of caller gets. The table
is made from the one that the tests execute against every route, so it cannot be out of date; a route without
a row fails the build.

- **anonymous**: nobody signed in. **outsider**: signed in, a member of the platform, with no grant here.
- **viewer** to **owner**: people with that role in the workspace.
- **administrator**: holds every platform permission and no right on other people's documents.
- 401 asks to sign in, 403 says that the role is too weak, 404 stands for what is absent and what is hidden.

In the column *level*: **public** routes need nothing, **authenticated** ones a sign-in, **role-based** ones a
role in a workspace or on a document, **permission-based** ones a named platform permission.

With a personal access token of the row's *scope* each caller gets the same status as with a session. A token
without that scope gets 403 `missing_scope`, which names it, and so does every token where the scope is `-`
and the level is not public. The tests call every row with tokens of exactly its scope and of all others.
"""


def page() -> str:
    """The page's text."""
    columns = ["route", "level", "scope", *ACTORS]
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join("---" for _ in columns) + " |"]
    for row in TABLE:
        cells = [
            f"`{row.name}`",
            row.level.value,
            " and ".join(f"`{scope}`" for scope in (row.scope, row.too) if scope) or "-",
            *map(str, row.answers),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return INTRODUCTION + "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text() == page() else f"{PAGE} is out of date")
    PAGE.write_text(page())
