"""`workspaces/{id}/usage/`."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from documents.models import WorkspaceUserPermission
from tests.documents.uploading import upload
from tests.documents.world import ABSENT, World, statements


def furnish(world: World) -> None:
    """One at least of whatever is counted, and of whatever isn't: a member and a link that have ended."""
    gone = world.member("viewer")
    later = timezone.now() + dt.timedelta(days=1)
    WorkspaceUserPermission.objects.filter(user=gone.user).update(
        origin="temporary", expires_at=later - dt.timedelta(days=2)
    )
    team = World.ok(world.owner.post("teams/", {"name": "Crew"}), 201)["id"]
    World.ok(
        world.owner.post(f"workspaces/{world.workspace}/members/", {"team": team, "role": "viewer"}), 201
    )
    page = world.document("Page", content="\u00e4bc")
    etag = world.owner.get(f"documents/{page}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{page}/", {"title": "Other"}, If_Match=etag))
    World.ok(upload(world.owner, page, b"12345"), 201)
    world.document("Draft", state="draft")
    world.document("Template", template=True)
    World.ok(world.act(world.document("Archived"), "archive"))
    World.ok(world.act(world.document("Trashed", content="x"), "trash"))
    for _ in range(2):
        link = World.ok(world.owner.post(f"documents/{page}/links/", {"role": "viewer"}), 201)["id"]
    World.ok(world.owner.delete(f"documents/{page}/links/{link}/"), 204)


def test_usage_counts_the_whole(world: World) -> None:
    """What is hidden from the manager counts, what has run out doesn't."""
    manager = world.member("manager")
    furnish(world)
    path = f"workspaces/{world.workspace}/usage/"
    manager.get(path)
    with statements(4):  # 1 sign-in, 2 workspace, 3 numbers, 4 files
        usage = World.ok(manager.get(path))
    quota = usage.pop("attachment_quota")
    assert quota > 0
    assert usage == {
        "documents": 4,
        "drafts": 1,
        "archived": 1,
        "templates": 1,
        "trashed": 1,
        "revisions": 6,
        "body_bytes": 5,
        "attachments": 1,
        "attachment_bytes": 5,
        "people": 2,
        "teams": 1,
        "links": 1,
    }


def test_usage_of_an_empty_workspace(world: World) -> None:
    """Zero is a number."""
    usage = World.ok(world.owner.get(f"workspaces/{world.workspace}/usage/"))
    assert (usage["documents"], usage["revisions"], usage["people"]) == (0, 0, 1)


def test_usage_by_those_who_may_not(world: World) -> None:
    """It is the managers'; a hidden workspace is as absent as any."""
    assert world.member("editor").get(f"workspaces/{world.workspace}/usage/").status_code == 403
    outsider = world.client_for()
    for workspace in (world.workspace, ABSENT):
        assert outsider.get(f"workspaces/{workspace}/usage/").status_code == 404
