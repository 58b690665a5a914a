"""DELETE me/ and POST users/{id}/delete/: accounts that go, and what they leave behind."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actors import actor_for_command
from accounts.models import Identity, Notification, Session, Team, TeamManager, Token, User
from accounts.roles import ADMINISTRATOR
from accounts.services.exports import export_request
from accounts.services.notifications import notification_preferences_change
from accounts.services.people import profile_update
from accounts.services.second_factor import totp_start
from accounts.services.teams import team_create
from audit.models import Event
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotAuthenticated
from documents.models import Document, DocumentUserPermission, Invitation, Workspace, WorkspaceUserPermission
from tests.accounts.factories import PASSWORD, token_make, user_make
from tests.accounts.leaving import leaving_ends_all
from tests.documents.world import ABSENT, World, uid_of
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db


def boss_make() -> ApiClient:
    """A client of an administrator."""
    return client_make(user_make(role=ADMINISTRATOR))


def leave(client: ApiClient, receiver: ApiClient | str | None = None) -> Any:
    """The answer to a person's deletion of the own account."""
    uid = uid_of(receiver) if isinstance(receiver, ApiClient) else receiver
    return client.call("DELETE", "me/", {"hand_over_to": uid} if uid else None)


def erase(boss: ApiClient, person: ApiClient, receiver: ApiClient | None = None) -> Any:
    """The answer to the deletion of somebody else."""
    body = {"hand_over_to": uid_of(receiver)} if receiver else None
    return boss.post(f"users/{uid_of(person)}/delete/", body)


def row_of(person: ApiClient) -> User:
    """Their row of now."""
    return User.objects.get(uid=uid_of(person))


def owner_of(document: str) -> str:
    """The id of who answers for a document."""
    return str(Document.objects.get(uid=document).owner.uid)


def test_delete_holds_on_the_next_request() -> None:
    """With Redis up."""
    leaving_ends_all(leave)


@pytest.mark.usefixtures("redis_hung")
def test_delete_holds_while_redis_hangs() -> None:
    """With a Redis that answers nothing."""
    leaving_ends_all(leave)


def test_delete_leaves_a_row_that_names_nobody() -> None:
    """What was theirs alone is gone; revisions and events keep a referent."""
    world = World(client_make)
    person = world.member("editor")
    page = world.document(by=person)
    user, before = person.user, row_of(person)
    assert user
    token_make(user)
    Identity.objects.create(user=user, issuer="https://id.example.org", subject="1")
    Notification.objects.create(user=user, kind="grant.given", actor_name="Ann")
    assert leave(person).status_code == 204
    row = row_of(person)
    assert (row.name, row.email) == ("Deleted person", f"deleted-{row.uid}@deleted.invalid")
    assert row.email == row.email_key
    assert row.deleted_at is not None
    assert (row.is_active, row.is_staff, row.has_usable_password()) == (False, False, False)
    assert row.groups.count() == 0
    for model in (Identity, Notification, Session, Token, WorkspaceUserPermission):
        assert not model.objects.filter(user=row).exists(), model
    author = world.owner.get(f"documents/{page}/revisions/1/").json()["author"]
    assert (author["id"], author["name"]) == (str(row.uid), "Deleted person")
    event = Event.objects.get(action="user.deleted")
    assert (event.target_uid, event.actor_uid) == (before.uid, before.uid)


def test_delete_sets_the_address_free(mailoutbox: list[Any]) -> None:
    """A new account under it is another person, whom nothing of the old one's belongs to."""
    client = client_make(user_make("ann@example.org"))
    assert leave(client).status_code == 204
    again = user_make("ann@example.org")
    assert client_make(again).get("me/").json()["id"] != uid_of(client)


def test_delete_of_an_owner_needs_somebody_to_hand_over_to() -> None:
    """The workspaces are named; the receiver has to be in them, and is their owner then."""
    world = World(client_make)
    page = world.document()
    answer = leave(world.owner)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert answer.json()["workspaces"] == [{"id": world.workspace, "name": "World"}]
    heir = world.member("viewer")
    assert leave(world.owner, heir).status_code == 204
    assert heir.get(f"workspaces/{world.workspace}/").json()["role"] == "owner"
    assert owner_of(page) == uid_of(heir)
    event = Event.objects.get(action="member.changed")
    assert event.detail.content["changes"]["role"] == {"before": "viewer", "after": "owner"}
    told = heir.get("me/notifications/").json()["results"]
    assert "ownership.received" in {row["kind"] for row in told}
    assert world.owner.user
    assert world.owner.user.name not in str(told)
    handed = Event.objects.get(action="documents.handed_over")
    assert handed.facts == {"documents": 1, "from": uid_of(world.owner), "to": uid_of(heir)}


def test_delete_hands_over_to_a_member_by_team() -> None:
    """Who is in by a team alone gets a grant of their own."""
    world, heir = World(client_make), client_make()
    team = world.ok(heir.post("teams/", {"name": "Crew"}), 201)["id"]
    row = Team.objects.get(uid=team)
    row.group.user_set.add(row_of(world.owner))
    body = {"team": team, "role": "editor"}
    world.ok(world.owner.post(f"workspaces/{world.workspace}/members/", body), 201)
    assert leave(world.owner, heir).status_code == 204
    assert heir.get(f"workspaces/{world.workspace}/").json()["role"] == "owner"


def test_delete_hands_documents_to_members_only() -> None:
    """Where the receiver is no member the workspace's first owner answers for them; in the trash, too."""
    world = World(client_make)
    person, heir = world.member("editor"), client_make()
    common = world.ok(person.post("workspaces/", {"name": "Common"}), 201)["id"]
    body = {"user": uid_of(heir), "role": "viewer"}
    world.ok(person.post(f"workspaces/{common}/members/", body), 201)
    inside = world.document(by=person)
    trashed = world.document(by=person)
    world.ok(world.act(trashed, "trash", by=person))
    shared = world.ok(person.post("documents/", {"workspace": common, "title": "Shared"}), 201)["id"]
    assert leave(person, heir).status_code == 204
    assert owner_of(inside) == owner_of(trashed) == uid_of(world.owner)
    assert owner_of(shared) == uid_of(heir)
    assert heir.get(f"documents/{inside}/").status_code == 404


def test_delete_hands_over_to_nobody_unknown() -> None:
    """Strangers, the absent, oneself, who is kept out and a service are one 404; nothing is changed."""
    world = World(client_make)
    out = world.member("editor")
    User.objects.filter(uid=uid_of(out)).update(is_active=False)
    robot = user_make(kind=User.Kind.SERVICE)
    for receiver in (client_make(), ABSENT, world.owner, out, str(robot.uid)):
        assert leave(world.owner, receiver).status_code == 404
    assert world.owner.call("DELETE", "me/", {"heir": ABSENT}).json()["code"] == "unknown_property"
    assert world.owner.call("DELETE", "me/", {"hand_over_to": 7}).status_code == 400
    assert row_of(world.owner).deleted_at is None


def test_delete_of_a_person_by_staff() -> None:
    """By the permission, with a fresh proof; the receiver has to be in the workspace already."""
    world, boss = World(client_make), boss_make()
    heir, stranger = world.member("editor"), client_make()
    answer = erase(boss, world.owner, stranger)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert erase(boss, world.owner, boss).json()["code"] == "last_owner"
    assert erase(boss, world.owner, heir).status_code == 204
    assert boss.get(f"workspaces/{world.workspace}/").status_code == 404
    event = Event.objects.get(action="user.deleted")
    assert (str(event.actor_uid), str(event.target_uid)) == (uid_of(boss), uid_of(world.owner))


def test_delete_by_staff_is_refused() -> None:
    """Without the permission or proof, of oneself, of somebody who holds more, of the last administrator."""
    boss, person = boss_make(), client_make()
    assert erase(client_make(), person).status_code == 403
    assert erase(boss, boss).json()["code"] == "own_account"
    assert leave(boss).json()["code"] == "last_administrator"
    root = client_make(user_make(role=ADMINISTRATOR, is_superuser=True))
    assert erase(boss, root).status_code == 403
    assert boss.post(f"users/{user_make(kind=User.Kind.SERVICE).uid}/delete/").status_code == 404
    assert boss.post(f"users/{ABSENT}/delete/").status_code == 404
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    assert erase(boss, person).json()["code"] == "reauth_required"
    assert leave(person).json()["code"] == "reauth_required"
    assert not User.objects.filter(deleted_at__isnull=False).exists()


def test_deleted_people_are_nowhere() -> None:
    """They are no people any more: not to look at, to let in, to give something, to find, to delete again."""
    world, boss = World(client_make), boss_make()
    person = world.member("editor")
    assert erase(boss, person).status_code == 204
    path = f"users/{uid_of(person)}/"
    assert boss.get(path).status_code == 404
    assert boss.get(path + "roles/").status_code == 404
    for act, body in (("suspend", None), ("unsuspend", None), ("roles", {"role": "guest"}), ("delete", None)):
        assert boss.post(f"{path}{act}/", body).status_code == 404, act
    team = world.ok(boss.post("teams/", {"name": "Crew"}), 201)["id"]
    assert boss.post(f"teams/{team}/members/", {"user": uid_of(person)}).status_code == 404
    assert world.add(person, "viewer").status_code == 404
    page = world.document()
    grant = {"user": uid_of(person), "role": "viewer"}
    assert world.owner.post(f"documents/{page}/grants/", grant).status_code == 404
    assert "Deleted person" not in str(world.owner.get("users/").json())
    assert "Deleted person" not in str(world.owner.get(f"workspaces/{world.workspace}/members/").json())


def test_deleted_people_are_not_in_the_admin() -> None:
    """Neither in the list nor by their address."""
    root = user_make(role=ADMINISTRATOR, is_staff=True, is_superuser=True)
    person, browser = client_make(), Client()
    browser.post("/admin/login/?next=/admin/", {"username": root.email, "password": PASSWORD})
    row = row_of(person)
    form = {"action": "erase", "_selected_action": [row.pk]}
    assert browser.post("/admin/accounts/user/", form).status_code == 302
    assert row_of(person).deleted_at is not None
    assert b"Deleted person" not in browser.get("/admin/accounts/user/").content
    assert browser.get(f"/admin/accounts/user/{row.pk}/change/").status_code == 302


def test_delete_takes_back_invitations_and_managerships() -> None:
    """What was offered in their name is open no more; a team goes on without them."""
    world = World(client_make)
    person = world.member("manager")
    user, soon = row_of(person), timezone.now() + dt.timedelta(days=1)
    team = world.ok(person.post("teams/", {"name": "Crew"}), 201)["id"]
    invitation = Invitation.objects.create(
        workspace=Workspace.objects.get(uid=world.workspace),
        email="new@example.org",
        email_key="new@example.org",
        role="viewer",
        invited_by=user,
        expires_at=soon,
    )
    assert leave(person).status_code == 204
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None
    assert Event.objects.filter(action="invitation.revoked", target_uid=invitation.uid).exists()
    assert not TeamManager.objects.filter(team__uid=team).exists()
    assert not Team.objects.get(uid=team).group.user_set.exists()


def test_delete_forgets_the_address_that_was_invited() -> None:
    """Who invited them sees no more where the mail went; what is still open is an offer to the mailbox."""
    world, person = World(client_make), client_make(user_make("ann@example.org"))
    for end in (Now(), None):
        Invitation.objects.create(
            workspace=Workspace.objects.get(uid=world.workspace),
            email="Ann@example.org",
            email_key="ann@example.org",
            role="viewer",
            expires_at=timezone.now() + dt.timedelta(days=1),
            accepted_at=end,
            accepted_by=person.user if end else None,
        )
    assert leave(person).status_code == 204
    shown = world.owner.get(f"workspaces/{world.workspace}/invitations/").json()["results"]
    assert [row["state"] for row in shown] == ["open"]


def test_delete_keeps_the_service_accounts_of_a_workspace() -> None:
    """They are the workspace's."""
    world = World(client_make)
    heir = world.member("editor")
    robot = {"name": "Robot", "workspace": world.workspace}
    service = world.ok(world.owner.post("service-accounts/", robot), 201)["id"]
    assert leave(world.owner, heir).status_code == 204
    assert heir.get(f"service-accounts/{service}/").status_code == 200


def test_delete_costs_the_same_for_many_documents() -> None:
    """No statement more for two hundred than for two."""
    world = World(client_make)
    costs = []
    for number in (2, 200):
        person = world.member("editor")
        first = Document.objects.get(uid=world.document(by=person))
        _multiply(first, number)
        with CaptureQueriesContext(connection) as captured:
            assert leave(person).status_code == 204
        costs.append(len(captured))
        assert Document.objects.filter(owner=row_of(world.owner)).count() >= number
    assert costs[0] == costs[1]


def _multiply(document: Document, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO documents_document (uid, workspace_id, position, title, language, owner_id, icon,
            tags, inherits_access, state, template, revision, lock_reason)
            SELECT gen_random_uuid(), workspace_id, position || n, title, language, owner_id, '', '{}', true,
            'published', false, 1, '' FROM documents_document, generate_series(2, %s) n WHERE id = %s""",
            [number, document.pk],
        )


def _at_once(*acts: Callable[[], Any]) -> list[int]:
    answers: list[int] = []

    def run(act: Callable[[], Any]) -> None:
        try:
            answers.append(act().status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


@pytest.mark.django_db(transaction=True)
def test_two_deletions_at_once_are_one() -> None:
    """One goes through; to the other there is nobody any more."""
    bosses, person = [boss_make(), boss_make()], client_make()
    acts = [lambda boss=boss: erase(boss, person) for boss in bosses]
    assert _at_once(*acts) == [204, 404]
    assert Event.objects.filter(action="user.deleted").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [leave, lambda person: person.post("me/deactivate/")])
def test_leaving_that_waits_for_a_suspension_is_refused(act: Callable[[ApiClient], Any]) -> None:
    """Whoever is being kept out can't make away with the account by a request that was under way."""
    boss, person = boss_make(), client_make()
    answers: list[int] = []

    def go() -> None:
        answers.append(act(person).status_code)
        connection.close()

    thread = threading.Thread(target=go)
    with transaction.atomic():
        assert boss.post(f"users/{uid_of(person)}/suspend/").status_code == 200
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert answers == [401]
    row = row_of(person)
    assert (row.suspended_at is None, row.deactivated_at, row.deleted_at) == (False, None, None)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_delete_themselves_at_once_leave_one() -> None:
    """The other one is the last owner by then."""
    world = World(client_make)
    second = world.member("owner")
    assert _at_once(lambda: leave(world.owner), lambda: leave(second)) == [204, 409]


@pytest.mark.django_db(transaction=True)
def test_grant_that_waits_for_a_deletion_is_given_to_nobody() -> None:
    """Whoever is being deleted gets nothing more, though the row stays."""
    world, person = World(client_make), client_make()
    page, boss = world.document(), boss_make()
    answers: list[int] = []

    def grant() -> None:
        answers.append(world.add(person, "editor").status_code)
        body = {"user": uid_of(person), "role": "editor"}
        answers.append(world.owner.post(f"documents/{page}/grants/", body).status_code)
        connection.close()

    thread = threading.Thread(target=grant)
    with transaction.atomic():
        assert erase(boss, person).status_code == 204
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert answers == [404, 404]
    assert not WorkspaceUserPermission.objects.filter(user__uid=uid_of(person)).exists()
    assert not DocumentUserPermission.objects.filter(user__uid=uid_of(person)).exists()


@pytest.mark.django_db(transaction=True)
def test_deletion_waits_for_a_grant_and_takes_it_along() -> None:
    """What was being given while the deletion began goes as well."""
    world, person, boss = World(client_make), client_make(), boss_make()
    answers: list[int] = []

    def delete() -> None:
        answers.append(erase(boss, person).status_code)
        connection.close()

    thread = threading.Thread(target=delete)
    with transaction.atomic():
        world.ok(world.add(person, "editor"), 201)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert answers == [204]
    assert not WorkspaceUserPermission.objects.filter(user__uid=uid_of(person)).exists()


@pytest.mark.parametrize(
    "late",
    [
        lambda actor: profile_update(actor=actor, changes={"name": "Still here"}),
        lambda actor: team_create(actor=actor, name="Ghosts"),
        lambda actor: notification_preferences_change(actor=actor, channels={"grant.given": "none"}),
        lambda actor: totp_start(actor=actor),
        lambda actor: export_request(actor=actor),
    ],
)
def test_request_under_way_at_a_deletion_writes_nothing(late: Callable[[Actor], Any]) -> None:
    """It was let in before, and finds the account gone: nothing of it is on the row that names nobody."""
    person = client_make()
    assert person.user is not None
    actor = actor_for_command(person.user, "late")
    assert leave(person).status_code == 204
    with pytest.raises(NotAuthenticated):
        late(actor)
    assert row_of(person).name == "Deleted person"
