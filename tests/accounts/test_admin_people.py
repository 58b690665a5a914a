"""Roles and teams in the admin: through the services, and by no forged form past them."""

from __future__ import annotations

import copy
import datetime as dt
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from accounts.models import RolePolicy, Session, Team, TeamManager, User
from accounts.roles import ADMINISTRATOR, ROLES, roles_of
from accounts.services.teams import team_create
from audit.models import Event
from tests.accounts.factories import user_make
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.actors import person
from tests.fixtures import client_make

pytestmark = pytest.mark.django_db
PROFILE = {"name": "Ann", "locale": "en", "timezone": "UTC"}


@pytest.fixture(scope="module")
def signed_in(for_all_tests: None) -> SimpleCookie:
    """The cookies of an administrator of all tests."""
    return staff_client(staff_make())[0].cookies


@pytest.fixture
def browser(signed_in: SimpleCookie, as_made: None) -> Client:
    """An administrator at the admin, who has come from no other page."""
    client = Client()
    client.cookies = copy.deepcopy(signed_in)
    return client


def clerk(*permissions: str) -> Client:
    """A member of staff with a few permissions, who is no superuser and in no role."""
    user = user_make(role=None, is_staff=True)
    group = Group.objects.create(name="role:test-clerk")
    group.permissions.set(Permission.objects.filter(codename__in=permissions))
    user.groups.add(group)
    return staff_client(user)[0]


def user_page(user: User) -> str:
    """The page of a person."""
    return f"/admin/accounts/user/{user.pk}/change/"


def team_page(team: Team) -> str:
    """The page of a team."""
    return f"/admin/accounts/team/{team.pk}/change/"


def told(answer: Any) -> str:
    """What the page after a redirect says."""
    return answer.content.decode()


def test_roles_are_given_and_taken_through_the_services(browser: Client) -> None:
    """One event each; what isn't ticked goes."""
    user = user_make(name="Ann", role="member")
    assert browser.get(user_page(user)).status_code == 200
    answer = browser.post(user_page(user), {**PROFILE, "roles": ["auditor", "operator"]})
    assert answer.status_code == 302, told(answer)
    assert roles_of(user) == ["auditor", "operator"]
    actions = Event.objects.filter(action__startswith="role.").order_by("sequence")
    assert [event.action for event in actions] == ["role.given", "role.given", "role.taken"]
    assert not Event.objects.filter(action="user.updated").exists()


def test_roles_by_staff_without_the_permission_stay(browser: Client) -> None:
    """A forged tick is no field of their form."""
    client, user = clerk("view_user", "change_user"), user_make(name="Ann")
    answer = client.post(user_page(user), {**PROFILE, "name": "Anne", "roles": [ADMINISTRATOR]})
    assert answer.status_code == 302
    user.refresh_from_db()
    assert (user.name, roles_of(user)) == ("Anne", ["member"])


def test_roles_above_the_own_permissions_are_refused() -> None:
    """The service's refusal is told, and nothing of the form is saved."""
    client, user = clerk("view_user", "change_user", "assign_roles"), user_make(name="Ann")
    answer = client.post(
        user_page(user), {**PROFILE, "name": "Anne", "roles": ["member", ADMINISTRATOR]}, follow=True
    )
    assert "permissions that you don&#x27;t hold" in told(answer)
    user.refresh_from_db()
    assert (user.name, roles_of(user)) == ("Ann", ["member"])


def test_roles_need_a_fresh_proof(browser: Client) -> None:
    """An admin page left open is not enough."""
    user = user_make(name="Ann")
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    answer = browser.post(user_page(user), {**PROFILE, "roles": ["auditor"]}, follow=True)
    assert "Sign out and in again" in told(answer)
    assert roles_of(user) == ["member"]


@pytest.mark.parametrize("action", ["suspend", "unsuspend", "reset_factors"])
def test_actions_on_people_need_a_fresh_proof(browser: Client, action: str) -> None:
    """As by API: who finds the page open suspends nobody and lets nobody in."""
    user = user_make(name="Ann", is_active=action != "unsuspend")
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    form = {"action": action, "_selected_action": [user.pk]}
    answer = browser.post("/admin/accounts/user/", form, follow=True)
    assert "Sign out and in again" in told(answer)
    user.refresh_from_db()
    assert user.is_active == (action != "unsuspend")
    assert not Event.objects.filter(action__in=["user.suspended", "user.unsuspended", "mfa.reset"]).exists()


def test_demands_of_roles_need_a_fresh_proof(browser: Client) -> None:
    """Else an open page turns the second factor off for all administrators."""
    policy = RolePolicy.objects.get(group__name=f"role:{ADMINISTRATOR}")
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    form = {"action": "demand", "_selected_action": [policy.pk]}
    answer = browser.post("/admin/accounts/rolepolicy/", form, follow=True)
    assert "Sign out and in again" in told(answer)
    policy.refresh_from_db()
    assert policy.second_factor is False


def test_last_administrator_stays_in_the_admin(browser: Client) -> None:
    """As by API."""
    boss = User.objects.get(is_superuser=True)
    answer = browser.post(user_page(boss), {**PROFILE, "name": boss.name, "roles": []}, follow=True)
    assert "last active administrator" in told(answer)
    assert roles_of(boss) == [ADMINISTRATOR]


@pytest.mark.parametrize(
    "forged",
    [
        {"groups": "1", "user_permissions": "1"},
        {"is_superuser": "on", "is_staff": "on"},
        {"is_active": "", "password": "x", "email": "boss@example.org", "kind": "service"},
        {"roles": ["root"]},
        {"roles": ["role:administrator"]},
    ],
)
def test_forged_form_changes_no_rights(browser: Client, forged: dict[str, Any]) -> None:
    """What isn't a field of the page is not read, whatever is sent; an unknown role is a fault."""
    user = user_make(name="Ann")
    before = User.objects.filter(pk=user.pk).values().get()
    for extra in ({}, {"_popup": "1"}, {"_saveasnew": "1"}):
        browser.post(user_page(user), {**PROFILE, "roles": ["member"], **forged, **extra})
    assert User.objects.filter(pk=user.pk).values().get() == before
    assert roles_of(user) == ["member"]
    assert not user.user_permissions.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/admin/auth/group/",
        "/admin/auth/group/add/",
        "/admin/auth/permission/",
        "/admin/accounts/teammanager/",
        "/admin/accounts/userstamp/",
    ],
)
def test_pages_that_there_must_not_be(browser: Client, path: str) -> None:
    """Roles and teams share a table, which no page edits plainly."""
    assert browser.get(path).status_code == 404
    assert browser.post(path, {"name": "role:administrator"}).status_code == 404


def test_nobody_is_added_or_deleted_by_hand(browser: Client) -> None:
    """Neither by page nor by the list's forged action."""
    user, count = user_make(), User.objects.count()
    for path in ("/admin/accounts/user/add/", "/admin/accounts/team/add/"):
        assert browser.post(path, {**PROFILE, "is_superuser": "on"}).status_code == 403
    assert browser.post(user_page(user).replace("change", "delete"), {"post": "yes"}).status_code == 403
    body = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
    browser.post("/admin/accounts/user/", body)
    assert User.objects.count() == count


@pytest.fixture
def team() -> Team:
    """A team of one."""
    return team_create(actor=person(user_make(name="Olga")), name="Crew")


def test_team_page_changes_the_team_through_the_services(browser: Client, team: Team) -> None:
    """Name, a newcomer, managers and a leaver: an event each."""
    assert browser.get("/admin/accounts/team/").status_code == 200
    assert "Olga" in told(browser.get(team_page(team)))
    olga, bob = User.objects.get(name="Olga"), user_make("bob@example.org")
    form = {"name": "Fleet", "description": "", "add_member": "BOB@example.org", "manage": [str(olga.uid)]}
    assert browser.post(team_page(team), form).status_code == 302
    form = {"name": "Fleet", "description": "", "manage": [str(bob.uid)], "remove": [str(olga.uid)]}
    assert browser.post(team_page(team), form).status_code == 302
    assert list(team.group.user_set.all()) == [bob]  # type: ignore[attr-defined]
    assert list(TeamManager.objects.filter(team=team).values_list("user_id", flat=True)) == [bob.pk]
    actions = Event.objects.filter(action__startswith="team").order_by("sequence")
    assert [event.action for event in actions] == [
        "team.created",
        "team.updated",
        "team_member.added",
        "team_member.changed",
        "team_member.changed",
        "team_member.removed",
    ]


def test_team_page_keeps_the_last_manager(browser: Client, team: Team) -> None:
    """The refusal is told and nothing of the form is saved."""
    form = {"name": "Fleet", "description": "", "manage": []}
    answer = browser.post(team_page(team), form, follow=True)
    assert "Make another member a manager first" in told(answer)
    team.refresh_from_db()
    assert team.name == "Crew"


def test_team_never_poses_as_a_role(browser: Client, team: Team) -> None:
    """Whatever is forged, the group behind a team keeps its name and carries no permission."""
    before = team.group.name
    role = Group.objects.get(name=f"role:{ADMINISTRATOR}")
    forged = {
        "name": "role:administrator",
        "description": "",
        "group": str(role.pk),
        "group_name": "role:administrator",
        "uid": "01900000-0000-7000-8000-000000000000",
        "permissions": ["1"],
        "manage": [str(user.uid) for user in team.group.user_set.all()],  # type: ignore[attr-defined]
    }
    assert browser.post(team_page(team), forged).status_code == 302
    row = Team.objects.select_related("group").get(pk=team.pk)
    assert (row.uid, row.group_id, row.group.name) == (team.uid, team.group_id, before)
    assert not row.group.permissions.exists()
    client = client_make()
    assert client.post("teams/", {"name": "role:administrator"}).status_code == 201
    assert client.get("me/").json()["roles"] == ["member"]
    assert client.get("audit/events/").status_code == 403
    assert set(Group.objects.filter(name__startswith="role:").values_list("name", flat=True)) == {
        f"role:{name}" for name in ROLES
    }


def test_team_pages_need_the_permission(team: Team) -> None:
    """Django's own permission to change teams is not enough."""
    client = clerk("view_team", "change_team")
    form = {"name": "Fleet", "description": "", "manage": []}
    assert client.get(team_page(team)).status_code == 200
    assert client.post(team_page(team), form).status_code == 403
    client.post("/admin/accounts/team/", {"action": "dissolve", "_selected_action": [team.pk]})
    assert Team.objects.get().name == "Crew"


def test_team_is_dissolved_by_the_action(browser: Client, team: Team) -> None:
    """With its event."""
    browser.post("/admin/accounts/team/", {"action": "dissolve", "_selected_action": [team.pk]})
    assert not Team.objects.exists()
    assert Event.objects.filter(action="team.deleted").count() == 1
