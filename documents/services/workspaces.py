"""Workspaces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from audit.services import Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import BusinessError, Forbidden
from cloudscribe.lib.transactions import on_commit, transactional
from documents import limits
from documents.addresses import slug_of
from documents.caching import audited_rooms
from documents.exceptions import LegalHold
from documents.models import Document, Origin, Workspace
from documents.policies import Action, require
from documents.queues import WORKSPACE_DELETE
from documents.roles import Role
from documents.selectors.holds import workspace_is_held
from documents.selectors.visible import workspace_visible
from documents.services.granting import grant_insert, person_hold
from documents.services.locking import Strength, actor_renewed, workspace_lock
from documents.services.purging import rows_purge, workspace_subjects
from documents.services.tree_jobs import Check, is_large, tree_job_begin, unchecked

POLICIES = (
    "links_allowed",
    "edit_links_allowed",
    "link_lifetime_days",
    "trash_days",
    "revision_retention_days",
    "reads_audited",
)
_PLAIN = ("name", "description", "default_language")
_FREE_SLUG_TRIES = 5


class SlugsContended(BusinessError):
    """Every slug tried was taken by somebody else in the same moment."""

    code = "slug_contended"
    title = "The slug is contended"


@transactional
def workspace_create(
    *,
    actor: Actor,
    name: str,
    slug: str | None = None,
    description: str = "",
    default_language: str = "en",
    policies: Mapping[str, Any] | None = None,
) -> Workspace:
    """Make a workspace whose one member is its maker, as owner. A taken slug gets a number behind it."""
    if actor.pk is None:
        raise Forbidden("Only a person can own a workspace.")
    if actor.limit is not None:
        raise Forbidden("A credential that is cut to a place makes no workspaces.")
    person_hold(actor.pk)
    workspace = Workspace(
        name=name,
        description=description,
        default_language=default_language,
        created_by_id=actor.pk,
        **dict(policies or {}),
    )
    _insert_with_free_slug(workspace, slug or slug_of(name, otherwise="workspace"))
    grant_insert(workspace, user_pk=actor.pk, role=Role.OWNER, origin=Origin.STANDING, granted_by=actor.pk)
    event_record(
        actor=actor,
        action="workspace.created",
        target=Target.of("workspace", workspace, workspace.name),
        workspace_uid=workspace.uid,
        changes={"name": (None, workspace.name), "slug": (None, workspace.slug)},
    )
    return workspace


@transactional
def workspace_update(*, actor: Actor, workspace: Workspace, changes: Mapping[str, Any]) -> Workspace:
    """Change name, description or default language (managers), slug or policies (owners)."""
    actor, workspace = _locked(actor, workspace)
    wanted = {**{k: v for k, v in changes.items() if k != "policies"}, **changes.get("policies", {})}
    differing = {name: value for name, value in wanted.items() if getattr(workspace, name) != value}
    if not differing:
        require(actor, Action.CONFIGURE, workspace)
        return workspace
    require(actor, Action.CONFIGURE if differing.keys() <= set(_PLAIN) else Action.EDIT_POLICIES, workspace)
    before = {name: getattr(workspace, name) for name in differing}
    for name, value in differing.items():
        setattr(workspace, name, value)
    if "slug" in differing:
        workspace.slug = _free_slug(workspace.slug, workspace.pk)
    workspace.updated_at = actor.now
    workspace.save(update_fields=[*differing, "updated_at"])
    event_record(
        actor=actor,
        action="workspace.updated",
        target=Target.of("workspace", workspace, workspace.name),
        workspace_uid=workspace.uid,
        changes={name: (before[name], getattr(workspace, name)) for name in differing},
    )
    if "reads_audited" in differing:
        on_commit(audited_rooms.refresh)
    return workspace


@transactional
def workspace_delete(*, actor: Actor, workspace: Workspace, check: Check = unchecked) -> Job | None:
    """Remove a workspace with all its documents; its owner may, hidden parts included.

    One of many documents is a job's work. Raises Forbidden, LegalHold, WorkspaceBusy, and what `check`
    raises, by which a job that was cancelled ends.
    """
    actor, workspace = _locked(actor, workspace)
    require(actor, Action.DELETE_WORKSPACE, workspace)
    if workspace_is_held(workspace):
        raise LegalHold
    documents = Document.objects.filter(workspace=workspace)
    count = documents.count()
    if is_large(actor, count):
        return tree_job_begin(actor, WORKSPACE_DELETE, {"workspace": workspace.pk}, [workspace.pk])
    subjects = workspace_subjects(workspace)
    rows_purge(documents, check)
    workspace.delete()
    event_record(
        actor=actor,
        action="workspace.deleted",
        target=Target.of("workspace", workspace, workspace.name),
        workspace_uid=workspace.uid,
        facts={"documents": count, "subjects": subjects},
    )
    return None


def _insert_with_free_slug(workspace: Workspace, wanted: str) -> None:
    """Insert under the wanted slug or the next free one; ON CONFLICT, as two may want the same at once."""
    for _ in range(_FREE_SLUG_TRIES):
        workspace.slug = _free_slug(wanted, None)
        Workspace.objects.bulk_create([workspace], ignore_conflicts=True)
        written = Workspace.objects.filter(uid=workspace.uid).first()
        if written is not None:
            workspace.pk, workspace.created_at, workspace.updated_at = (
                written.pk,
                written.created_at,
                written.updated_at,
            )
            workspace._state.adding = False  # noqa: SLF001 (Django's documented model state)
            return
    raise SlugsContended


def _free_slug(wanted: str, own_pk: int | None) -> str:
    """The wanted slug, or it with the next number where it is taken."""
    base = wanted[: limits.SLUG_LENGTH - 8].strip("-")
    others = Workspace.objects.exclude(pk=own_pk) if own_pk else Workspace.objects.all()
    taken = set(others.filter(slug__startswith=base).values_list("slug", flat=True))
    if wanted not in taken:
        return wanted
    pattern = re.compile(re.escape(base) + r"-(\d{1,6})")
    numbers = [int(match[1]) for slug in taken if (match := pattern.fullmatch(slug))]
    return f"{base}-{max([1, *numbers]) + 1}"


def _locked(actor: Actor, workspace: Workspace) -> tuple[Actor, Workspace]:
    """The workspace locked, the actor of now, and the row as it is now, if the actor still sees it."""
    workspace_lock(workspace.pk, Strength.REWRITE, actor)
    actor = actor_renewed(actor)
    return actor, workspace_visible(actor, workspace.pk)
