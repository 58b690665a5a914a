"""What somebody answers for when they go: the documents' half of closing and of deleting an account."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.services.notifications import News, notify
from audit.services import Entry, Target, events_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import ServiceUnavailable
from cloudscribe.lib.postgresql.arrays import array_text
from documents.exceptions import LastOwner, LegalHold
from documents.models import (
    Document,
    DocumentUserPermission,
    Invitation,
    Origin,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.notices import OWNERSHIP_RECEIVED
from documents.roles import WORKSPACE_CODENAMES, Role
from documents.selectors.holds import person_is_held
from documents.services.granting import grant_insert, permission_of, role_of_grant
from documents.services.locking import Strength, workspaces_lock
from documents.services.marks import marks_forget
from documents.services.user_grants import user_grants_remove

_TRIES = 3
# As many as an answer names; there may be more.
_NAMED = 20

_HOLD = "SELECT id FROM documents_document WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
# Whoever owns a document answers for it and has no right by that: no stamp rises, no time changes.
_HAND_OVER = """
WITH moved AS (
    UPDATE documents_document d SET owner_id = t.taker
    FROM unnest(%(rooms)s::bigint[], %(takers)s::bigint[]) AS t (room, taker)
    WHERE d.id = ANY(%(documents)s::bigint[]) AND d.owner_id = %(user)s AND d.workspace_id = t.room
    RETURNING d.workspace_id
)
SELECT workspace_id, count(*) FROM moved GROUP BY workspace_id ORDER BY workspace_id
"""


@dataclasses.dataclass(frozen=True, slots=True)
class _Estate:
    """Keys of the places that somebody is in, and of the documents that they were granted or own."""

    workspaces: set[int]
    documents: set[int]
    owned: list[int]


def owners_check(*, user: User) -> None:
    """Raise LastOwner that names the workspaces of which the user is the last active owner.

    They stay locked until the end of the transaction.
    """
    owned = _owner_grants().filter(user=user)
    workspaces_lock(owned.values_list("content_object_id", flat=True), Strength.REWRITE, tree=False)
    lonely = _lonely(user)
    if lonely:
        raise _last_owner(lonely)


def user_handover(*, actor: Actor, user: User, receiver: User | None) -> None:
    """Hand over all that the user owns and take away all that they were granted, with events.

    For the service that deletes the account, within its transaction; the user stays locked. `receiver`
    becomes owner of the workspaces that would have none, being a member of each, and of the user's documents
    wherever they are a member; other documents go to their workspace's first owner. Raises LastOwner that
    names the workspaces, LegalHold where one stands on anything that the user owns, made or wrote,
    and ServiceUnavailable where others keep granting the user something meanwhile.
    """
    estate = _lock(user)
    if person_is_held(user):
        # Who wrote it is part of what is to be kept, and would be forgotten.
        raise LegalHold
    lonely = _lonely(user)
    _ownership_hand_over(actor, lonely, receiver)
    documents = _documents_hand_over(actor, user, receiver, estate)
    rooms = {receiver.pk: len(lonely)} if receiver and lonely else {}
    for taker in sorted({*documents, *rooms}):
        facts = {"workspaces": rooms.get(taker, 0), "documents": documents.get(taker, 0)}
        notify(actor=actor, users=[taker], news=News(OWNERSHIP_RECEIVED, facts=facts))
    user_grants_remove(actor=actor, user=user)
    marks_forget(user)
    _invitations_revoke(actor, user)
    # They hold the address, and are of no use any more: the membership's events stay.
    Invitation.objects.filter(accepted_by=user).delete()


def _lock(user: User) -> _Estate:
    """Lock in the one order: workspaces, documents, the user.

    Until the user is locked somebody may grant them more, in a place that isn't locked; then all over again,
    for the locks that came last would have to come first.
    """
    for _ in range(_TRIES):
        savepoint = transaction.savepoint()
        estate = _estate(user)
        workspaces_lock(estate.workspaces, Strength.REWRITE, tree=False)
        with connection.cursor() as cursor:
            cursor.execute(_HOLD, [array_text(sorted(estate.documents))])
        list(User.objects.select_for_update().filter(pk=user.pk).values_list("pk", flat=True))
        now = _estate(user)
        if now.workspaces <= estate.workspaces and now.documents <= estate.documents:
            transaction.savepoint_commit(savepoint)
            return now
        transaction.savepoint_rollback(savepoint)
    raise ServiceUnavailable


def _estate(user: User) -> _Estate:
    memberships = WorkspaceUserPermission.objects.filter(user=user).values_list("content_object_id")
    by_team = WorkspaceGroupPermission.objects.filter(group__user=user).values_list("content_object_id")
    granted = DocumentUserPermission.objects.filter(user=user)
    shares = granted.values_list("content_object_id", "content_object__workspace_id")
    # Apart, since each half has an index and the whole has none.
    mine = Document.objects.filter(owner=user).order_by().values_list("pk", "workspace_id")
    owned = list(mine.filter(trashed_at__isnull=True)) + list(mine.filter(trashed_at__isnull=False))
    places = {pk for (pk,) in memberships} | {pk for (pk,) in by_team}
    rows = [*shares, *owned]
    return _Estate(
        places | {workspace for _, workspace in rows}, {pk for pk, _ in rows}, [pk for pk, _ in owned]
    )


def _owner_grants() -> QuerySet[WorkspaceUserPermission]:
    return WorkspaceUserPermission.objects.filter(permission__codename=WORKSPACE_CODENAMES[Role.OWNER])


def _lonely(user: User) -> list[Workspace]:
    """The workspaces that the user owns and nobody else who counts as an owner; under their locks."""
    mine = _owner_grants().filter(user=user).values("content_object_id")
    lasting = _owner_grants().filter(expires_at__isnull=True, user__is_active=True).exclude(user=user)
    others = lasting.filter(content_object=OuterRef("pk"))
    return list(Workspace.objects.filter(pk__in=mine).exclude(Exists(others)).order_by("pk"))


def _last_owner(workspaces: list[Workspace]) -> LastOwner:
    named = [{"id": str(row.uid), "name": row.name} for row in workspaces[:_NAMED]]
    return LastOwner(extra={"workspaces": named})


def _ownership_hand_over(actor: Actor, lonely: list[Workspace], receiver: User | None) -> None:
    """Make the receiver owner of the workspaces, of which they are a member; raises LastOwner."""
    inside = _rooms_of(receiver, {room.pk for room in lonely}, actor.now) if receiver else set()
    if left := [room for room in lonely if room.pk not in inside]:
        raise _last_owner(left)
    if receiver is not None:
        events_record([_owner_make(actor, room, receiver) for room in lonely])


def _rooms_of(person: User, rooms: set[int], now: dt.datetime) -> set[int]:
    """Those of the workspaces that the person is a member of, directly or by a team."""
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    alive &= Q(content_object__in=rooms)
    direct = WorkspaceUserPermission.objects.filter(alive, user=person)
    by_team = WorkspaceGroupPermission.objects.filter(alive, group__user=person)
    return {
        *direct.values_list("content_object_id", flat=True),
        *by_team.values_list("content_object_id", flat=True),
    }


def _owner_make(actor: Actor, room: Workspace, receiver: User) -> Entry:
    standing = WorkspaceUserPermission.objects.filter(
        user=receiver, content_object=room, origin=Origin.STANDING
    )
    grant: Any = standing.select_related("permission").first()
    before = str(role_of_grant(grant)) if grant else None
    if grant is None:
        grant = grant_insert(
            room, user_pk=receiver.pk, role=Role.OWNER, origin=Origin.STANDING, granted_by=actor.pk
        )
    else:
        standing.update(permission=permission_of(room, Role.OWNER), updated_at=actor.now)
    return Entry(
        actor,
        "member.changed" if before else "member.added",
        Target("member", grant.uid, receiver.name),
        workspace_uid=room.uid,
        changes={"role": (before, str(Role.OWNER))},
        reason="handed over",
        facts={"root": str(room.uid), "subjects": [str(receiver.uid)]},
    )


def _documents_hand_over(actor: Actor, user: User, receiver: User | None, estate: _Estate) -> dict[int, int]:
    """Give the user's documents another owner, in one statement however many there are.

    Gives the number of documents by who owns them now.
    """
    takers = _takers(user, receiver, estate, actor.now)
    values: dict[str, str | int] = {
        "rooms": array_text(list(takers)),
        "takers": array_text([taker.pk for taker in takers.values()]),
        "documents": array_text(sorted(estate.owned)),
        "user": user.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HAND_OVER, values)
        moved = dict(cursor.fetchall())
    rooms = Workspace.objects.in_bulk(list(moved))
    events_record(
        [
            Entry(
                actor,
                "documents.handed_over",
                Target("workspace", rooms[pk].uid, rooms[pk].name),
                workspace_uid=rooms[pk].uid,
                changes={"owner": (user.name, takers[pk].name)},
                facts={"documents": count, "from": str(user.uid), "to": str(takers[pk].uid)},
            )
            for pk, count in moved.items()
        ]
    )
    received: Counter[int] = Counter()
    for pk, count in moved.items():
        received[takers[pk].pk] += count
    return received


def _takers(user: User, receiver: User | None, estate: _Estate, now: dt.datetime) -> dict[int, User]:
    """By workspace who owns the user's documents from now on: the receiver or the first owner.

    One who is kept out at the moment comes after the others.
    """
    owners = (
        _owner_grants()
        .filter(content_object__in=estate.workspaces, user__deleted_at=None)
        .exclude(user=user)
        .select_related("user")
        .order_by("content_object_id", "-user__is_active", "created_at", "pk")
        .distinct("content_object_id")
    )
    takers = {grant.content_object_id: grant.user for grant in owners}
    if receiver is not None:
        takers |= dict.fromkeys(_rooms_of(receiver, estate.workspaces, now), receiver)
    return takers


def _invitations_revoke(actor: Actor, user: User) -> None:
    """Take back what the user offered to others who haven't answered yet."""
    open_ones = Invitation.objects.filter(invited_by=user, accepted_at=None, revoked_at=None)
    rows = list(
        open_ones.select_related("workspace").select_for_update(no_key=True, of=("self",)).order_by("pk")
    )
    Invitation.objects.filter(pk__in=[row.pk for row in rows]).update(revoked_at=actor.now)
    events_record(
        [
            Entry(
                actor,
                "invitation.revoked",
                Target("invitation", row.uid, row.email),
                workspace_uid=row.workspace.uid,
                reason="who invited has left",
            )
            for row in rows
        ]
    )
