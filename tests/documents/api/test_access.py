"""`documents/{id}/access/` and `access/explain/`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from accounts.models import User
from documents.models import DocumentUserPermission
from tests.documents.api.test_grants import team_of
from tests.documents.world import ABSENT, World, statements, uid_of


def access(world: World, document: str, by: Any = None, query: str = "") -> list[dict[str, Any]]:
    """The rows of a page."""
    rows: list[dict[str, Any]] = World.ok((by or world.owner).get(f"documents/{document}/access/{query}"))[
        "results"
    ]
    return rows


def explain(world: World, document: str, user: Any, by: Any = None, **query: str) -> dict[str, Any]:
    """The explanation of somebody's right."""
    text = "&".join([f"user={uid_of(user)}", *(f"{name}={value}" for name, value in query.items())])
    found: dict[str, Any] = World.ok((by or world.owner).get(f"documents/{document}/access/explain/?{text}"))
    return found


def test_access_names_everybody_and_through_what(world: World) -> None:
    """Inherited, direct, by a team and for a time: each person once, by the strongest grant; teams, too."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    viewer, guest, teammate = world.member("viewer"), world.client_for(), world.client_for()
    until = timezone.now() + dt.timedelta(hours=1)
    body = {"user": uid_of(guest), "role": "manager", "expires_at": until.isoformat()}
    granted = World.ok(world.owner.post(f"documents/{top}/grants/", body), 201)
    world.grant(leaf, guest, "viewer")
    team = team_of(teammate, world.owner)
    given = World.ok(
        world.owner.post(f"documents/{leaf}/grants/", {"team": str(team.uid), "role": "editor"}), 201
    )
    rows = {row["id"]: row for row in access(world, leaf)}
    assert set(rows) == {*map(uid_of, (world.owner, viewer, guest, teammate)), str(team.uid)}
    assert [row["name"] for row in access(world, leaf)] == sorted(row["name"] for row in rows.values())
    assert rows[uid_of(guest)]["via"] == {
        "grant": granted["id"],
        "role": "manager",
        "origin": "temporary",
        "expires_at": granted["expires_at"],
        "on": {"type": "document", "id": top, "name": "Top"},
        "team": None,
        "team_name": None,
    }
    assert rows[uid_of(viewer)]["via"]["on"] == {
        "type": "workspace",
        "id": world.workspace,
        "name": "World",
    }
    assert (rows[uid_of(world.owner)]["role"], rows[uid_of(world.owner)]["type"]) == ("owner", "user")
    by_team = rows[uid_of(teammate)]
    assert (by_team["role"], by_team["via"]["team"], by_team["via"]["grant"]) == (
        "editor",
        str(team.uid),
        given["id"],
    )
    assert (rows[str(team.uid)]["type"], rows[str(team.uid)]["name"]) == ("team", "Crew")


def test_access_falls_back_to_what_lasts(world: World) -> None:
    """A grant that has run out gives way to the weaker one at that moment."""
    top = world.document("Top")
    leaf, guest = world.document("Leaf", parent=top), world.client_for()
    until = timezone.now() + dt.timedelta(hours=1)
    body = {"user": uid_of(guest), "role": "manager", "expires_at": until.isoformat()}
    granted = World.ok(world.owner.post(f"documents/{top}/grants/", body), 201)
    weaker = world.grant(leaf, guest, "viewer")
    DocumentUserPermission.objects.filter(uid=granted["id"]).update(
        expires_at=timezone.now() - dt.timedelta(seconds=1)
    )
    rows = {row["id"]: row for row in access(world, leaf)}
    assert (rows[uid_of(guest)]["role"], rows[uid_of(guest)]["via"]["grant"]) == ("viewer", weaker["id"])


def test_access_leaves_out_who_is_kept_out(world: World) -> None:
    """Whoever may not sign in has no right."""
    document, viewer = world.document(), world.member("viewer")
    User.objects.filter(uid=uid_of(viewer)).update(is_active=False)
    assert uid_of(viewer) not in {row["id"] for row in access(world, document)}
    answer = world.owner.get(f"documents/{document}/access/explain/?user={uid_of(viewer)}")
    assert answer.status_code == 404


def test_access_in_pages(world: World) -> None:
    """Forwards and back again, each row once."""
    document = world.document()
    for _ in range(4):
        world.member("viewer")
    whole = [row["id"] for row in access(world, document)]
    first = World.ok(world.owner.get(f"documents/{document}/access/?page_size=2"))
    second = World.ok(world.owner.get(first["next"]))
    third = World.ok(world.owner.get(second["next"]))
    walked = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert (walked, third["next"]) == (whole, None)
    assert World.ok(world.owner.get(third["previous"]))["results"] == second["results"]
    assert World.ok(world.owner.get(second["previous"]))["results"] == first["results"]
    other = world.document("Other")
    stolen = first["next"].replace(document, other)
    assert world.owner.get(stolen).status_code in {200, 400}


def test_access_is_for_managers(world: World) -> None:
    """Editors see nobody's rights but their own; strangers nothing; in the trash nothing is asked."""
    document, editor, guest = world.document(), world.member("editor"), world.client_for()
    assert editor.get(f"documents/{document}/access/").status_code == 403
    assert guest.get(f"documents/{document}/access/").status_code == 404
    assert World.ok(editor.get(f"documents/{document}/access/explain/"))["role"] == "editor"
    other = editor.get(f"documents/{document}/access/explain/?user={uid_of(guest)}")
    assert other.status_code == 403
    assert guest.get(f"documents/{document}/access/explain/").status_code == 404
    assert world.owner.get(f"documents/{document}/access/explain/?user={ABSENT}").status_code == 404
    World.ok(world.act(document, "trash"))
    assert world.owner.get(f"documents/{document}/access/").status_code == 410


def test_access_asks_as_much_for_many(world: World) -> None:
    """Sign-in, the document, everybody, and what of the places above is seen."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=world.document("Middle", parent=top))
    access(world, leaf)
    with statements(5):
        access(world, leaf)
    for _ in range(5):
        person = world.member("viewer")
        world.grant(top, person, "editor")
        world.grant(leaf, person, "viewer")
    with statements(5):
        access(world, leaf)
    with statements(6):
        explain(world, leaf, person)


def test_access_hides_where_what_the_reader_cannot_see_stands(world: World) -> None:
    """Who manages a leaf alone learns who has access to it, and of what is above that it is hidden."""
    secret = world.document("Secret plan")
    leaf = world.document("Leaf", parent=secret)
    World.ok(world.owner.patch(f"documents/{secret}/", {"inherits_access": False}))
    manager, reader = world.client_for(), world.client_for()
    world.grant(leaf, manager, "manager")
    world.grant(secret, reader, "viewer")
    answer = manager.get(f"documents/{leaf}/access/")
    assert "Secret plan" not in answer.content.decode()
    assert secret not in answer.content.decode()
    rows = {row["id"]: row for row in answer.json()["results"]}
    hidden = rows[uid_of(reader)]["via"]
    assert (hidden["grant"], hidden["on"], hidden["role"]) == (
        None,
        {"type": "document", "id": None, "name": None},
        "viewer",
    )
    found = explain(world, leaf, reader, by=manager)
    assert found["boundary"] == {"type": "document", "id": None, "name": None, "reason": None}
    assert explain(world, leaf, reader)["boundary"] == {
        "type": "document",
        "id": secret,
        "name": "Secret plan",
        "reason": "cut",
    }


def test_explain_names_the_grant_whose_end_ends_it(world: World) -> None:
    """Counterfactual: each grant that is named is taken away, until nothing is left; then what it needs."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    person = world.member("commenter")
    world.grant(top, person, "editor")
    world.grant(leaf, person, "manager")
    roles = []
    found = explain(world, leaf, person)
    while found["decision"] == "allowed":
        roles.append(found["role"])
        via = found["via"]
        kind = "grants" if via["on"]["type"] == "document" else "members"
        path = f"{via['on']['type']}s/{via['on']['id']}/{kind}/{via['grant']}/"
        if kind == "members":
            # Removing a member takes their grants inside along, and there are none left.
            assert roles == ["manager", "editor", "commenter"]
        assert world.owner.delete(path).status_code == 204
        found = explain(world, leaf, person)
    assert roles == ["manager", "editor", "commenter"]
    assert (found["decision"], found["role"], found["via"], found["boundary"]) == ("denied", None, None, None)
    assert person.get(f"documents/{leaf}/").status_code == 404
    needed = found["needed"]
    assert needed == {"role": "viewer", "document": leaf}
    world.grant(needed["document"], person, needed["role"])
    assert explain(world, leaf, person)["decision"] == "allowed"
    assert person.get(f"documents/{leaf}/").status_code == 200


def test_explain_of_an_action(world: World) -> None:
    """A role that does not reach up to the action is named beside the weakest that would."""
    document, viewer = world.document(), world.member("viewer")
    found = explain(world, document, viewer, action="edit")
    assert (found["decision"], found["role"], found["via"]["role"]) == ("denied", "viewer", "viewer")
    assert found["needed"] == {"role": "editor", "document": document}
    world.grant(document, viewer, "editor")
    found = explain(world, document, viewer, action="edit")
    assert (found["decision"], found["needed"]) == ("allowed", None)
    path = f"documents/{document}/access/explain/?action="
    for action in ("nonsense", "hand_over", "override"):
        assert world.owner.get(path + action).status_code == 400


def test_explain_names_the_boundary_of_a_draft(world: World) -> None:
    """A draft is a cut: members above it have nothing below."""
    draft = world.document("Draft", state="draft")
    leaf, viewer = world.document("Leaf", parent=draft), world.member("viewer")
    found = explain(world, leaf, viewer)
    assert (found["decision"], found["boundary"]["reason"], found["boundary"]["id"]) == (
        "denied",
        "draft",
        draft,
    )
    World.ok(world.act(draft, "publish"))
    assert explain(world, leaf, viewer)["boundary"] is None


def test_explain_by_a_token_speaks_of_the_person(world: World) -> None:
    """A token cut to a leaf shows the person's right, and hides what stands outside of the cut."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    body = {
        "name": "Leaf",
        "scopes": ["documents:read"],
        "expires_at": (timezone.now() + dt.timedelta(days=1)).isoformat(),
        "document": leaf,
    }
    token = World.ok(world.owner.post("me/tokens/", body), 201)["token"]
    answer = world.owner.call("GET", f"documents/{leaf}/access/explain/", Authorization=f"Bearer {token}")
    found = World.ok(answer)
    assert (found["role"], found["via"]["on"]) == ("owner", {"type": "workspace", "id": None, "name": None})
