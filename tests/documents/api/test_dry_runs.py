"""`?dry_run=true` on moves, grants and cuts: what is foretold is what happens."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from audit.models import Event
from documents.models import AccessRequest, Document, DocumentUserPermission, Placement
from tests.documents.api.test_grants import team_of
from tests.documents.world import World, statements, uid_of
from tests.fixtures import ApiClient, client_make


@dataclasses.dataclass
class Stage:
    """A world of two branches with readers of their own; `people` are all whose rights are compared."""

    world: World
    plan: str
    below: str
    closed: str
    people: dict[str, ApiClient]

    def roles(self, document: str) -> dict[str, str]:
        """Everybody's role on a document, by the id of who has one."""
        rows = World.ok(self.world.owner.get(f"documents/{document}/access/?page_size=200"))["results"]
        return {row["id"]: row["role"] for row in rows if row["type"] != "team"}


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Stage:
    """`Plan`, with `Below` in it, and `Closed`, which is cut; grants to people and a team on either."""
    world = World(client_make)
    plan = world.document("Plan")
    below = world.document("Below", parent=plan)
    closed = world.document("Closed")
    people = {name: world.client_for() for name in ("both", "here", "there", "teammate")}
    people["member"] = world.member("commenter")
    World.ok(world.owner.patch(f"documents/{closed}/", {"inherits_access": False}))
    world.grant(plan, people["here"], "editor")
    world.grant(plan, people["both"], "editor")
    world.grant(closed, people["both"], "viewer")
    world.grant(closed, people["there"], "viewer")
    team = team_of(people["teammate"], world.owner)
    body = {"team": str(team.uid), "role": "commenter"}
    World.ok(world.owner.post(f"documents/{closed}/grants/", body), 201)
    return Stage(world, plan, below, closed, people)


@pytest.fixture
def stage(made: Stage, as_made: None) -> Stage:
    """It, as if no other test had been there."""
    return dataclasses.replace(made)


def differences(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """Whose role changed, from what to what."""
    return {
        uid: (before.get(uid), after.get(uid))
        for uid in before.keys() | after.keys()
        if before.get(uid) != after.get(uid)
    }


def foretold(answer: Any) -> dict[str, tuple[str | None, str | None]]:
    """The same, as a dry run tells it."""
    found = World.ok(answer)
    assert found["complete"] is True
    return {row["id"]: (row["before"], row["after"]) for row in [*found["gains"], *found["loses"]]}


def counts() -> tuple[int, ...]:
    """Rows of what a change would write."""
    return tuple(
        rows.objects.count() for rows in (Event, Document, DocumentUserPermission, Placement, AccessRequest)
    )


Change = Callable[[Stage, str], Any]


def _move(stage: Stage, query: str) -> Any:
    return stage.world.owner.post(f"documents/{stage.plan}/move/{query}", {"parent": stage.closed})


def _move_down(stage: Stage, query: str) -> Any:
    return stage.world.owner.post(f"documents/{stage.closed}/move/{query}", {"parent": stage.plan})


def _move_up(stage: Stage, query: str) -> Any:
    return stage.world.owner.post(f"documents/{stage.below}/move/{query}", {"parent": None})


def _cut(stage: Stage, query: str) -> Any:
    return stage.world.owner.patch(f"documents/{stage.plan}/{query}", {"inherits_access": False})


def _uncut(stage: Stage, query: str) -> Any:
    return stage.world.owner.patch(f"documents/{stage.closed}/{query}", {"inherits_access": True})


def _give(stage: Stage, query: str) -> Any:
    body = {"user": uid_of(stage.people["there"]), "role": "manager"}
    return stage.world.owner.post(f"documents/{stage.plan}/grants/{query}", body)


def _give_less(stage: Stage, query: str) -> Any:
    body = {"user": uid_of(stage.people["member"]), "role": "viewer"}
    return stage.world.owner.post(f"documents/{stage.plan}/grants/{query}", body)


def _grant_of(stage: Stage, document: str, person: str) -> str:
    uid = uid_of(stage.people[person])
    grant = DocumentUserPermission.objects.get(content_object__uid=document, user__uid=uid)
    return f"documents/{document}/grants/{grant.uid}/"


def _lower(stage: Stage, query: str) -> Any:
    path = _grant_of(stage, stage.plan, "here")
    return stage.world.owner.patch(path + query, {"role": "viewer"})


def _take(stage: Stage, query: str) -> Any:
    return stage.world.owner.delete(_grant_of(stage, stage.plan, "both") + query)


CHANGES = (_move, _move_down, _move_up, _cut, _uncut, _give, _give_less, _lower, _take)
TOUCHED = {_move_down: "closed", _uncut: "closed", _move_up: "below"}


@pytest.mark.parametrize("change", CHANGES)
def test_dry_run_foretells(stage: Stage, change: Change) -> None:
    """Nothing is written, and what is told then happens to exactly those people."""
    document = getattr(stage, TOUCHED.get(change, "plan"))
    before, rows = stage.roles(document), counts()
    told = foretold(change(stage, "?dry_run=true"))
    assert counts() == rows
    assert stage.roles(document) == before
    answer = change(stage, "")
    assert answer.status_code in {200, 201, 204}, answer.content
    assert told == differences(before, stage.roles(document))


def test_dry_run_sorts_gains_from_losses(stage: Stage) -> None:
    """Who rises gains, who falls loses; each with name and both roles."""
    found = World.ok(_move(stage, "?dry_run=true"))
    member, there, both = (stage.people[name] for name in ("member", "there", "both"))
    gains = {row["id"]: (row["before"], row["after"]) for row in found["gains"]}
    loses = {row["id"]: (row["before"], row["after"]) for row in found["loses"]}
    assert gains[uid_of(there)] == (None, "viewer")
    assert loses[uid_of(member)] == ("commenter", None)
    assert uid_of(both) not in {*gains, *loses}
    assert [row["name"] for row in found["gains"]] == sorted(row["name"] for row in found["gains"])


@pytest.mark.parametrize("change", CHANGES)
def test_dry_run_of_others_is_refused_as_the_change_is(stage: Stage, change: Change) -> None:
    """Who may not do it may not rehearse it, either."""
    owner = stage.world.owner
    for person in (stage.world.member("editor"), stage.world.client_for()):
        stage.world.owner = person
        try:
            refused, rehearsed = change(stage, ""), change(stage, "?dry_run=true")
        finally:
            stage.world.owner = owner
        assert refused.status_code in {403, 404}
        assert rehearsed.status_code == refused.status_code


def test_dry_run_with_bad_input(stage: Stage) -> None:
    """Refused as the change would be: cycles, grants that are there, ends that have passed."""
    owner = stage.world.owner
    path = f"documents/{stage.plan}/"
    into_itself = owner.post(f"{path}move/?dry_run=true", {"parent": stage.below})
    assert into_itself.json()["code"] == "move_into_itself"
    body = {"user": uid_of(stage.people["here"]), "role": "viewer"}
    assert owner.post(f"{path}grants/?dry_run=true", body).json()["code"] == "grant_exists"
    ended = {**body, "expires_at": "2020-01-01T00:00:00Z"}
    assert owner.post(f"{path}grants/?dry_run=true", ended).status_code == 400
    assert owner.patch(f"{path}?dry_run=true", {"title": "x"}).json()["errors"][0]["pointer"] == "?dry_run"
    mixed = {"inherits_access": False, "title": "x"}
    assert owner.patch(f"{path}?dry_run=true", mixed).status_code == 400
    assert owner.post(f"{path}move/?dry_run=maybe", {"parent": None}).status_code == 400
    assert owner.post(f"{path}trash/?dry_run=true").status_code == 400


def test_dry_run_of_giving_up_the_own_grant_tells_of_oneself(stage: Stage) -> None:
    """Whoever doesn't manage the document learns nothing of others."""
    here = stage.people["here"]
    found = World.ok(here.delete(_grant_of(stage, stage.plan, "here") + "?dry_run=true"))
    assert [(row["id"], row["after"]) for row in found["loses"]] == [(uid_of(here), None)]
    assert found["complete"] is False


def test_dry_run_names_no_readers_whom_the_actor_could_not_see_there(stage: Stage) -> None:
    """An editor of the place moves a document there and manages it no longer: of others nothing is told."""
    world, mover = stage.world, stage.world.client_for()
    source = world.document("Source")
    leaf = world.document("Leaf", parent=source)
    world.grant(source, mover, "manager")
    world.grant(stage.closed, mover, "editor")
    found = World.ok(mover.post(f"documents/{leaf}/move/?dry_run=true", {"parent": stage.closed}))
    assert (found["gains"], found["complete"]) == ([], False)
    assert [(row["id"], row["before"], row["after"]) for row in found["loses"]] == [
        (uid_of(mover), "manager", "editor")
    ]


def test_dry_run_of_a_draft_changes_nobodys_right(stage: Stage) -> None:
    """A draft is cut wherever it stands."""
    draft = stage.world.document("Draft", state="draft")
    for change in ({"inherits_access": False}, {"inherits_access": True}):
        found = World.ok(stage.world.owner.patch(f"documents/{draft}/?dry_run=true", change))
        assert (found["gains"], found["loses"]) == ([], [])
    found = World.ok(
        stage.world.owner.post(f"documents/{draft}/move/?dry_run=true", {"parent": stage.closed})
    )
    assert (found["gains"], found["loses"], found["complete"]) == ([], [], True)


def test_dry_run_asks_as_much_for_many(stage: Stage) -> None:
    """The number of statements hangs on nobody's number."""
    path = f"documents/{stage.plan}/"
    calls = (
        lambda: stage.world.owner.post(f"{path}move/?dry_run=true", {"parent": stage.closed}),
        lambda: stage.world.owner.patch(f"{path}?dry_run=true", {"inherits_access": False}),
    )
    for call in calls:
        call()
    for _ in range(5):
        stage.world.grant(stage.closed, stage.world.member("viewer"), "editor")
    for call in calls:
        call()
        with statements(11):
            World.ok(call())
