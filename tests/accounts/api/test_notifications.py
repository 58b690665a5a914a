"""`me/notifications/` and `me/notification-preferences/`: who is told what, and what is shown of it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.mailed_tokens import EMAIL_CHANGE, INVITATION, mailed_token
from accounts.models import EmailChange, Notification, NotificationPreference, Session, Team, User
from accounts.services.expiry import expired_purge
from audit.models import Event
from cloudscribe.jobs.models import Job
from documents.models import Invitation, Workspace
from documents.roles import Role
from documents.services.members import member_add
from tests.accounts.factor_tools import code_at
from tests.accounts.factories import PASSWORD, token_make, user_make
from tests.actors import person
from tests.documents.world import ABSENT, World, uid_of
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db

INBOX = "me/notifications/"
PREFERENCES = "me/notification-preferences/"


@pytest.fixture
def world() -> World:
    """A workspace and its owner."""
    return World(client_make)


def inbox(client: ApiClient, query: str = "") -> list[dict[str, Any]]:
    """What somebody was told, newest first."""
    found: list[dict[str, Any]] = World.ok(client.get(INBOX + query))["results"]
    return found


def kinds(client: ApiClient) -> list[str]:
    """The kinds of what somebody was told, newest first."""
    return [row["kind"] for row in inbox(client)]


# --- who is told what ------------------------------------------------------------------------------------
def test_membership_is_told_with_its_workspace(world: World) -> None:
    """Whoever is added learns by whom, of what and as what; the one who did it is told nothing."""
    member = world.member("editor")
    row = inbox(member)[0]
    assert row.pop("id")
    assert row.pop("created_at") == row.pop("updated_at")
    assert row == {
        "kind": "membership.added",
        "actor": {"id": uid_of(world.owner), "name": world.owner.user.name},  # type: ignore[union-attr]
        "target": {"type": "workspace", "id": world.workspace, "title": "World"},
        "workspace": world.workspace,
        "facts": {"role": "editor"},
        "read_at": None,
    }
    assert inbox(world.owner) == []


def test_membership_is_told_when_it_changes_and_ends(world: World) -> None:
    """Another role and the end of it are news; of the end the workspace isn't named, nor is it before."""
    member, path = client_make(), f"workspaces/{world.workspace}/members/"
    uid = World.ok(world.add(member, "viewer"), 201)["id"]
    world.owner.patch(f"{path}{uid}/", {"role": "editor"})
    world.owner.patch(f"{path}{uid}/", {"role": "editor"})
    assert kinds(member) == ["membership.role_changed", "membership.added"]
    assert world.owner.delete(f"{path}{uid}/").status_code == 204
    rows = inbox(member)
    assert rows[0]["kind"] == "membership.removed"
    assert [row["target"] for row in rows] == [{"type": "workspace", "id": None, "title": None}] * 3
    assert [row["workspace"] for row in rows] == [None] * 3


def test_membership_that_one_ends_oneself_is_no_news(world: World) -> None:
    """Nobody is told of their own act."""
    member = world.member("viewer")
    rows = World.ok(member.get(f"workspaces/{world.workspace}/members/"))["results"]
    own = next(row["id"] for row in rows if row["user"] == uid_of(member))
    assert member.delete(f"workspaces/{world.workspace}/members/{own}/").status_code == 204
    assert kinds(member) == ["membership.added"]


def test_grant_is_told_while_the_document_may_be_seen(world: World) -> None:
    """A shared document has its title as of now, and none once the grant is gone."""
    page, reader = world.document("Plan"), client_make()
    grant = world.grant(page, reader, "viewer")
    expected = {"type": "document", "id": page, "title": "Plan"}
    assert [row["target"] for row in inbox(reader)] == [expected]
    assert inbox(reader)[0]["workspace"] is None
    World.ok(
        world.owner.patch(
            f"documents/{page}/",
            {"title": "Secret"},
            If_Match=world.owner.get(f"documents/{page}/").headers["ETag"],
        )
    )
    assert inbox(reader)[0]["target"]["title"] == "Secret"
    assert world.owner.delete(f"documents/{page}/grants/{grant['id']}/").status_code == 204
    assert inbox(reader)[0]["target"] == {"type": "document", "id": None, "title": None}


def test_grant_on_a_trashed_document_names_nothing(world: World) -> None:
    """What lies in the trash is not shown."""
    page, reader = world.document("Plan"), client_make()
    world.grant(page, reader, "editor")
    World.ok(world.owner.post(f"documents/{page}/trash/"))
    assert inbox(reader)[0]["target"] == {"type": "document", "id": None, "title": None}


def test_team_member_is_told_while_in_the_team(world: World) -> None:
    """The team has its name as long as one is in it."""
    member = world.member("viewer")
    team = World.ok(world.owner.post("teams/", {"name": "Crew"}), 201)["id"]
    World.ok(world.owner.post(f"teams/{team}/members/", {"user": uid_of(member)}), 201)
    assert inbox(member)[0]["target"] == {"type": "team", "id": team, "title": "Crew"}
    world.owner.delete(f"teams/{team}/members/{uid_of(member)}/")
    assert inbox(member)[0]["target"] == {"type": "team", "id": None, "title": None}


def test_roles_and_suspension_are_told() -> None:
    """Roles as they come and go; a suspension when one is let in again. Why is not told."""
    boss = client_make(user_make(role="administrator", is_superuser=True))
    user = user_make()
    path = f"users/{user.uid}/"
    World.ok(boss.post(f"{path}roles/", {"role": "guest"}), 201)
    World.ok(boss.delete(f"{path}roles/guest/"), 204)
    World.ok(boss.post(f"{path}suspend/", {"reason": "Spite"}))
    World.ok(boss.post(f"{path}unsuspend/"))
    rows = inbox(client_make(user))
    assert [(row["kind"], row["facts"], row["target"]) for row in rows] == [
        ("account.suspended", {}, None),
        ("role.taken", {"role": "guest"}, None),
        ("role.given", {"role": "guest"}, None),
    ]


def test_own_acts_that_a_thief_would_do_are_told() -> None:
    """Tokens, factors and passwords: whoever acts in one's name is not to do so unnoticed."""
    me = client_make()
    soon = (timezone.now() + dt.timedelta(days=1)).isoformat()
    token = World.ok(
        me.post("me/tokens/", {"name": "Build", "scopes": ["jobs:read"], "expires_at": soon}), 201
    )
    secret = World.ok(me.post("auth/mfa/totp/"))["secret"]
    World.ok(me.post("auth/mfa/totp/confirm/", {"code": code_at(secret)}))
    World.ok(me.post("auth/password/change/", {"current_password": PASSWORD, "password": "Other-one-7781"}))
    assert kinds(me) == ["password.changed", "mfa.enabled", "token.created"]
    assert inbox(me)[2]["target"] == {"type": "token", "id": token["id"], "title": "Build"}
    assert "csp_" not in str(inbox(me))


def test_changed_address_is_told_once() -> None:
    """In the inbox, beside the mail to the old address."""
    me = client_make()
    World.ok(me.post("auth/email/change/", {"email": "new@example.org"}), 202)
    token = mailed_token(EMAIL_CHANGE, EmailChange.objects.get().uid)
    World.ok(ApiClient().post("auth/email/confirm/", {"token": token}))
    assert kinds(me) == ["email.changed"]
    assert not Job.objects.filter(kind="notifications.mail").exists()


def test_reused_session_is_told() -> None:
    """Beside the mail of its own, which is sent once."""
    me, guest = client_make(), ApiClient()
    assert me.credentials
    token = me.credentials.refresh
    following = World.ok(guest.post("auth/refresh/", {"refresh": token}))["refresh"]
    World.ok(guest.post("auth/refresh/", {"refresh": following}))
    World.ok(guest.post("auth/refresh/", {"refresh": token}), 401)
    assert kinds(client_make(me.user)) == ["session.reused"]
    assert Job.objects.filter(kind__in=["mail.send", "notifications.mail"]).count() == 1


@pytest.mark.parametrize(
    ("device", "address", "told"),
    [
        ("Browser 141.0.2", "192.0.2.7", False),
        ("Browser 140.0.0", "192.0.2.99", False),
        ("Browser 140.0.0", "192.0.3.7", True),
        ("Other 140.0.0", "192.0.2.7", True),
        ("Browser 140.0.0", "2001:db8::1", True),
    ],
)
def test_sign_in_is_told_where_device_and_network_are_new(device: str, address: str, told: bool) -> None:
    """The same device in the same block is no news, updated or not; the first sign-in of all is none."""
    user = user_make()
    body = {"email": user.email, "password": PASSWORD}
    first = ApiClient(REMOTE_ADDR="192.0.2.7")
    World.ok(first.post("auth/login/", body, User_Agent="Browser 140.0.0"))
    assert Notification.objects.count() == 0
    World.ok(ApiClient(REMOTE_ADDR=address).post("auth/login/", body, User_Agent=device))
    rows = Notification.objects.filter(user=user, kind="sign_in.new")
    assert [row.facts for row in rows] == ([{"name": device, "address": address}] if told else [])


def test_news_of_what_was_undone_are_none(world: World) -> None:
    """What is told stands in the transaction of what it tells."""
    member, room = user_make(), Workspace.objects.get(uid=world.workspace)
    owner = person(world.owner.user)  # type: ignore[arg-type]
    with transaction.atomic():
        member_add(actor=owner, workspace=room, role=Role.VIEWER, user=member)
        assert Notification.objects.filter(user=member).count() == 1
        transaction.set_rollback(True)
    assert Notification.objects.count() == 0
    assert Job.objects.filter(kind="notifications.mail").count() == 0


def test_two_hundred_are_told_in_three_statements(world: World) -> None:
    """Whoever is in the team, by one insertion and one job, not by one each."""
    team = World.ok(world.owner.post("teams/", {"name": "Crew"}), 201)["id"]
    group = Team.objects.get(uid=team).group_id
    people = [user_make(role=None) for _ in range(200)]
    User.groups.through.objects.bulk_create(
        [User.groups.through(user_id=one.pk, group_id=group) for one in people]
    )
    with CaptureQueriesContext(connection) as queries:
        body = {"team": team, "role": "viewer"}
        World.ok(world.owner.post(f"workspaces/{world.workspace}/members/", body), 201)
    assert Notification.objects.filter(kind="membership.added").count() == 200
    assert len(Job.objects.get(kind="notifications.mail").payload["notifications"]) == 200
    told = [one for one in queries if re.search("accounts_notification|jobs_job", one["sql"] or "")]
    assert len(told) == 3


def test_services_are_told_nothing(world: World) -> None:
    """They have no inbox to read."""
    robot = World.ok(
        world.owner.post("service-accounts/", {"name": "Robot", "workspace": world.workspace}), 201
    )
    body = {"user": robot["id"], "role": "viewer"}
    World.ok(world.owner.post(f"workspaces/{world.workspace}/members/", body), 201)
    assert Notification.objects.count() == 0


def test_who_invited_is_told_of_the_coming(world: World) -> None:
    """Whoever accepts does it themselves and is told nothing."""
    guest = client_make()
    body = {"email": guest.user.email, "role": "viewer"}  # type: ignore[union-attr]
    World.ok(world.owner.post(f"workspaces/{world.workspace}/members/", body), 202)
    uid = Invitation.objects.get().uid
    World.ok(guest.post("auth/invitations/accept/", {"token": mailed_token(INVITATION, uid)}))
    (row,) = inbox(world.owner)
    assert (row["kind"], row["target"]["title"], row["actor"]["id"]) == (
        "invitation.accepted",
        "World",
        uid_of(guest),
    )
    assert inbox(guest) == []


def test_who_takes_over_is_told_and_the_leaver_not_named(world: World) -> None:
    """How much it is; the name goes with the account, out of what others were told before as well."""
    heir = world.member("editor")
    world.document("Plan")
    body = {"hand_over_to": uid_of(heir)}
    assert world.owner.delete("me/", body=body).status_code == 204
    rows = inbox(heir)
    assert [row["kind"] for row in rows] == ["ownership.received", "membership.added"]
    assert rows[0]["facts"] == {"workspaces": 1, "documents": 1}
    assert world.owner.user.name not in str(rows)  # type: ignore[union-attr]


# --- the inbox -------------------------------------------------------------------------------------------
def test_list_counts_its_statements(world: World, django_assert_num_queries: Any) -> None:
    """Five at most, however long the page: session, page, titles, teams where there are any, unread ones."""
    member = world.member("viewer")
    team = World.ok(world.owner.post("teams/", {"name": "Crew"}), 201)["id"]
    World.ok(world.owner.post(f"teams/{team}/members/", {"user": uid_of(member)}), 201)
    for number in range(10):
        world.grant(world.document(f"Page {number}"), member, "viewer")
    member.get(INBOX)
    with django_assert_num_queries(5):
        assert len(inbox(member)) == 12
    Notification.objects.filter(target_type="team").delete()
    with django_assert_num_queries(4):
        assert len(inbox(member)) == 11


def test_list_pages_and_counts_the_unread(world: World) -> None:
    """`unread_count` is of the whole inbox; a page starts where the one before ended."""
    member = world.member("viewer")
    for number in range(3):
        world.grant(world.document(f"Page {number}"), member, "viewer")
    first = World.ok(member.get(INBOX + "?page_size=3"))
    assert (first["unread_count"], first["previous"], len(first["results"])) == (4, None, 3)
    second = World.ok(member.get(first["next"]))
    assert [row["kind"] for row in second["results"]] == ["membership.added"]
    assert second["unread_count"] == 4


def test_list_filters_by_what_was_read(world: World) -> None:
    """`unread` true or false; nonsense and unknown parameters are refused."""
    member = world.member("viewer")
    world.grant(world.document("Plan"), member, "viewer")
    uid = inbox(member)[0]["id"]
    assert World.ok(member.patch(f"{INBOX}{uid}/", {"read": True}))["read_at"]
    assert [row["kind"] for row in inbox(member, "?unread=true")] == ["membership.added"]
    assert [row["kind"] for row in inbox(member, "?unread=false")] == ["grant.given"]
    assert member.get(INBOX + "?unread=perhaps").status_code == 400
    assert member.get(INBOX + "?kind=grant.given").status_code == 400


def test_mark_keeps_the_first_reading_and_can_be_undone(world: World) -> None:
    """To read again changes nothing; unread is unread."""
    member = world.member("viewer")
    path = f"{INBOX}{inbox(member)[0]['id']}/"
    first = World.ok(member.patch(path, {"read": True}))
    assert first["target"]["title"] == "World"
    assert World.ok(member.patch(path, {"read": True})) == first
    assert World.ok(member.patch(path, {"read": False}))["read_at"] is None
    assert member.patch(path, {"read": "yes"}).status_code == 400
    assert member.patch(path, {"read": True, "kind": "x"}).json()["errors"][0]["code"] == "unknown_property"


def test_read_all_touches_the_own_inbox_alone(world: World) -> None:
    """All of mine are read, none of anybody else's."""
    me, other = world.member("viewer"), world.member("viewer")
    assert me.post(f"{INBOX}read-all/").status_code == 204
    assert World.ok(me.get(INBOX))["unread_count"] == 0
    assert World.ok(other.get(INBOX))["unread_count"] == 1


def test_delete_removes_one(world: World) -> None:
    """It is gone, and a second time not found."""
    member = world.member("viewer")
    path = f"{INBOX}{inbox(member)[0]['id']}/"
    assert member.delete(path).status_code == 204
    assert inbox(member) == []
    assert member.delete(path).status_code == 404
    assert member.patch(path, {"read": True}).status_code == 404


def test_somebody_elses_is_not_found(world: World) -> None:
    """Neither read, marked nor removed, and no other answer than for none at all."""
    member, stranger = world.member("viewer"), client_make()
    path = f"{INBOX}{inbox(member)[0]['id']}/"
    for call in (
        stranger.delete(path),
        stranger.patch(path, {"read": True}),
        stranger.delete(INBOX + ABSENT + "/"),
    ):
        assert (call.status_code, call.json()["code"]) == (404, "not_found")
    assert inbox(stranger) == []
    assert inbox(member)[0]["read_at"] is None


def test_token_that_is_cut_to_a_place_finds_it_empty(world: World) -> None:
    """The inbox tells of all places; a whole token reads it."""
    member = world.member("viewer")
    room = Workspace.objects.get(uid=world.workspace)
    cut = ApiClient(token_make(member.user, workspace_pk=room.pk, workspace_uid=room.uid))  # type: ignore[arg-type]
    whole = ApiClient(token_make(member.user))  # type: ignore[arg-type]
    assert World.ok(cut.get(INBOX)) == {"unread_count": 0, "next": None, "previous": None, "results": []}
    assert cut.post(f"{INBOX}read-all/").status_code == 204
    assert World.ok(whole.get(INBOX))["unread_count"] == 1


@pytest.mark.usefixtures("redis_gone")
def test_inbox_needs_no_redis(world: World) -> None:
    """Titles and their absence are the database's."""
    reader, page = client_make(), world.document("Plan")
    grant = world.grant(page, reader, "viewer")
    assert inbox(reader)[0]["target"]["title"] == "Plan"
    world.owner.delete(f"documents/{page}/grants/{grant['id']}/")
    assert inbox(reader)[0]["target"]["title"] is None


def test_purge_takes_the_old_ones(world: World, settings: Any) -> None:
    """After CLOUDSCRIBE_NOTIFICATION_RETENTION they go, read or not."""
    world.member("viewer")
    assert expired_purge()["notifications"] == 0
    Notification.objects.update(created_at=F("created_at") - dt.timedelta(days=89))
    assert expired_purge()["notifications"] == 0
    settings.NOTIFICATION_RETENTION = 88 * 86_400
    assert expired_purge()["notifications"] == 1


# --- how one wants to be told ----------------------------------------------------------------------------
def preference(client: ApiClient, kind: str) -> dict[str, Any]:
    """One kind of somebody's preferences."""
    rows = World.ok(client.get(PREFERENCES))["preferences"]
    found: dict[str, Any] = next(row for row in rows if row["kind"] == kind)
    return found


def test_preferences_list_every_kind(django_assert_num_queries: Any) -> None:
    """Two statements: session, choices. By name, with what there is to choose from."""
    me = client_make()
    with django_assert_num_queries(2):
        rows = World.ok(me.get(PREFERENCES))["preferences"]
    names = [row["kind"] for row in rows]
    assert names == sorted(names)
    assert {"grant.given", "membership.added", "password.changed", "sign_in.new"} <= set(names)
    grant = preference(me, "grant.given")
    assert grant.pop("description")
    assert grant == {
        "kind": "grant.given",
        "channel": "email",
        "default": "email",
        "channels": ["in_app", "email", "digest", "none"],
        "mandatory": False,
    }


def test_preferences_hold_for_what_comes_next(world: World) -> None:
    """`none` leaves no trace, `digest` a row that waits; others are told as before. It is on record."""
    me = world.member("viewer")
    changed = World.ok(me.patch(PREFERENCES, {"channels": {"grant.given": "none"}}))
    assert {row["channel"] for row in changed["preferences"] if row["kind"] == "grant.given"} == {"none"}
    world.grant(world.document("Plan"), me, "viewer")
    assert kinds(me) == ["membership.added"]
    World.ok(me.patch(PREFERENCES, {"channels": {"grant.given": "digest"}}))
    world.grant(world.document("Other"), me, "viewer")
    assert Notification.objects.get(kind="grant.given").channel == "digest"
    assert Event.objects.filter(action="notification_preferences.changed").count() == 2
    World.ok(me.patch(PREFERENCES, {"channels": {"grant.given": "digest"}}))
    assert Event.objects.filter(action="notification_preferences.changed").count() == 2


@pytest.mark.parametrize(
    ("channels", "pointer"),
    [
        ({"no.such": "email"}, "/channels/no.such"),
        ({"a/b~c": "email"}, "/channels/a~1b~0c"),
        ({"grant.given": "pigeon"}, "/channels/grant.given"),
        ({"token.created": "none"}, "/channels/token.created"),
        ({"sign_in.new": "none", "grant.given": "none"}, "/channels/sign_in.new"),
        ({"password.changed": "none"}, "/channels/password.changed"),
        ({"password.changed": "email"}, "/channels/password.changed"),
    ],
)
def test_preferences_refuse_what_cannot_be_chosen(channels: dict[str, str], pointer: str) -> None:
    """Unknown kinds and channels, silence on thieves, a second mail: nothing of such a body is kept."""
    me = client_make()
    answer = me.patch(PREFERENCES, {"channels": channels})
    assert answer.status_code == 400
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert not NotificationPreference.objects.exists()


@pytest.mark.parametrize("body", [{}, {"channels": {}}, {"channels": []}, {"grant.given": "none"}])
def test_preferences_refuse_bodies_of_another_form(body: dict[str, Any]) -> None:
    """The kinds stand in `channels`."""
    assert client_make().patch(PREFERENCES, body).status_code == 400


def test_preference_that_is_offered_no_more_gives_way(world: World) -> None:
    """A kind that became mandatory is told whatever was chosen before."""
    me = client_make()
    assert me.user
    NotificationPreference.objects.create(user=me.user, kind="token.created", channel="none")
    assert preference(me, "token.created")["channel"] == "email"


def test_preference_of_a_warning_takes_a_fresh_proof() -> None:
    """Whoever has got hold of a session is not to silence what would give them away."""
    me = client_make()
    Session.objects.update(authenticated_at=F("authenticated_at") - dt.timedelta(days=1))
    World.ok(me.patch(PREFERENCES, {"channels": {"grant.given": "none"}}))
    body = {"channels": {"token.created": "in_app"}}
    assert World.ok(me.patch(PREFERENCES, body), 403)["code"] == "reauth_required"
    World.ok(me.post("auth/step-up/", {"password": PASSWORD}))
    World.ok(me.patch(PREFERENCES, body))
    assert preference(me, "token.created")["channel"] == "in_app"
