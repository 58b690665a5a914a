"""`manage.py seed_demo`: a world of made-up people and documents, to try things out and to measure on."""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import json
import secrets
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection
from psycopg import sql

from accounts.services.demo import demo_people_add, demo_teams_add
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import OperatorCommand, UsageError
from documents.demo.layout import (
    FEW,
    LARGE_FROM,
    MANY,
    SUBTREE,
    SUBTREE_OWNER,
    LargeLayout,
    Layout,
    Node,
    SmallLayout,
)
from documents.demo.names import COMMON, OWNER_ADDRESS, PHRASE, RARE, address, person_name
from documents.demo.prose import Prose, Written, vocabulary
from documents.models import Document
from documents.roles import Role
from documents.services.counting import scope_counts_refresh
from documents.services.demo import (
    Cast,
    Member,
    demo_documents_add,
    demo_rooms_add,
    lexemes_of,
    numbers_missing,
    word_index_aside,
)
from documents.services.indexing import lexemes_refresh

_BATCH, _LEAST_BATCH = 5_000, 200
_LEAST_PEOPLE = 10
# What the plans of the first requests hang on.
_ANALYSED = ("accounts", "documents")


class Command(OperatorCommand):
    """Adds what is missing to the world of the given numbers; can be stopped and run again at any time."""

    help = (
        "Fill the installation up to N documents, those that are there counted, and M people, "
        f"demo1@example.org and so on. Below {LARGE_FROM:,} documents the world is flat, of 3 KB a document, "
        "each shown to four people; from there on it has trees, teams, cuts, drafts and histories. The same "
        "numbers make the same world on an empty installation; larger ones add to it. The last line of the "
        "standard output is a JSON object that says by whom to sign in and what to search for."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """How large, and by which password everybody signs in."""
        parser.add_argument("--documents", type=int, default=1_000, help="N, documents in all (default 1000)")
        parser.add_argument("--users", type=int, default=50, help="M, people in all (default 50)")
        parser.add_argument("--password", help="of all of them; else one is generated")
        parser.add_argument("--dry-run", action="store_true", help="only say how much would be added")

    def run(self, actor: Actor, **options: Any) -> None:
        """People, workspaces, documents in batches of one transaction each, then what plans are chosen by."""
        wanted, users = options["documents"], options["users"]
        layout = self._layout(wanted, users)
        there = Document.objects.count()
        if options["dry_run"]:
            self.stdout.write(f"{max(0, wanted - there)} documents would be added.")
            return
        password = options["password"] or secrets.token_urlsafe(15)
        try:
            validate_password(password)
        except ValidationError as error:
            raise UsageError(" ".join(error.messages)) from error
        cast = _cast(actor, layout, password)
        added = self._documents(actor, layout, cast, wanted - there) if wanted > there else 0
        if added:
            scope_counts_refresh(actor=actor)
            lexemes_refresh(actor=actor, force=True)
            self._analyse()
        self.stdout.write(json.dumps(_summary(layout, there + added, password)))

    @staticmethod
    def _layout(wanted: int, users: int) -> Layout:
        if wanted < 0 or users < 1:
            raise UsageError("--documents must be 0 or more, --users 1 or more.")
        if wanted < LARGE_FROM:
            return SmallLayout(users)
        if users < _LEAST_PEOPLE:
            raise UsageError(f"From {LARGE_FROM} documents on, --users must be {_LEAST_PEOPLE} or more.")
        return LargeLayout(users)

    def _documents(self, actor: Actor, layout: Layout, cast: Cast, missing: int) -> int:
        bar, added = self.progress(missing, "Seeding"), 0
        with (
            word_index_aside(missing),
            contextlib.closing(_drawn(layout, min(_BATCH, missing + _LEAST_BATCH))) as batches,
            _without_collector(),
        ):
            for documents in batches:
                added += demo_documents_add(
                    actor=actor, layout=layout, cast=cast, documents=documents, most=missing - added
                )
                bar.update(added)
                if added >= missing:
                    break
        return added

    def _analyse(self) -> None:
        """Let the planner know at once; it would find out by itself some minutes later."""
        if connection.in_atomic_block:
            return
        tables = [table for table in connection.introspection.table_names() if table.startswith(_ANALYSED)]
        with connection.cursor() as cursor:
            for table in tables:
                statement = sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table))
                cursor.execute(statement)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Documents hold no circles, and looking for some in millions of words takes a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _drawn(layout: Layout, size: int) -> Generator[list[tuple[Node, Written]]]:
    """The documents that are not there in batches without end, each drawn while the one before is written."""
    prose = Prose(lexemes_of(vocabulary()))

    def draw(numbers: list[int]) -> list[tuple[Node, Written]]:
        return [(node, prose.document(node)) for node in map(layout.node, numbers)]

    with ThreadPoolExecutor(1) as thread:
        drawn = None
        for first in itertools.count(1, size):
            missing = numbers_missing(layout, range(first, first + size))
            batch, drawn = drawn, thread.submit(draw, missing) if missing else drawn
            if batch is not None and missing:
                yield batch.result()


def _cast(actor: Actor, layout: Layout, password: str) -> Cast:
    """The people, teams and workspaces, made where they are missing."""
    names = {address(number): person_name(number) for number in range(1, layout.people + 1)}
    *people, owner = demo_people_add(
        actor=actor, people={**names, OWNER_ADDRESS: "Owner of all"}, password=password
    )
    teams = {layout.team_uid(number): f"Team {number}" for number in range(1, layout.teams + 1)}
    groups = demo_teams_add(
        actor=actor,
        teams=teams,
        members={
            uid: [people[person - 1] for person in layout.team_members(number)]
            for number, uid in enumerate(teams, 1)
        },
    )
    members = [
        Member(seat.room, seat.role, user=people[seat.person - 1])
        if seat.person
        else Member(seat.room, seat.role, group=groups[seat.team - 1])
        for seat in layout.seats()
    ]
    members += [Member(room, Role.OWNER, user=owner) for room in range(layout.rooms)]
    return Cast(people, groups, demo_rooms_add(actor=actor, layout=layout, members=members))


def _summary(layout: Layout, documents: int, password: str) -> dict[str, Any]:
    return {
        "documents": documents,
        "users": layout.people,
        "password": password,
        "email": "demo{n}@example.org",
        "few": address(FEW),
        "many": address(min(MANY, layout.people)),
        "owner_of_all": OWNER_ADDRESS,
        "rare": RARE,
        "common": COMMON,
        "phrase": PHRASE,
        "subtree": {
            "owner": address(SUBTREE_OWNER),
            "document": str(layout.uid(1)),
            "leaf": str(layout.uid(SUBTREE)),
        }
        if layout.large
        else None,
    }
