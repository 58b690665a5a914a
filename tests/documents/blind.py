"""A client that resolves conflicts by what a 409 says and nothing else."""

from __future__ import annotations

import random
from typing import Any

from tests.documents.editing import Page

SIDES = ("base", "yours", "current")


def resolved(problem: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The fields of a document with a side chosen at random in each conflict of a 409."""
    fields = dict(problem["merged"])
    lines = fields["content"].split("\n")
    ends = [line + "\n" for line in lines[:-1]] + [lines[-1]]
    for conflict in reversed(problem["conflicts"]):
        chosen = conflict[chance.choice(SIDES)]
        if conflict["merged_line"] is None:
            fields[conflict["field"]] = chosen
        else:
            start = conflict["merged_line"] - 1
            ends[start : start + conflict["lines"]] = [chosen]
    return {**fields, "content": "".join(ends)}


def insist(page: Page, content: str, chance: random.Random, **changes: Any) -> tuple[Any, int]:
    """PATCH, and after each 409 a resolved text with the ETag of its `current`: last answer, number of 409.

    Nothing is read but the answers to its own writes.
    """
    answer = page.edit(content=content, **changes)
    refused = 0
    while answer.status_code == 409 and refused < 5:
        refused += 1
        problem = answer.json()
        answer = page.edit(etag=problem["current"]["etag"], **resolved(problem, chance))
    return answer, refused
