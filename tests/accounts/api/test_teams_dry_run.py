"""`?dry_run=true` on `teams/{id}/` and `teams/{id}/members/`: what a change would give and take."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Team
from accounts.roles import ADMINISTRATOR
from audit.models import Event
from documents.models import WorkspaceGroupPermission
from tests.accounts.factories import user_make
from tests.documents.world import World, statements, uid_of
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db
NOTHING = {"gains": [], "loses": [], "complete": True}


class Crew:
    """A team of a workspace's owner, who is granted things over HTTP."""

    def __init__(self) -> None:
        self.world = World(client_make)
        self.manager = self.world.owner
        self.id: str = World.ok(self.manager.post("teams/", {"name": "Crew"}), 201)["id"]
        self.path = f"teams/{self.id}/"

    def grant(self, path: str, role: str, by: ApiClient | None = None, **more: Any) -> None:
        """Give the team a role on `workspaces/{id}/members/` or `documents/{id}/grants/`."""
        World.ok((by or self.manager).post(path, {"team": self.id, "role": role, **more}), 201)

    def join(self, person: ApiClient, by: ApiClient | None = None, *, dry: bool = True) -> Any:
        """The answer to putting somebody in."""
        path = f"{self.path}members/" + ("?dry_run=true" if dry else "")
        return (by or self.manager).post(path, {"user": uid_of(person)})

    def leave(self, person: ApiClient, by: ApiClient | None = None) -> Any:
        """The answer to a dry run of taking somebody out."""
        return (by or self.manager).delete(f"{self.path}members/{uid_of(person)}/?dry_run=true")

    def room(self) -> str:
        """Another workspace of the manager's."""
        body = {"name": "Other room"}
        uid: str = World.ok(self.manager.post("workspaces/", body), 201)["id"]
        return uid


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Crew:
    """A team of all tests."""
    return Crew()


@pytest.fixture
def crew(made: Crew, as_made: None) -> Crew:
    """A team with one manager."""
    return made


def effect(person: ApiClient, type_: str, uid: str, name: str, role: str, otherwise: str | None) -> Any:
    """An entry of an answer."""
    return {
        "user": uid_of(person),
        "type": type_,
        "id": uid,
        "name": name,
        "role": role,
        "otherwise": otherwise,
    }


def test_join_would_give_what_the_person_lacks(crew: Crew) -> None:
    """Places where the own role is as strong are left out; nothing is changed or recorded."""
    person = crew.world.member("commenter")
    room, page, weak = crew.room(), crew.world.document("Page"), crew.world.document("Weak")
    crew.grant(f"workspaces/{room}/members/", "editor")
    crew.grant(f"documents/{page}/grants/", "editor")
    crew.grant(f"documents/{weak}/grants/", "viewer")
    before = Event.objects.count()
    answer = crew.join(person)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "gains": [
                effect(person, "workspace", room, "Other room", "editor", None),
                effect(person, "document", page, "Page", "editor", "commenter"),
            ],
            "loses": [],
            "complete": True,
        },
    )
    assert Event.objects.count() == before
    assert person.get(f"workspaces/{room}/").status_code == 404
    World.ok(crew.join(person, dry=False), 201)
    assert person.get(f"workspaces/{room}/").json()["role"] == "editor"


def test_leaving_would_take_what_nothing_else_gives(crew: Crew) -> None:
    """Another team and own grants count; a grant that has run out doesn't."""
    person = crew.world.member("viewer")
    room = crew.room()
    World.ok(crew.join(person, dry=False), 201)
    crew.grant(f"workspaces/{room}/members/", "manager")
    other = World.ok(crew.manager.post("teams/", {"name": "Second"}), 201)["id"]
    World.ok(crew.manager.post(f"teams/{other}/members/", {"user": uid_of(person)}), 201)
    body = {"team": other, "role": "commenter"}
    World.ok(crew.manager.post(f"workspaces/{room}/members/", body), 201)
    lost = effect(person, "workspace", room, "Other room", "manager", "commenter")
    assert crew.leave(person).json() == {"gains": [], "loses": [lost], "complete": True}
    assert crew.leave(person, by=person).json()["loses"] == [lost]
    assert person.get(f"workspaces/{room}/").json()["role"] == "manager"
    past = timezone.now() - dt.timedelta(days=1)
    WorkspaceGroupPermission.objects.filter(group__team__uid=crew.id).update(
        expires_at=past, origin="temporary"
    )
    assert crew.leave(person).json() == NOTHING


def test_cut_document_is_told_apart_from_its_workspace(crew: Crew) -> None:
    """A role on the workspace doesn't reach a draft; the team's grant on it does."""
    person = crew.world.member("editor")
    draft = crew.world.document("Draft", state="draft")
    crew.grant(f"documents/{draft}/grants/", "viewer")
    gains = crew.join(person).json()["gains"]
    assert gains == [effect(person, "document", draft, "Draft", "viewer", None)]


def test_places_that_the_reader_does_not_see_are_left_out(crew: Crew) -> None:
    """Whoever runs the platform learns nothing of workspaces that they aren't in."""
    stranger, person = client_make(), crew.world.member("viewer")
    second = crew.world.member("viewer")
    World.ok(crew.join(second, dry=False), 201)
    theirs = World.ok(stranger.post("workspaces/", {"name": "Theirs"}), 201)["id"]
    Team.objects.get(uid=crew.id).group.user_set.add(stranger.user)
    crew.grant(f"workspaces/{theirs}/members/", "editor", by=stranger)
    boss = client_make(user_make(role=ADMINISTRATOR))
    assert crew.join(person, by=boss).json() == NOTHING
    gone = crew.leave(second, by=boss).json()
    assert gone == NOTHING
    assert [row["name"] for row in crew.join(person).json()["gains"]] == ["Theirs"]


def test_who_has_access_is_told_to_managers_of_a_document_only(crew: Crew) -> None:
    """Others learn what the team gives, whatever the person has besides."""
    person, reader = crew.world.member("viewer"), crew.world.member("viewer")
    page = crew.world.document("Page")
    crew.world.grant(page, person, "editor")
    crew.grant(f"documents/{page}/grants/", "commenter")
    World.ok(crew.join(reader, dry=False), 201)
    managing = f"{crew.path}members/{uid_of(reader)}/"
    World.ok(crew.manager.patch(managing, {"manager": True}))
    assert crew.join(person).json() == NOTHING
    told = [effect(person, "document", page, "Page", "commenter", None)]
    assert crew.join(person, by=reader).json()["gains"] == told


def test_deletion_would_take_from_each_member(crew: Crew) -> None:
    """One entry a person and place; the team stays."""
    people = [crew.world.member("viewer") for _ in range(2)]
    for person in people:
        World.ok(crew.join(person, dry=False), 201)
    page = crew.world.document("Page")
    crew.grant(f"documents/{page}/grants/", "editor")
    answer = crew.manager.delete(crew.path + "?dry_run=true")
    assert answer.status_code == 200
    assert sorted(row["user"] for row in answer.json()["loses"]) == sorted(map(uid_of, people))
    assert crew.manager.get(crew.path).status_code == 200


def test_dry_run_is_refused_as_the_change_is(crew: Crew) -> None:
    """The same 404, 403 and 409, and no other value than a truth."""
    person, outsider = crew.world.member("viewer"), client_make()
    assert crew.join(person, by=outsider).status_code == 404
    assert crew.join(outsider).status_code == 404
    assert crew.leave(person).status_code == 404
    World.ok(crew.join(person, dry=False), 201)
    assert crew.join(person).json()["code"] == "team_member_exists"
    assert crew.leave(crew.manager, by=person).status_code == 403
    assert crew.leave(crew.manager).json()["code"] == "last_manager"
    assert person.delete(crew.path + "?dry_run=true").status_code == 403
    assert crew.manager.delete(crew.path + "?dry_run=perhaps").status_code == 400
    assert crew.manager.delete(crew.path + "?dry=true").json()["code"] == "unknown_parameter"
    assert crew.manager.delete(crew.path + "?dry_run=false").status_code == 204


def test_dry_run_costs_the_same_however_much_is_granted(crew: Crew) -> None:
    """Seventeen statements."""
    # 1 sign-in, 2 team, 3 its manager, 4-6 the person, the actor and their permissions, 7-9 do they share a
    # workspace, 10 is the person in the team, 11-12 the team's grants, 13 the places, 14-17 what else they
    # have.
    person = crew.world.member("viewer")
    for number in range(5):
        page = crew.world.document(f"Page {number}")
        crew.grant(f"documents/{page}/grants/", "editor")
    with statements(17):
        assert len(crew.join(person).json()["gains"]) == 5
