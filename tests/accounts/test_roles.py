"""Roles, teams, stamps and who a superuser is."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction

from accounts.models import GroupStamp, Team, User, UserStamp
from accounts.principals import Principal
from accounts.roles import roles_setup
from tests.accounts.factories import user_make

pytestmark = pytest.mark.django_db


def stamp(user: User) -> int:
    """The user's stamp of now."""
    return UserStamp.objects.get(user=user).stamp


def principal(user: User) -> Principal:
    """The user as a request has it."""
    return Principal(user.pk, user.uid, user.name, user.is_staff, user.is_superuser)


@pytest.mark.parametrize(
    ("role", "holds", "lacks"),
    [
        ("member", "documents.add_workspace", "audit.view_event"),
        ("auditor", "audit.view_event", "jobs.manage_jobs"),
        ("operator", "jobs.manage_jobs", "audit.view_event"),
        ("operator", "security.change_ratelimitpolicy", "accounts.suspend_user"),
        ("administrator", "accounts.suspend_user", "documents.edit_document"),
        ("administrator", "accounts.suspend_user", "documents.break_glass"),
        ("guest", None, "documents.add_workspace"),
        ("inspector", "documents.break_glass", "documents.view_document"),
    ],
)
def test_role_gives_its_permissions(role: str, holds: str | None, lacks: str) -> None:
    """Each role gives what the table says, to the row and to the principal alike."""
    user = user_make(role=role)
    for who in (User.objects.get(pk=user.pk), principal(user)):
        assert holds is None or who.has_perm(holds)
        assert not who.has_perm(lacks)


def test_roles_setup_is_idempotent_and_mends() -> None:
    """A second run changes nothing; what somebody added or took is put right."""
    roles_setup()
    before = set(Group.objects.values_list("name", "permissions"))
    guest = Group.objects.get(name="role:guest")
    guest.permissions.add(Permission.objects.get(codename="view_event"))
    Group.objects.get(name="role:member").permissions.clear()
    roles_setup()
    assert set(Group.objects.values_list("name", "permissions")) == before


def test_superuser_has_every_platform_permission() -> None:
    """Without an object a superuser may everything of the admin's."""
    user = user_make(role=None, is_superuser=True)
    assert user.has_perm("audit.view_event")
    assert principal(user).has_perm("audit.view_event")


def test_superuser_counts_for_nothing_on_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an object only the backends decide, and no role of a platform gives a right on it."""
    user = user_make(role="administrator", is_superuser=True)
    other: Any = user_make()
    assert not user.has_perm("accounts.change_user", other)
    assert not principal(user).has_perm("accounts.change_user", other)


def test_stamp_rises_with_each_change_of_membership() -> None:
    """Joining, leaving and moving, in bulk too, date a person's rights anew; others' stay."""
    ann, bob = user_make(), user_make()
    group, second = Group.objects.create(name="team:1"), Group.objects.create(name="team:2")
    seen = [stamp(ann)]
    ann.groups.add(group)
    seen.append(stamp(ann))
    through = User.groups.through
    through.objects.filter(user=ann, group=group).update(group=second)
    seen.append(stamp(ann))
    through.objects.bulk_create([through(user=ann, group=group)])
    seen.append(stamp(ann))
    before = stamp(bob)
    second.delete()
    seen.append(stamp(ann))
    assert seen == sorted(set(seen))
    assert stamp(bob) == before


def test_stamp_row_comes_and_goes_with_its_owner() -> None:
    """A new user or group has a stamp at once; deleting either leaves none and breaks nothing."""
    user = user_make()
    group = Group.objects.create(name="team:3")
    user.groups.add(group)
    assert GroupStamp.objects.filter(group=group).exists()
    User.objects.bulk_create([User(email="b@c.org", email_key="b@c.org", name="B")])
    assert UserStamp.objects.filter(user__email_key="b@c.org").exists()
    user.delete()
    group.delete()
    assert not UserStamp.objects.filter(user_id=user.pk).exists()


def test_team_carries_no_permission() -> None:
    """A team's group can't be given a platform permission."""
    group = Group.objects.create(name="team:4")
    Team.objects.create(group=group, name="Writers")
    with pytest.raises(IntegrityError), transaction.atomic():
        group.permissions.add(Permission.objects.get(codename="view_event"))


@pytest.mark.parametrize(
    ("name", "becomes"),
    [("team:5", "role:administrator2"), ("team:5", "plain"), ("role:guest", "team:6"), ("plain", "role:x")],
)
def test_group_keeps_its_kind(name: str, becomes: str) -> None:
    """No group is renamed into a role or a team, or out of one."""
    group, _ = Group.objects.get_or_create(name=name)
    with pytest.raises(IntegrityError), transaction.atomic():
        Group.objects.filter(pk=group.pk).update(name=becomes)


def test_team_stands_over_no_role() -> None:
    """Neither a new team nor one that changes its group takes a role's for its own."""
    role, team = Group.objects.get(name="role:guest"), Team(name="Writers")
    with pytest.raises(IntegrityError), transaction.atomic():
        Team.objects.create(group=role, name="Writers")
    team.group = Group.objects.create(name="team:7")
    team.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Team.objects.filter(pk=team.pk).update(group=role)


def test_user_address_is_unique_in_any_spelling() -> None:
    """Two spellings of one address are one account."""
    user_make("Straße@Example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        user_make("STRASSE@example.org")
