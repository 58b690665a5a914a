"""`teams/` and `teams/{id}/members/`."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from accounts.models import Team, TeamManager, User
from accounts.roles import ADMINISTRATOR
from audit.models import Event
from documents.models import Workspace
from tests.accounts.factories import token_make, user_make
from tests.documents.world import ABSENT, World, uid_of
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db


class Crew:
    """A team made over HTTP, its manager, and a workspace in which the manager gets to know people."""

    def __init__(self) -> None:
        self.world = World(client_make)
        self.manager = self.world.owner
        body = {"name": "Crew", "description": "Who sails"}
        self.id: str = World.ok(self.manager.post("teams/", body), 201)["id"]
        self.path = f"teams/{self.id}/"
        self.members = f"{self.path}members/"

    def add(self, person: ApiClient | User, by: ApiClient | None = None, **more: Any) -> Any:
        """The answer to putting somebody into the team."""
        uid = str(person.uid) if isinstance(person, User) else uid_of(person)
        return (by or self.manager).post(self.members, {"user": uid, **more})

    def member(self, **more: Any) -> ApiClient:
        """A new person in the team."""
        person = self.world.member("viewer")
        World.ok(self.add(person, **more), 201)
        return person

    def of(self, person: ApiClient) -> str:
        """The path of somebody's membership."""
        return f"{self.members}{uid_of(person)}/"


@pytest.fixture
def crew() -> Crew:
    """A team with one manager."""
    return Crew()


def actions() -> list[str]:
    """The actions of teams in the audit trail, in their order."""
    rows = Event.objects.filter(action__startswith="team").order_by("sequence")
    return list(rows.values_list("action", flat=True))


def alike(*answers: Any) -> set[int]:
    """The statuses of answers whose bodies must differ in nothing but what names the request."""
    bodies = [
        {key: value for key, value in answer.json().items() if key not in {"request_id", "instance"}}
        for answer in answers
    ]
    assert all(body == bodies[0] for body in bodies)
    return {answer.status_code for answer in answers}


def test_create_by_a_member_of_the_platform(crew: Crew) -> None:
    """The maker is its first member and manager."""
    answer = crew.manager.post("teams/", {"name": "Second"})
    body = World.ok(answer, 201)
    assert (body["name"], body["description"], body["members"], body["manager"]) == ("Second", "", 1, True)
    assert crew.manager.get(answer.headers["Location"]).json() == body
    team = Team.objects.get(uid=body["id"])
    assert team.group.name == f"team:{team.uid}"
    assert actions() == ["team.created", "team.created"]


def test_create_by_a_guest_is_forbidden() -> None:
    """A guest is only where others have put them."""
    assert client_make(user_make(role="guest")).post("teams/", {"name": "No"}).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": 7},
        {"name": "x" * 201},
        {"name": "A", "group": "role:administrator"},
        {"name": "A\nB"},
    ],
)
def test_create_with_bad_input(body: dict[str, Any]) -> None:
    """Faults are refused and no team comes of it."""
    assert client_make().post("teams/", body).status_code == 400
    assert not Team.objects.exists()


def test_list_holds_only_the_own_teams(crew: Crew, django_assert_num_queries: Any) -> None:
    """Three statements: sign-in, permissions, page. All teams for holders of the permission."""
    other = Crew()
    member = crew.member()
    member.post("teams/", {"name": "Mine"})
    with django_assert_num_queries(3):
        answer = member.get("teams/")
    rows = answer.json()["results"]
    assert [(row["name"], row["members"], row["manager"]) for row in rows] == [
        ("Mine", 1, True),
        ("Crew", 2, False),
    ]
    assert [row["id"] for row in other.manager.get("teams/").json()["results"]] == [other.id]
    boss = client_make(user_make(role=ADMINISTRATOR))
    assert len(boss.get("teams/").json()["results"]) == 3
    assert [row["name"] for row in boss.get("teams/?ordering=name&page_size=1").json()["results"]] == ["Crew"]


def test_retrieve_counts_its_statements(crew: Crew, django_assert_num_queries: Any) -> None:
    """Three statements: sign-in, permissions, team."""
    with django_assert_num_queries(3):
        answer = crew.manager.get(crew.path)
    assert answer.json()["description"] == "Who sails"
    assert crew.manager.get(crew.path, If_None_Match=answer.headers["ETag"]).status_code == 304


def test_team_of_others_is_not_found(crew: Crew) -> None:
    """For an outsider every address below a team is the 404 of one that isn't there."""
    member, outsider = crew.member(), client_make()
    body = {"user": uid_of(outsider)}
    for base in (crew.path, f"teams/{ABSENT}/"):
        answers = [
            outsider.get(base),
            outsider.patch(base, {"name": "Ours"}),
            outsider.delete(base),
            outsider.get(f"{base}members/"),
            outsider.post(f"{base}members/", body),
            outsider.get(f"{base}members/{uid_of(member)}/"),
            outsider.patch(f"{base}members/{uid_of(member)}/", {"manager": True}),
            outsider.delete(f"{base}members/{uid_of(member)}/"),
            outsider.delete(f"{base}members/{uid_of(outsider)}/"),
        ]
        assert alike(*answers) == {404}


def test_change_by_a_manager(crew: Crew) -> None:
    """200 with the team of after, one event with before and after; no change, no event."""
    body = World.ok(crew.manager.patch(crew.path, {"name": "Fleet"}))
    assert (body["name"], body["description"]) == ("Fleet", "Who sails")
    World.ok(crew.manager.patch(crew.path, {"name": "Fleet"}))
    event = Event.objects.get(action="team.updated")
    assert event.detail.content["changes"] == {"name": {"before": "Crew", "after": "Fleet"}}


def test_change_by_a_plain_member_is_forbidden(crew: Crew) -> None:
    """Members see the team and change nothing of it."""
    member, other = crew.member(), crew.member()
    assert member.get(crew.path).json()["manager"] is False
    assert member.patch(crew.path, {"name": "Ours"}).status_code == 403
    assert member.delete(crew.path).status_code == 403
    assert crew.add(crew.world.member("viewer"), by=member).status_code == 403
    assert member.patch(crew.of(member), {"manager": True}).status_code == 403
    assert member.delete(crew.of(other)).status_code == 403


def test_team_by_a_holder_of_the_permission(crew: Crew) -> None:
    """An administrator changes any team and adds anybody, without being in it."""
    boss, stranger = client_make(user_make(role=ADMINISTRATOR)), user_make()
    World.ok(boss.patch(crew.path, {"name": "Fleet"}))
    World.ok(crew.add(stranger, by=boss, manager=True), 201)
    World.ok(boss.delete(crew.of(crew.manager)), 204)
    World.ok(boss.delete(crew.path), 204)


def test_members_are_listed_by_name(crew: Crew, django_assert_num_queries: Any) -> None:
    """Four statements: sign-in, permissions, team, page."""
    member = crew.member()
    with django_assert_num_queries(4):
        answer = member.get(crew.members)
    found = {row["user"]: row["manager"] for row in answer.json()["results"]}
    assert found == {uid_of(crew.manager): True, uid_of(member): False}
    assert member.get(crew.of(crew.manager)).json() == next(
        row for row in answer.json()["results"] if row["manager"]
    )


def test_add_of_a_person_known_or_not(crew: Crew) -> None:
    """Only people whom the manager shares a workspace with; others are as good as not there."""
    stranger, off = client_make(), user_make(is_active=False)
    absent = crew.manager.post(crew.members, {"user": ABSENT})
    assert alike(crew.add(stranger), crew.add(off), absent) == {404}
    World.ok(crew.world.add(stranger, "viewer"), 201)
    answer = crew.add(stranger)
    assert World.ok(answer, 201) == crew.manager.get(answer.headers["Location"]).json()
    second = crew.add(stranger)
    assert (second.status_code, second.json()["code"]) == (409, "team_member_exists")
    assert actions() == ["team.created", "team_member.added"]


@pytest.mark.parametrize(
    "body", [{}, {"user": "me"}, {"user": ABSENT, "manager": 1}, {"user": ABSENT, "role": "x"}]
)
def test_add_with_bad_input(crew: Crew, body: dict[str, Any]) -> None:
    """Faults of form come before anything is looked up."""
    assert crew.manager.post(crew.members, body).status_code == 400


def test_manager_is_made_and_unmade(crew: Crew) -> None:
    """A new manager manages on the next request, one no more does no longer."""
    member = crew.member()
    World.ok(crew.manager.patch(crew.of(member), {"manager": True}))
    World.ok(member.patch(crew.path, {"name": "Fleet"}))
    World.ok(member.patch(crew.of(crew.manager), {"manager": False}))
    assert crew.manager.patch(crew.path, {"name": "Crew"}).status_code == 403
    assert actions()[-3:] == ["team_member.changed", "team.updated", "team_member.changed"]


def test_last_manager_stays(crew: Crew) -> None:
    """Neither leaving nor resigning takes the last one; a suspended one doesn't count."""
    second = crew.member(manager=True)
    User.objects.filter(pk=second.user.pk if second.user else 0).update(is_active=False)
    own = crew.of(crew.manager)
    for answer in (crew.manager.delete(own), crew.manager.patch(own, {"manager": False})):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_manager")
    assert crew.manager.get(own).json()["manager"] is True


def test_leave_by_oneself(crew: Crew) -> None:
    """A member may go, and is an outsider then."""
    member = crew.member()
    assert member.delete(crew.of(member)).status_code == 204
    assert member.get(crew.path).status_code == 404
    assert member.get("teams/").json()["results"] == []


@pytest.mark.django_db(transaction=True)
def test_last_two_managers_who_leave_at_once() -> None:
    """One goes, the other one is the last."""
    crew = Crew()
    second = crew.member(manager=True)
    start, statuses = threading.Barrier(2), []

    def leave(person: ApiClient) -> None:
        start.wait(5)
        statuses.append(person.delete(crew.of(person)).status_code)
        connection.close()

    threads = [threading.Thread(target=leave, args=(person,)) for person in (crew.manager, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(statuses) == [204, 409]
    assert TeamManager.objects.count() == 1


def _assert_access_follows_membership(crew: Crew) -> None:
    document = crew.world.document()
    person = client_make()
    outside = World(client_make)
    World.ok(outside.add(person, "viewer"), 201)
    World.ok(outside.add(crew.manager, "viewer"), 201)
    body = {"team": crew.id, "role": "editor"}
    World.ok(crew.manager.post(f"workspaces/{crew.world.workspace}/members/", body), 201)
    assert person.get(f"documents/{document}/").status_code == 404
    World.ok(crew.add(person), 201)
    assert person.get(f"documents/{document}/").status_code == 200
    assert person.get(f"workspaces/{crew.world.workspace}/").json()["role"] == "editor"
    World.ok(crew.manager.delete(crew.of(person)), 204)
    assert person.get(f"documents/{document}/").status_code == 404


def test_access_comes_and_goes_with_membership(crew: Crew) -> None:
    """What a team was granted holds for whoever is in it, from the next request on."""
    _assert_access_follows_membership(crew)


@pytest.mark.usefixtures("redis_gone")
def test_access_comes_and_goes_without_redis(crew: Crew) -> None:
    """As above with Redis gone."""
    _assert_access_follows_membership(crew)


def test_delete_takes_all_grants_with_it(crew: Crew) -> None:
    """Each grant has its event; nobody keeps what the team gave."""
    other = World(client_make)
    World.ok(other.add(crew.manager, "manager"), 201)
    member = crew.member()
    document, page = crew.world.document(), other.document()
    for path, role in (
        (f"workspaces/{crew.world.workspace}/members/", "owner"),
        (f"documents/{document}/grants/", "editor"),
        (f"documents/{page}/grants/", "viewer"),
    ):
        World.ok(crew.manager.post(path, {"team": crew.id, "role": role}), 201)
    assert member.get(f"documents/{page}/").status_code == 200
    World.ok(crew.manager.delete(crew.path), 204)
    assert member.get(f"documents/{page}/").status_code == 404
    assert member.get(f"workspaces/{crew.world.workspace}/").json()["role"] == "viewer"
    assert crew.manager.get(crew.path).status_code == 404
    assert not Group.objects.filter(name=f"team:{crew.id}").exists()
    removed = Event.objects.filter(action__in=["member.removed", "grant.removed"]).order_by("sequence")
    assert [(event.action, event.facts["subjects"]) for event in removed] == [
        ("member.removed", [crew.id]),
        ("grant.removed", [crew.id]),
        ("grant.removed", [crew.id]),
    ]
    assert actions()[-1] == "team.deleted"


def test_delete_of_the_only_acting_owner_is_refused(crew: Crew) -> None:
    """Where all owners by name are out, the team keeps the workspace going; nothing of it goes."""
    other = World(client_make)
    World.ok(other.add(crew.manager, "owner"), 201)
    World.ok(
        crew.manager.post(f"workspaces/{other.workspace}/members/", {"team": crew.id, "role": "owner"}), 201
    )
    rows = crew.manager.get(f"workspaces/{other.workspace}/members/").json()["results"]
    own = next(row["id"] for row in rows if row["user"] == uid_of(crew.manager))
    World.ok(other.owner.delete(f"workspaces/{other.workspace}/members/{own}/"), 204)
    User.objects.filter(pk=other.owner.user.pk if other.owner.user else 0).update(is_active=False)
    answer = crew.manager.delete(crew.path)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert crew.manager.get(f"workspaces/{other.workspace}/").json()["role"] == "owner"
    assert not Event.objects.filter(action="member.removed", facts__subjects=[crew.id]).exists()


@pytest.mark.django_db(transaction=True)
def test_delete_while_a_grant_is_given_leaves_nothing_behind() -> None:
    """Two at once: whichever is first, no grant and no group outlives the team."""
    crew = Crew()
    path = f"workspaces/{crew.world.workspace}/members/"
    start, statuses = threading.Barrier(2), {}

    def call(method: str, address: str, body: Any) -> None:
        start.wait(5)
        statuses[method] = crew.manager.call(method, address, body).status_code
        connection.close()

    threads = [
        threading.Thread(target=call, args=args)
        for args in (("DELETE", crew.path, None), ("POST", path, {"team": crew.id, "role": "viewer"}))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert statuses["DELETE"] == 204
    assert statuses["POST"] in {201, 404}
    assert not Group.objects.filter(name=f"team:{crew.id}").exists()


def test_grant_to_a_hidden_team_is_not_found(crew: Crew) -> None:
    """A team that one isn't in can't be named, not even to learn that it is there."""
    other = World(client_make)
    path = f"workspaces/{other.workspace}/members/"
    hidden = other.owner.post(path, {"team": crew.id, "role": "viewer"})
    absent = other.owner.post(path, {"team": str(uuid.uuid4()), "role": "viewer"})
    assert alike(hidden, absent) == {404}


def test_team_by_a_token_cut_to_a_workspace_is_not_found(crew: Crew) -> None:
    """Teams are in no place, so what is cut to one reaches none; with the scope alone they are there."""
    user, room = crew.manager.user, Workspace.objects.get(uid=crew.world.workspace)
    assert user
    scopes = ("teams:read", "teams:write")
    whole = ApiClient(token_make(user, *scopes))
    cut = ApiClient(token_make(user, *scopes, workspace_pk=room.pk, workspace_uid=room.uid))
    assert whole.get(crew.path).status_code == 200
    assert cut.get("teams/").json()["results"] == []
    absent = f"teams/{ABSENT}/"
    assert alike(cut.get(crew.path), cut.patch(crew.path, {"name": "X"}), cut.get(absent)) == {404}
    assert cut.post("teams/", {"name": "New"}).status_code == 403
    assert cut.delete(crew.path).status_code == 404
    assert whole.delete(crew.path).status_code == 204
