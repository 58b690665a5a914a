"""What everybody reads in a play, held against the oracle."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import uuid
from collections.abc import Iterator
from typing import Any

from accounts.models import User
from accounts.selectors import database_now
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import DomainError
from documents.models import Document, Workspace
from documents.search.finding import SearchFilters, documents_find, titles_suggest
from documents.selectors.access import access_page, readers_of
from documents.selectors.derived import circles_in, differences_in
from documents.selectors.listing import documents_page
from documents.selectors.reading import document_read
from documents.selectors.trees import workspace_tree
from documents.visibility import visible_to
from tests.accounts.factories import token_make
from tests.documents.oracle import RANKS, Oracle
from tests.documents.play import Play
from tests.documents.world import World
from tests.fixtures import ApiClient


class Comparison:
    """Everything that everybody reads at one moment."""

    def __init__(self, play: Play, chance: random.Random) -> None:
        # Before or after some grants end.
        self.shift = dt.timedelta(hours=chance.choice([0, 0, 2, 4]))
        self.play, self.now = play, database_now() + self.shift
        self.oracle = Oracle(self.now)
        self.keys = {row.uid: pk for pk, row in self.oracle.documents.items()}
        self.actors = [self._actor(person) for person in play.people]

    def _actor(self, person: User) -> Actor:
        return dataclasses.replace(self.play.actor(person), now=self.now)

    def everybody(self) -> None:
        """What each sees, lists, counts and finds, and both their trees; readers as they are told of news."""
        rows = list(self.oracle.documents.values())
        seen = readers_of(rows, [person.pk for person in self.play.people], self.now)
        for actor in self.actors:
            person = _pk(actor)
            visible, listed = self.oracle.visible(person), self.oracle.listed(person)
            assert seen.get(person, set()) == visible
            assert set(visible_to(Document.objects.all(), actor).values_list("pk", flat=True)) == visible
            self._listed(actor, listed)
            self._found(actor, listed)
            for room in self.play.rooms:
                self._tree(actor, room)
        for room in self.play.rooms:
            assert differences_in(room.pk) == []
            assert circles_in(room.pk) == []

    def opened(self, documents: list[int]) -> None:
        """What each gets of these documents one by one."""
        for actor in self.actors:
            for pk in documents:
                found = _status(actor, self.oracle.documents[pk].uid)
                assert found == self.oracle.status(_pk(actor), pk)

    def access(self, documents: list[int]) -> None:
        """Who has a right on these documents; what is in the trash tells nobody."""
        for document in (self.oracle.documents[pk] for pk in documents):
            if document.trashed_at is None:
                rows, _ = access_page(self.actors[0], document, size=100, cursor=None)
                found = {row.uid: row.role.value for row in rows if row.type != "team"}
                assert found == self.oracle.access(document.pk)

    def in_pages(self, actor: Actor, room: Workspace) -> None:
        """Each node once; where a hidden document stands between two, pages may show them apart."""
        whole = map(_uid, _flat(workspace_tree(actor, room.pk).nodes))
        assert sorted(map(_uid, _flat(list(_tree_in_pages(actor, room))))) == sorted(whole)

    def _listed(self, actor: Actor, expected: set[int]) -> None:
        listed = [self.keys[uid] for uid in _listed(actor)]
        assert (len(listed), set(listed)) == (len(expected), expected)

    def _found(self, actor: Actor, expected: set[int]) -> None:
        found = documents_find(
            actor=actor, text="page play", filters=SearchFilters(), sort="relevance", size=100
        )
        assert (found.total, found.exact) == (len(expected), True)
        assert {self.keys[_uid(hit.document)] for hit in found.page.rows} == expected
        suggested = titles_suggest(actor=actor, text="pag", size=100)
        assert {self.keys[_uid(row)] for row in suggested} == expected

    def _tree(self, actor: Actor, room: Workspace) -> None:
        shown = {self.keys[_uid(node)] for node in _flat(workspace_tree(actor, room.pk).nodes)}
        assert shown == self.tree(_pk(actor), room)

    def tree(self, person: int, room: Workspace) -> set[int]:
        """What somebody is to see in a workspace's tree."""
        inside = [pk for pk, row in self.oracle.documents.items() if row.workspace_id == room.pk]
        return {pk for pk in inside if self.oracle.in_tree(person, pk)}


def compare(play: Play, chance: random.Random, sample: int | None = None) -> None:
    """Hold everything that everybody reads against the oracle.

    `sample` is how many documents are opened one by one, None for all of them.
    """
    at = Comparison(play, chance)
    everything = sorted(at.oracle.documents)
    some = everything if sample is None else chance.sample(everything, min(sample, len(everything)))
    at.everybody()
    at.opened(some)
    at.access(some)
    for actor in at.actors:
        for room in play.rooms:
            at.in_pages(actor, room)


class Watch:
    """A comparison that can be made after each of a hundred thousand operations.

    Whatever names all that somebody sees is asked for everybody; of what is asked document by document, of
    pages and of requests, which say the same once more, one is drawn each time.
    """

    def __init__(self, play: Play) -> None:
        self.play = play
        # Sessions want to be renewed every ten minutes.
        self._clients = [ApiClient(token_make(person)) for person in play.people]

    def compare(self, chance: random.Random) -> None:
        """Hold it against the oracle."""
        at = Comparison(self.play, chance)
        at.everybody()
        at.in_pages(chance.choice(at.actors), chance.choice(self.play.rooms))
        if not at.oracle.documents:
            return
        drawn = chance.choice(list(at.oracle.documents))
        at.opened([drawn])
        at.access([drawn])
        # A request is judged by the clock.
        if not at.shift:
            number = chance.randrange(len(self._clients))
            _request(at, self._clients[number], _pk(at.actors[number]), drawn, chance)


def _request(at: Comparison, client: ApiClient, person: int, document: int, chance: random.Random) -> None:
    """One of the routes, as the person is answered over HTTP."""
    oracle, row, room = at.oracle, at.oracle.documents[document], chance.choice(at.play.rooms)
    route = chance.choice(["detail", "list", "search", "tree", "access"])
    if route == "detail":
        assert client.get(f"documents/{row.uid}/").status_code == oracle.status(person, document)
    elif route == "list":
        rows = World.ok(client.get("documents/?page_size=200"))["results"]
        assert sorted(at.keys[_uid(row)] for row in rows) == sorted(oracle.listed(person))
    elif route == "search":
        found = World.ok(client.get("search/?q=page+play&page_size=100"))
        assert found["total"] == len(oracle.listed(person))
        assert {at.keys[_uid(hit["document"])] for hit in found["results"]} == oracle.listed(person)
    elif route == "tree":
        _request_tree(at, client, person, room)
    else:
        _request_access(oracle, client, person, document)


def _request_tree(at: Comparison, client: ApiClient, person: int, room: Workspace) -> None:
    """404 to who is no member: what was granted to them stands in other lists."""
    answer = client.get(f"workspaces/{room.uid}/tree/")
    if answer.status_code == 200:
        shown = {at.keys[_uid(node)] for node in _flat(answer.json())}
        assert shown == at.tree(person, room)
    assert answer.status_code == (200 if at.oracle.is_member(person, room.pk) else 404)


def _request_access(oracle: Oracle, client: ApiClient, person: int, document: int) -> None:
    """Of managers alone."""
    answer = client.get(f"documents/{oracle.documents[document].uid}/access/?page_size=200")
    seen = oracle.status(person, document)
    if seen == 200 and oracle.rank(person, document) >= RANKS["manage"]:
        rows = World.ok(answer)["results"]
        found = {uuid.UUID(row["id"]): row["role"] for row in rows if row["type"] != "team"}
        assert found == oracle.access(document)
    else:
        assert answer.status_code == (403 if seen == 200 else seen)


def _pk(actor: Actor) -> int:
    assert actor.pk is not None
    return actor.pk


def _listed(actor: Actor) -> Iterator[Any]:
    cursor, more = None, True
    while more:
        listing = documents_page(actor, size=20, cursor=cursor)
        yield from map(_uid, listing.results)
        cursor = listing.page.next
        more = cursor is not None


def _uid(answer: Any) -> Any:
    uid = answer["id"]
    return uuid.UUID(str(uid))


def _tree_in_pages(actor: Actor, room: Workspace) -> Iterator[dict[str, Any]]:
    tree = workspace_tree(actor, room.pk, size=3)
    yield from tree.nodes
    while tree.next is not None:
        tree = workspace_tree(actor, room.pk, size=3, cursor=tree.next)
        yield from tree.nodes


def _flat(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        yield node
        yield from _flat(node["children"])


def _status(actor: Actor, uid: Any) -> int:
    try:
        document_read(actor, uid)
    except DomainError as refusal:
        return refusal.status
    return 200
