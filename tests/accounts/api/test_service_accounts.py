"""service-accounts/ and their tokens."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Session, User
from accounts.services import admin_create
from accounts.services.sessions import sign_in
from audit.models import Event
from tests.accounts.api.test_tokens import asked
from tests.accounts.factories import PASSWORD, token_make, user_make
from tests.actors import command
from tests.fixtures import ApiClient, client_make

PATH = "service-accounts/"


@pytest.fixture(scope="module")
def office(for_all_tests: None) -> ApiClient:
    """An administrator of all tests."""
    user, _ = admin_create(actor=command(), email="boss@example.org", password=PASSWORD)
    return client_make(user)


@pytest.fixture
def boss(office: ApiClient, as_made: None) -> ApiClient:
    """An administrator."""
    return office


class Room:
    """A workspace with an owner, a manager and a document."""

    def __init__(self) -> None:
        self.owner, self.manager = client_make(), client_make()
        self.uid = self.owner.post("workspaces/", {"name": "Room"}).json()["id"]
        self.member(self.manager.user.uid, "manager")  # type: ignore[union-attr]
        body = {"workspace": self.uid, "title": "Page"}
        self.page = self.owner.post("documents/", body).json()["id"]

    def member(self, user: uuid.UUID | str, role: str) -> None:
        """Somebody joins."""
        answer = self.owner.post(f"workspaces/{self.uid}/members/", {"user": str(user), "role": role})
        assert answer.status_code == 201

    def account(self) -> str:
        """A service account of the workspace."""
        return str(self.owner.post(PATH, {"name": "Robot", "workspace": self.uid}).json()["id"])


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> Room:
    """A workspace of all tests."""
    return Room()


@pytest.fixture
def room(made: Room, as_made: None) -> Room:
    """A workspace."""
    return made


def test_create_by_owner_is_granted_and_signs_in_by_token(room: Room) -> None:
    """An owner makes it, grants it like a person, and mints; it sees the workspace as itself, not more."""
    made = room.owner.post(PATH, {"name": "Robot", "description": "Builds.", "workspace": room.uid})
    body = made.json()
    assert made.status_code == 201
    assert (body["name"], body["description"], body["workspace"]) == ("Robot", "Builds.", room.uid)
    assert body["created_by"] == str(room.owner.user.uid)  # type: ignore[union-attr]
    assert room.owner.get(f"{PATH}{body['id']}/").json() == body
    token = room.owner.post(f"{PATH}{body['id']}/tokens/", asked("documents:read", "documents:write")).json()
    robot = ApiClient(token["token"])
    assert robot.get("documents/").json()["results"] == []
    room.member(body["id"], "editor")
    assert [row["id"] for row in robot.get("documents/").json()["results"]] == [room.page]
    written = robot.post("documents/", {"workspace": room.uid, "title": "Built"}).json()
    assert written["created_by"] == {"kind": "service", "id": body["id"], "name": "Robot"}
    event = Event.objects.get(action="document.created", target_uid=written["id"])
    assert (event.actor_kind, event.credential_kind, str(event.credential_uid)) == (
        "service",
        "token",
        token["id"],
    )


def test_create_by_others_is_refused(room: Room, boss: ApiClient) -> None:
    """Managers don't make them, strangers don't see the workspace; the platform's need the permission."""
    body = {"name": "Robot", "workspace": room.uid}
    assert room.manager.post(PATH, body).status_code == 403
    assert client_make().post(PATH, body).status_code == 404
    assert boss.post(PATH, body).status_code == 404
    assert room.owner.post(PATH, {"name": "Robot"}).json()["permission"] == "accounts.manage_service_accounts"
    assert boss.post(PATH, {"name": "Robot"}).status_code == 201


def test_list_shows_whom_one_answers_for(room: Room, boss: ApiClient, django_assert_num_queries: Any) -> None:
    """Owners see those of their workspaces, administrators all, nobody else any.

    Four statements: sign-in, permissions, owned workspaces, page; the grants are cached.
    """
    mine = room.account()
    platform = boss.post(PATH, {"name": "Platform"}).json()["id"]
    with django_assert_num_queries(4):
        answer = room.owner.get(PATH)
    assert [row["id"] for row in answer.json()["results"]] == [mine]
    assert [row["id"] for row in boss.get(PATH).json()["results"]] == [platform, mine]
    assert room.manager.get(PATH).json()["results"] == []
    for client in (room.manager, client_make()):
        assert client.get(f"{PATH}{mine}/").status_code == 404
        assert client.get(f"{PATH}{mine}/tokens/").status_code == 404
        assert client.post(f"{PATH}{mine}/tokens/", asked()).status_code == 404
        assert client.delete(f"{PATH}{mine}/").status_code == 404


def test_former_owner_has_no_hand_on_it(room: Room) -> None:
    """Who made it answers for it only as long as they own the workspace, or it would be a way back in."""
    mine = room.account()
    second = client_make()
    room.member(second.user.uid, "owner")  # type: ignore[union-attr]
    members = second.get(f"workspaces/{room.uid}/members/").json()["results"]
    first = next(row for row in members if row["user"] == str(room.owner.user.uid))  # type: ignore[union-attr]
    assert second.delete(f"workspaces/{room.uid}/members/{first['id']}/").status_code == 204
    assert room.owner.post(f"{PATH}{mine}/tokens/", asked()).status_code == 404
    assert second.post(f"{PATH}{mine}/tokens/", asked()).status_code == 201


def test_token_of_a_workspaces_account_stays_inside(room: Room) -> None:
    """Whatever other workspaces grant it: its owners get no eyes elsewhere."""
    mine = room.account()
    room.member(mine, "viewer")
    elsewhere = Room()
    elsewhere.member(mine, "viewer")
    minted = room.owner.post(f"{PATH}{mine}/tokens/", asked()).json()
    assert minted["workspace"] == room.uid
    rows = ApiClient(minted["token"]).get("documents/").json()["results"]
    assert [row["id"] for row in rows] == [room.page]
    for place in ({"workspace": elsewhere.uid}, {"document": elsewhere.page}):
        assert room.owner.post(f"{PATH}{mine}/tokens/", asked(**place)).status_code == 404
    assert room.owner.post(f"{PATH}{mine}/tokens/", asked(document=room.page)).status_code == 201


def test_administrator_mints_nothing_for_a_workspaces_account(room: Room, boss: ApiClient) -> None:
    """An office gives no right on documents, by this way neither: it may take the account away alone."""
    mine = room.account()
    assert boss.post(f"{PATH}{mine}/tokens/", asked()).status_code == 403
    assert boss.delete(f"{PATH}{mine}/").status_code == 204


def test_mint_with_a_stale_session_asks_to_step_up(room: Room) -> None:
    """Like the own tokens."""
    mine = room.account()
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    answer = room.owner.post(f"{PATH}{mine}/tokens/", asked())
    assert (answer.status_code, answer.json()["code"]) == (403, "reauth_required")


def test_delete_ends_tokens_and_grants(room: Room) -> None:
    """On the next request; its grants go, what it wrote stays with its name, and nothing of it shows."""
    mine = room.account()
    room.member(mine, "editor")
    room.owner.post(f"documents/{room.page}/grants/", {"user": mine, "role": "viewer"})
    token = room.owner.post(f"{PATH}{mine}/tokens/", asked("documents:write", "documents:read")).json()
    robot = ApiClient(token["token"])
    written = robot.post("documents/", {"workspace": room.uid, "title": "Built"}).json()["id"]
    assert room.owner.delete(f"{PATH}{mine}/").status_code == 204
    assert robot.get("documents/").status_code == 401
    assert room.owner.get(f"documents/{written}/").json()["created_by"]["name"] == "Robot"
    members = room.owner.get(f"workspaces/{room.uid}/members/").json()["results"]
    assert mine not in [row["user"] for row in members]
    assert room.owner.get(f"documents/{room.page}/grants/").json()["results"] == []
    assert room.owner.get(f"{PATH}{mine}/").status_code == 404
    actions = Event.objects.order_by("sequence").values_list("action", flat=True)
    assert list(actions)[-4:] == [
        "member.removed",
        "grant.removed",
        "token.revoked",
        "service_account.deleted",
    ]


def test_delete_of_the_last_owner_is_refused(room: Room, boss: ApiClient) -> None:
    """A workspace keeps an owner; nothing of the refused deletion stays."""
    mine = room.account()
    room.member(mine, "owner")
    members = room.owner.get(f"workspaces/{room.uid}/members/").json()["results"]
    own = next(row for row in members if row["user"] == str(room.owner.user.uid))  # type: ignore[union-attr]
    assert room.owner.delete(f"workspaces/{room.uid}/members/{own['id']}/").status_code == 204
    answer = boss.delete(f"{PATH}{mine}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert boss.get(f"{PATH}{mine}/").json()["is_active"] is True


def test_suspended_account_is_out_until_it_is_let_in(room: Room, boss: ApiClient) -> None:
    """Suspension holds for programs as for people."""
    mine = room.account()
    token = room.owner.post(f"{PATH}{mine}/tokens/", asked()).json()["token"]
    assert boss.post(f"users/{mine}/suspend/", {}).status_code == 200
    assert ApiClient(token).get("documents/").status_code == 401
    assert room.owner.get(f"{PATH}{mine}/").json()["is_active"] is False
    assert boss.post(f"users/{mine}/unsuspend/", {}).status_code == 200
    assert ApiClient(token).get("documents/").status_code == 200


def test_account_has_no_password(room: Room) -> None:
    """It never signs in but by its tokens, and no mail brings it a password."""
    user = User.objects.get(uid=room.account())
    with pytest.raises(Exception, match="wrong"):
        sign_in(email=user.email, password=PASSWORD, address="127.0.0.1", device="")
    assert not user.has_usable_password()
    assert ApiClient().post("auth/password/forgot/", {"email": user.email}).status_code == 202


def test_tokens_of_an_account_are_listed_and_revoked(room: Room, django_assert_num_queries: Any) -> None:
    """Five statements: sign-in, permissions, owned workspaces, account, page."""
    mine = room.account()
    path = f"{PATH}{mine}/tokens/"
    minted = room.owner.post(path, asked()).json()
    room.owner.get(path)
    with django_assert_num_queries(5):
        answer = room.owner.get(path)
    assert [row["id"] for row in answer.json()["results"]] == [minted["id"]]
    token_make(user_make())
    assert room.owner.get(f"{path}{minted['id']}/").json()["name"] == "Build"
    assert room.owner.delete(f"{path}{minted['id']}/").status_code == 204
    assert ApiClient(minted["token"]).get("documents/").status_code == 401
    assert room.owner.delete(f"{path}{minted['id']}/").status_code == 404


def test_token_reaches_no_service_account(room: Room) -> None:
    """No scope opens these routes: a token can't make itself another identity."""
    client = ApiClient(token_make(room.owner.user))  # type: ignore[arg-type]
    answer = client.post(PATH, {"name": "Robot", "workspace": room.uid})
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
