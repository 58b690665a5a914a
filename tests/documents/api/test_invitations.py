"""`workspaces/{id}/invitations/`, inviting by address, and accepting."""

from __future__ import annotations

import datetime as dt
import re
import threading
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Event
from cloudscribe.jobs.models import Job
from documents.models import Invitation, Workspace, WorkspaceUserPermission
from documents.roles import ROLE_OF_CODENAME
from documents.services.invitations import invitations_purge
from security.models import RateLimitPolicy
from tests.accounts.api.test_registration import mailed, token_in
from tests.accounts.factories import PASSWORD, token_make, user_make
from tests.documents.world import ABSENT, World, statements, uid_of
from tests.fixtures import ApiClient

GUEST = "Guest@Example.org"
EARLIER = {"last_sent_at": F("last_sent_at") - dt.timedelta(minutes=2)}


def invite(world: World, email: str = GUEST, role: str = "editor", by: Any = None, **more: Any) -> Any:
    """The answer to inviting an address."""
    body = {"email": email, "role": role, **more}
    return (by or world.owner).post(f"workspaces/{world.workspace}/members/", body)


def invited(world: World, email: str = GUEST, role: str = "editor", by: Any = None, **more: Any) -> str:
    """The path of a new invitation."""
    found = World.ok(invite(world, email, role, by, **more), 202)["id"]
    return f"workspaces/{world.workspace}/invitations/{found}/"


def accept(person: ApiClient, token: str) -> Any:
    """The answer to accepting."""
    return person.post("auth/invitations/accept/", {"token": token})


def roles_in(world: World, person: ApiClient) -> list[str]:
    """The roles that a person has been given in the workspace, the oldest first."""
    rows = WorkspaceUserPermission.objects.filter(user=person.user, content_object__uid=world.workspace)
    codenames = rows.order_by("pk").values_list("permission__codename", flat=True)
    return [ROLE_OF_CODENAME[name].value for name in codenames]


def register(email: str = GUEST) -> Any:
    """The answer to following the mail of a registration."""
    guest = ApiClient()
    guest.post("auth/register/", {"email": email, "password": PASSWORD, "name": "Guest"})
    return guest.post("auth/verify-email/", {"token": token_in(mailed())})


# --- inviting -------------------------------------------------------------------------------------------
def test_invite_answers_with_the_invitation(world: World) -> None:
    """The whole answer: 202 without a Location, for there is no job to follow."""
    answer = invite(world)
    body = World.ok(answer, 202)
    times = {name: body.pop(name) for name in ("created_at", "updated_at", "expires_at")}
    assert body.pop("id") == str(Invitation.objects.get().uid)
    assert body == {
        "workspace": world.workspace,
        "email": GUEST,
        "role": "editor",
        "state": "open",
        "membership_expires_at": None,
        "invited_by": uid_of(world.owner),
        "sent_count": 1,
    }
    assert times["created_at"] < times["expires_at"]
    assert "Location" not in answer.headers
    assert Event.objects.filter(action="invitation.created").count() == 1


def test_invite_known_and_unknown_alike(world: World) -> None:
    """Same answer and same statements for nobody's address, a person's, a member's and a suspended one's."""
    user_make("known@example.org")
    world.add(world.client_for(user_make("member@example.org")), "viewer")
    user_make("suspended@example.org", is_active=False)
    invite(world, "warm@example.org")
    seen = []
    for name in ("unknown", "known", "member", "suspended"):
        with CaptureQueriesContext(connection) as captured:
            body = World.ok(invite(world, f"{name}@example.org"), 202)
        shapes = [re.sub(r"'[^']*'|\d+", "?", query["sql"] or "")[:80] for query in captured.captured_queries]
        jobs = Job.objects.filter(payload__message="invitation").count()
        own = ("id", "email", "created_at", "updated_at", "expires_at")
        seen.append((shapes, jobs, {key: value for key, value in body.items() if key not in own}))
    assert [jobs for _, jobs, _ in seen] == [2, 3, 4, 5]
    assert all((shapes, body) == (seen[0][0], seen[0][2]) for shapes, _, body in seen)


def test_invite_mails_the_address(world: World) -> None:
    """Text and HTML name the workspace and who invites, and link to the page."""
    World.ok(world.owner.patch(f"workspaces/{world.workspace}/", {"name": "Ink & <Paper>"}))
    invited(world)
    mail = mailed()
    assert (mail.to, mail.subject) == ([GUEST], "You are invited to Ink & <Paper>")
    assert f"{world.owner.user.name} invites you to the workspace Ink & <Paper> as editor" in mail.body
    assert "/account/invitation/?token=" in mail.body
    html = mail.alternatives[0].content
    assert "Ink &amp; &lt;Paper&gt;" in html
    assert token_in(mail) in html


def test_invite_by_role(world: World) -> None:
    """Managers and up invite, up to their own role, as they add members."""
    manager, editor, outsider = world.member("manager"), world.member("editor"), world.client_for()
    assert invite(world, role="owner", by=manager).status_code == 403
    assert invite(world, role="viewer", by=editor).status_code == 403
    assert invite(world, role="viewer", by=outsider).status_code == 404
    assert not Invitation.objects.exists()
    assert invite(world, role="manager", by=manager).status_code == 202


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": "no address"}, "/email"),
        ({"email": GUEST, "user": ABSENT}, "/user"),
        ({"email": GUEST, "role": "king"}, "/role"),
        ({"email": GUEST, "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"email": GUEST, "note": "x"}, "/note"),
    ],
)
def test_invite_unacceptable_is_named(world: World, body: dict[str, Any], pointer: str) -> None:
    """Every fault is 400, names its field and leaves no invitation."""
    answer = world.owner.post(f"workspaces/{world.workspace}/members/", {"role": "viewer", **body})
    assert answer.status_code == 400
    assert pointer in {fault["pointer"] for fault in answer.json()["errors"]}
    assert not Invitation.objects.exists()


def test_invite_twice_renews_the_role_in_one_row(world: World) -> None:
    """The second one changes the role; within a minute it is not mailed again, later it is."""
    first = World.ok(invite(world, role="viewer"), 202)
    second = World.ok(invite(world, GUEST.upper(), "manager"), 202)
    assert (second["id"], second["role"], second["sent_count"]) == (first["id"], "manager", 1)
    Invitation.objects.update(**EARLIER)
    assert World.ok(invite(world), 202)["sent_count"] == 2
    assert Invitation.objects.count() == 1
    assert Job.objects.filter(payload__message="invitation").count() == 2


def test_invite_over_a_role_above_the_own_is_forbidden(world: World) -> None:
    """A manager doesn't change what an owner gave."""
    manager = world.member("manager")
    invited(world, role="owner")
    assert invite(world, role="viewer", by=manager).status_code == 403
    assert Invitation.objects.get().role == "owner"


def test_invite_again_and_again_mails_five_times(world: World) -> None:
    """Neither inviting twice nor revoking in between gets round the cap."""
    for _ in range(4):
        path = invited(world)
        Invitation.objects.update(**EARLIER)
        assert invite(world).status_code == 202
        World.ok(world.owner.delete(path), 204)
        Invitation.objects.update(**EARLIER)
    assert World.ok(invite(world), 202)["sent_count"] == 5
    assert Job.objects.filter(payload__message="invitation").count() == 5


def test_invite_with_an_idempotency_key_is_done_once(world: World) -> None:
    """Whoever lost the answer gets it again, and the address no second mail."""
    body, path = {"email": GUEST, "role": "viewer"}, f"workspaces/{world.workspace}/members/"
    answers = [world.owner.post(path, body, Idempotency_Key="invite-guest-0001") for _ in range(2)]
    assert World.ok(answers[0], 202) == World.ok(answers[1], 202)
    assert Event.objects.filter(action__startswith="invitation.").count() == 1


@pytest.mark.parametrize(("own", "status"), [(True, 202), (False, 404)])
def test_invite_by_a_token_of_one_workspace(world: World, own: bool, status: int) -> None:
    """A token that is cut to a workspace invites there and nowhere else."""
    other = World(lambda: world.owner)
    room = Workspace.objects.get(uid=(world if own else other).workspace)
    cut = {"workspace_pk": room.pk, "workspace_uid": room.uid}
    token = ApiClient(token_make(world.owner.user, "workspaces:manage", **cut))
    assert invite(world, by=token).status_code == status
    path = f"workspaces/{world.workspace}/invitations/"
    assert token.get(path).status_code == (200 if own else 404)


def test_invite_counts_as_mail(world: World, own_rules: None) -> None:
    """Inviting has the limit of mails, adding a member that of writes."""
    RateLimitPolicy.objects.filter(scope="mail", key="user").update(requests=1)
    assert invite(world).status_code == 202
    assert invite(world, "other@example.org").status_code == 429
    assert world.add(world.client_for(), "viewer").status_code == 201


# --- seeing, mailing again, taking back -------------------------------------------------------------------
def test_list_by_state(world: World) -> None:
    """All of them, the newest first, or those of one state."""
    for name in ("open", "expired", "revoked", "accepted"):
        path = invited(world, f"{name}@example.org")
        if name == "expired":
            Invitation.objects.filter(email__startswith=name).update(expires_at=F("created_at"))
        if name == "revoked":
            World.ok(world.owner.delete(path), 204)
        if name == "accepted":
            World.ok(accept(world.client_for(user_make(f"{name}@example.org")), token_in(mailed())))
    path = f"workspaces/{world.workspace}/invitations/"
    states = [row["state"] for row in World.ok(world.owner.get(path))["results"]]
    assert states == ["accepted", "revoked", "expired", "open"]
    for state in states:
        found = World.ok(world.owner.get(f"{path}?state={state}"))["results"]
        assert [row["email"] for row in found] == [f"{state}@example.org"]
    assert world.owner.get(f"{path}?state=lost").status_code == 400


def test_list_and_detail_ask_little(world: World) -> None:
    """Four statements each, however many there are.

    1 session and rights, 2 the map of rights, 3 the workspace, 4 the rows with workspace and inviter.
    """
    path = invited(world)
    for number in range(3):
        invited(world, f"guest{number}@example.org")
    with statements(4):
        World.ok(world.owner.get(f"workspaces/{world.workspace}/invitations/"))
    with statements(4):
        World.ok(world.owner.get(path))


def test_invitation_of_another_workspace_is_not_found(world: World) -> None:
    """Found under its own workspace alone, whatever one owns."""
    other = World(world.client_for)
    path = invited(world).replace(world.workspace, other.workspace)
    assert other.owner.get(path).status_code == 404
    assert other.owner.delete(path).status_code == 404
    assert other.owner.post(path + "resend/").status_code == 404


def test_resend_lets_it_hold_anew(world: World) -> None:
    """Another mail with the same token, in the name of who sends it, and a new week."""
    path = invited(world)
    manager = world.member("manager")
    Invitation.objects.update(expires_at=F("expires_at") - dt.timedelta(days=6), **EARLIER)
    before = World.ok(world.owner.get(path))
    after = World.ok(manager.post(path + "resend/"), 202)
    assert after["sent_count"] == 2
    assert after["expires_at"] > before["expires_at"]
    assert after["invited_by"] == uid_of(manager)
    assert manager.user.name in mailed().body
    assert Event.objects.filter(action="invitation.resent").count() == 1


def test_resend_once_a_minute_and_five_times(world: World) -> None:
    """429 says how long to wait; after five mails it is 409."""
    path = invited(world)
    answer = world.owner.post(path + "resend/")
    assert (answer.status_code, answer.json()["code"]) == (429, "invitation_just_sent")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    for _ in range(4):
        Invitation.objects.update(**EARLIER)
        World.ok(world.owner.post(path + "resend/"), 202)
    Invitation.objects.update(**EARLIER)
    answer = world.owner.post(path + "resend/")
    assert (answer.status_code, answer.json()["code"]) == (409, "invitation_mails_spent")
    assert Job.objects.filter(payload__message="invitation").count() == 5


@pytest.mark.parametrize("end", ["revoked", "expired", "accepted"])
def test_resend_of_a_closed_one_is_a_conflict(world: World, end: str) -> None:
    """What is over is not mailed again."""
    path = invited(world)
    close(world, path, end)
    answer = world.owner.post(path + "resend/")
    assert (answer.status_code, answer.json()["code"]) == (409, "invitation_closed")


def test_revoke_above_the_own_role_is_forbidden(world: World) -> None:
    """As with members: nobody removes what reaches above them."""
    path, manager = invited(world, role="owner"), world.member("manager")
    assert manager.delete(path).status_code == 403
    assert manager.post(path + "resend/").status_code == 403
    World.ok(world.owner.delete(path), 204)
    assert world.owner.delete(path).status_code == 409
    assert Event.objects.filter(action="invitation.revoked").count() == 1


def close(world: World, path: str, end: str) -> None:
    """Bring an invitation to an end."""
    if end == "revoked":
        World.ok(world.owner.delete(path), 204)
    if end == "expired":
        Invitation.objects.update(expires_at=F("created_at") - dt.timedelta(seconds=1))
    if end == "accepted":
        World.ok(accept(world.client_for(user_make(GUEST)), token_in(mailed())))


def test_purge_removes_what_ended_long_ago(world: World) -> None:
    """Addresses of people who never came don't stay for ever."""
    invited(world)
    assert invitations_purge() == 0
    Invitation.objects.update(expires_at=F("created_at") - dt.timedelta(days=101))
    assert invitations_purge() == 1


# --- accepting --------------------------------------------------------------------------------------------
def test_accept_makes_a_member(world: World) -> None:
    """The invited person is a member on the next request, as the inviter's grant, once."""
    person, document = world.client_for(user_make("guest@example.org")), world.document()
    path = invited(world)
    token = token_in(mailed())
    answer = accept(person, token)
    assert World.ok(answer) == {"workspace": world.workspace, "role": "editor"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert person.get(f"documents/{document}/").status_code == 200
    assert WorkspaceUserPermission.objects.get(user=person.user).granted_by == world.owner.user
    assert World.ok(world.owner.get(path))["state"] == "accepted"
    again = accept(person, token)
    assert (again.status_code, again.json()["code"]) == (400, "invalid_token")
    actions = list(Event.objects.order_by("sequence").values_list("action", flat=True))
    assert actions[-2:] == ["invitation.accepted", "member.added"]


def test_accept_with_another_account_is_forbidden(world: World) -> None:
    """A forwarded mail lets no stranger in, and leaves the invitation open."""
    path = invited(world)
    token, stranger = token_in(mailed()), world.client_for()
    answer = accept(stranger, token)
    assert (answer.status_code, answer.json()["code"]) == (403, "invitation_for_another")
    assert roles_in(world, stranger) == []
    assert World.ok(world.owner.get(path))["state"] == "open"


def test_accept_without_signing_in_or_by_a_token(world: World) -> None:
    """Nobody is 401; a personal access token is for other things."""
    invited(world)
    token, person = token_in(mailed()), user_make(GUEST)
    assert accept(ApiClient(), token).status_code == 401
    answer = accept(ApiClient(token_make(person)), token)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


@pytest.mark.parametrize("end", ["revoked", "expired", "membership over", "changed"])
def test_accept_what_holds_no_more_is_400(world: World, end: str) -> None:
    """It stops at its moment, by the database's clock, without a job."""
    until = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
    path, person = invited(world, expires_at=until), world.client_for(user_make(GUEST))
    token = token_in(mailed())
    close(world, path, end)
    if end == "membership over":
        Invitation.objects.update(grant_expires_at=F("created_at") - dt.timedelta(seconds=1))
    if end == "changed":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    answer = accept(person, token)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")
    assert roles_in(world, person) == []


@pytest.mark.parametrize("fate", ["removed", "demoted", "suspended", "below the role"])
def test_accept_of_an_inviter_who_lost_the_right_is_400(world: World, fate: str) -> None:
    """What they could not give any more their invitation doesn't give, and isn't mailed."""
    inviter, person = world.member("owner"), world.client_for(user_make(GUEST))
    invited(world, role="owner", by=inviter)
    token = token_in(mailed())
    rows = World.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"]
    uid = next(row["id"] for row in rows if row["user"] == uid_of(inviter))
    member = f"workspaces/{world.workspace}/members/{uid}/"
    if fate == "removed":
        World.ok(world.owner.delete(member), 204)
    if fate == "demoted":
        World.ok(world.owner.patch(member, {"role": "editor"}))
    if fate == "below the role":
        World.ok(world.owner.patch(member, {"role": "manager"}))
    if fate == "suspended":
        User.objects.filter(pk=inviter.user.pk).update(is_active=False)
    assert mailed() is None
    answer = accept(person, token)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")
    assert roles_in(world, person) == []


@pytest.mark.parametrize(
    ("has", "gets", "then", "action"),
    [
        ("manager", "viewer", ["manager"], "invitation.accepted"),
        ("editor", "editor", ["editor"], "invitation.accepted"),
        ("viewer", "manager", ["manager"], "member.changed"),
    ],
)
def test_accept_by_a_member_never_lowers(
    world: World, has: str, gets: str, then: list[str], action: str
) -> None:
    """Who has as much already keeps it; who has less gets more."""
    person = world.client_for(user_make(GUEST))
    World.ok(world.add(person, has), 201)
    invited(world, role=gets)
    assert World.ok(accept(person, token_in(mailed())))["role"] == then[0]
    assert roles_in(world, person) == then
    assert Event.objects.latest("sequence").action == action


def test_accept_for_a_time(world: World) -> None:
    """The membership ends when the inviter said, and never cuts short what stands."""
    person = world.client_for(user_make(GUEST))
    soon, later = ((dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)).isoformat() for hours in (1, 2))
    World.ok(world.add(person, "manager", expires_at=soon), 201)
    invited(world, role="editor", expires_at=later)
    World.ok(accept(person, token_in(mailed())))
    assert roles_in(world, person) == ["manager"]
    WorkspaceUserPermission.objects.filter(user=person.user).update(expires_at=F("created_at"))
    Invitation.objects.update(**EARLIER)
    answer = World.ok(invite(world, role="editor", expires_at=later), 202)
    assert answer["membership_expires_at"][:16] == later[:16]
    World.ok(accept(person, token_in(mailed())))
    assert WorkspaceUserPermission.objects.get(user=person.user).origin == "temporary"


def test_accept_in_a_deleted_workspace_is_400(world: World) -> None:
    """Invitations go with the workspace."""
    invited(world)
    token = token_in(mailed())
    World.ok(world.owner.delete(f"workspaces/{world.workspace}/"), 204)
    assert accept(world.client_for(user_make(GUEST)), token).status_code == 400


def test_invite_and_accept_without_redis(world: World, redis_gone: None) -> None:
    """Nothing of it needs Redis."""
    invited(world)
    World.ok(accept(world.client_for(user_make(GUEST)), token_in(mailed())))


@pytest.mark.django_db(transaction=True)
def test_accept_twice_at_once_gives_one_membership(client_for: Any) -> None:
    """Of two tabs one accepts."""
    world = World(client_for)
    invited(world)
    token, user = token_in(mailed()), user_make(GUEST)
    tabs = [client_for(user), client_for(user)]
    start, statuses = threading.Barrier(2), []

    def take(tab: ApiClient) -> None:
        start.wait(5)
        statuses.append(accept(tab, token).status_code)
        connection.close()

    threads = [threading.Thread(target=take, args=[tab]) for tab in tabs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(statuses) == [200, 400]
    assert WorkspaceUserPermission.objects.filter(user=user).count() == 1


# --- the page ---------------------------------------------------------------------------------------------
def page(method: str, token: str) -> Any:
    """The page of the mail's link, or what its button gives."""
    if method == "GET":
        return ApiClient().get(f"/account/invitation/?token={token}")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return ApiClient().call("POST", "/account/invitation/", raw=f"token={token}".encode(), **kind)


def test_page_makes_the_invited_person_a_member(world: World) -> None:
    """Following the link changes nothing; the button does, for the owner of the address and nobody else."""
    person = world.client_for(user_make(GUEST))
    invited(world)
    token = token_in(mailed())
    shown = page("GET", token)
    assert shown.status_code == 200
    assert f"{world.owner.user.name} invites you" in shown.content.decode()
    assert roles_in(world, person) == []
    done = page("POST", token)
    assert (done.status_code, done.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert 'role="status"' in done.content.decode()
    assert roles_in(world, person) == ["editor"]
    event = Event.objects.get(action="invitation.accepted")
    assert (event.actor_uid, event.credential_kind) == (person.user.uid, "token")
    assert page("POST", token).status_code == 400


def test_page_without_an_account_says_what_to_do(world: World) -> None:
    """There is nobody yet to become a member."""
    invited(world)
    answer = page("POST", token_in(mailed()))
    assert answer.status_code == 409
    assert "Register with the address" in answer.content.decode()


# --- joining ----------------------------------------------------------------------------------------------
def test_register_converts_all_that_waits(world: World) -> None:
    """Whoever confirms the address is a member of every workspace that invited it, but of no other."""
    other, third = World(world.client_for), World(world.client_for)
    invited(world)
    invited(other, "guest@EXAMPLE.org", "viewer")
    World.ok(third.owner.delete(invited(third)), 204)
    assert register().status_code == 200
    person = ApiClient()
    person.user = User.objects.get(email=GUEST)
    assert [roles_in(place, person) for place in (world, other, third)] == [["editor"], ["viewer"], []]
    assert Event.objects.filter(action="invitation.accepted").count() == 2


def test_register_leaves_what_the_inviter_could_not_give(world: World) -> None:
    """An invitation that gives nothing any more stops nobody from joining."""
    inviter = world.member("manager")
    invited(world, by=inviter)
    User.objects.filter(pk=inviter.user.pk).update(is_active=False)
    assert register().status_code == 200
    assert Invitation.objects.get().accepted_at is None


def test_register_while_the_workspace_is_busy(world: World) -> None:
    """The account is made; the invitation waits on for its token."""
    invited(world)
    token = token_in(mailed())
    Workspace.objects.filter(uid=world.workspace).update(busy_job=ABSENT)
    assert register().status_code == 200
    person = world.client_for(User.objects.get(email=GUEST))
    assert accept(person, token).status_code == 423
    Workspace.objects.filter(uid=world.workspace).update(busy_job=None)
    World.ok(accept(person, token))
