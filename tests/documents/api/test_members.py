"""`workspaces/{id}/members/`."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Event
from documents.models import WorkspaceUserPermission
from tests.documents.world import ABSENT, World, uid_of


def member_of(world: World, person: Any) -> str:
    """The path of somebody's membership."""
    rows = world.owner.get(f"workspaces/{world.workspace}/members/").json()["results"]
    found = next(row["id"] for row in rows if row["user"] == uid_of(person))
    return f"workspaces/{world.workspace}/members/{found}/"


def test_add_by_owner_holds_on_the_next_request(world: World) -> None:
    """A membership counts at once, and its end as well."""
    document = world.document()
    person = world.client_for()
    assert person.get(f"documents/{document}/").status_code == 404
    World.ok(world.add(person, "viewer"), 201)
    assert person.get(f"documents/{document}/").status_code == 200
    assert world.owner.delete(member_of(world, person)).status_code == 204
    assert person.get(f"documents/{document}/").status_code == 404
    actions = list(Event.objects.order_by("sequence").values_list("action", flat=True))
    assert [action for action in actions if action.startswith("member.")] == [
        "member.added",
        "member.removed",
    ]


def test_add_above_the_own_role_is_forbidden(world: World) -> None:
    """Nobody gives, changes or removes a grant above the own role."""
    manager, editor, person = world.member("manager"), world.member("editor"), world.client_for()
    assert world.add(person, "owner", by=manager).status_code == 403
    assert world.add(person, "viewer", by=editor).status_code == 403
    World.ok(world.add(person, "manager", by=manager), 201)
    assert manager.patch(member_of(world, world.owner), {"role": "viewer"}).status_code == 403
    assert manager.delete(member_of(world, world.owner)).status_code == 403


def test_add_a_second_time_is_a_conflict(world: World) -> None:
    """One standing grant a person; a temporary one may stand beside it."""
    person = world.member("viewer")
    answer = world.add(person, "editor")
    assert (answer.status_code, answer.json()["code"]) == (409, "grant_exists")
    until = (timezone.now() + dt.timedelta(hours=1)).isoformat()
    assert World.ok(world.add(person, "editor", expires_at=until), 201)["origin"] == "temporary"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"role": "viewer"}, 400),
        ({"user": ABSENT, "role": "viewer"}, 404),
        ({"team": ABSENT, "role": "viewer"}, 404),
        ({"user": ABSENT, "team": ABSENT, "role": "viewer"}, 400),
        ({"user": ABSENT, "role": "king"}, 400),
        ({"email": "no address", "role": "viewer"}, 400),
        ({"user": ABSENT, "role": "viewer", "expires_at": "tomorrow"}, 400),
    ],
)
def test_add_with_bad_input(world: World, body: dict[str, Any], status: int) -> None:
    """Faults are refused and nobody becomes a member."""
    assert world.owner.post(f"workspaces/{world.workspace}/members/", body).status_code == status
    assert WorkspaceUserPermission.objects.count() == 1


def test_add_until_a_past_moment_is_refused(world: World) -> None:
    """An end that lies in the past is a fault, named."""
    until = (timezone.now() - dt.timedelta(hours=1)).isoformat()
    answer = world.add(world.client_for(), "viewer", expires_at=until)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/expires_at"


def test_expired_membership_counts_no_more(world: World) -> None:
    """A grant ends by the database's clock without anybody doing anything, and makes room for another."""
    document, person = world.document(), world.client_for()
    until = (timezone.now() + dt.timedelta(hours=1)).isoformat()
    World.ok(world.add(person, "viewer", expires_at=until), 201)
    assert person.get(f"documents/{document}/").status_code == 200
    past = timezone.now() - dt.timedelta(seconds=1)
    WorkspaceUserPermission.objects.filter(user=person.user).update(expires_at=past)
    assert person.get(f"documents/{document}/").status_code == 404
    World.ok(world.add(person, "viewer", expires_at=until), 201)


def test_last_owner_stays(world: World) -> None:
    """A workspace keeps an owner without end: neither leaving, lowering nor a term takes the last one."""
    path = member_of(world, world.owner)
    until = (timezone.now() + dt.timedelta(hours=1)).isoformat()
    for answer in (
        world.owner.delete(path),
        world.owner.patch(path, {"role": "manager"}),
        world.owner.patch(path, {"expires_at": until}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    second = world.member("owner")
    World.ok(second.patch(path, {"role": "manager"}))


def test_leave_by_oneself(world: World) -> None:
    """Everybody may leave; the grants on documents of the workspace go with the membership."""
    document, person = world.document(), world.member("viewer")
    world.grant(document, person, "editor")
    assert person.delete(member_of(world, person)).status_code == 204
    assert person.get(f"documents/{document}/").status_code == 404


def test_change_of_somebody_elses_workspace_is_not_found(world: World) -> None:
    """A membership is found under its own workspace alone."""
    other = World(world.client_for)
    path = member_of(world, world.owner).replace(world.workspace, other.workspace)
    assert other.owner.delete(path).status_code == 404


def test_list_pages_over_all_members(world: World) -> None:
    """Pages join up: everybody once, the oldest first."""
    people = [world.member("viewer") for _ in range(4)]
    found: list[str] = []
    path = f"workspaces/{world.workspace}/members/?page_size=2"
    while path:
        page = World.ok(world.owner.get(path))
        found += [row["user"] for row in page["results"]]
        path = page["next"]
    assert found == [uid_of(world.owner), *map(uid_of, people)]


def test_remove_beside_a_membership_that_has_ended(world: World) -> None:
    """One that ran out keeps nobody's grants inside; one that is alive does."""
    document = world.document()
    World.ok(world.owner.patch(f"documents/{document}/", {"inherits_access": False}))
    for gone, status in ((True, 404), (False, 200)):
        person = world.member("viewer")
        world.grant(document, person, "viewer")
        path = member_of(world, person)
        ends = (timezone.now() + dt.timedelta(days=1)).isoformat()
        World.ok(world.add(person, "viewer", expires_at=ends), 201)
        if gone:
            past = timezone.now() - dt.timedelta(seconds=1)
            rows = WorkspaceUserPermission.objects.filter(user=person.user, expires_at__isnull=False)
            rows.update(expires_at=past)
        assert world.owner.delete(path).status_code == 204
        assert person.get(f"documents/{document}/").status_code == status
