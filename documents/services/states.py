"""The state of a document, where its inheritance ends, and who is responsible for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.models import User
from audit.services import Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, InvalidInput
from cloudscribe.lib.transactions import transactional
from documents.authors import author_columns
from documents.exceptions import DocumentArchived, DraftState
from documents.models import Document, DocumentUserPermission, Origin, State
from documents.policies import Action, can, require
from documents.queues import DOCUMENT_CUT, DOCUMENT_PUBLISH, DOCUMENT_UNPUBLISH
from documents.roles import SEE_BIT, Role
from documents.selectors.effects import Effects, cut_effects
from documents.services.granting import grant_insert, permission_of
from documents.services.locking import Strength, document_held, workspace_lock
from documents.services.placing import document_place, placements_write, reach_facts
from documents.services.tree_jobs import job_needed, tree_job_begin
from documents.visibility import access_map_load, bits_on


@transactional
def document_publish(*, actor: Actor, document: Document) -> Document | Job:
    """Show a draft to everybody whom its place lets see it; its maker's grant ends.

    Editors publish their own drafts, managers everybody's. A large subtree is a job's work.
    Raises Forbidden, DocumentArchived, DocumentTrashed.
    """
    actor, document = _locked(actor, document)
    require(actor, Action.PUBLISH, document)
    if document.created_by_id != actor.pk and not can(actor, Action.UNPUBLISH, document):
        raise Forbidden("Only its maker or a manager can publish a draft.")
    if document.state == State.ARCHIVED:
        raise DocumentArchived
    if document.state == State.PUBLISHED:
        return document
    if job_needed(actor, document):
        return _job(actor, DOCUMENT_PUBLISH, document)
    ended = DocumentUserPermission.objects.filter(content_object=document, origin=Origin.DRAFT)
    makers = [str(uid) for uid in ended.values_list("user__uid", flat=True)]
    ended.delete()
    return _state_set(actor, document, State.PUBLISHED, "document.published", subjects=makers)


@transactional
def document_unpublish(*, actor: Actor, document: Document) -> Document | Job:
    """Make a draft of it again: inheritance ends here and the acting person manages it.

    A large subtree is a job's work. Raises Forbidden, DocumentArchived, DocumentTrashed.
    """
    actor, document = _locked(actor, document)
    require(actor, Action.UNPUBLISH, document)
    if document.state == State.ARCHIVED:
        raise DocumentArchived
    if document.state == State.DRAFT:
        return document
    if job_needed(actor, document):
        return _job(actor, DOCUMENT_UNPUBLISH, document)
    if actor.pk is not None:
        grant_insert(document, user_pk=actor.pk, role=Role.MANAGER, origin=Origin.DRAFT, granted_by=actor.pk)
    return _state_set(actor, document, State.DRAFT, "document.unpublished")


@transactional
def document_archive(*, actor: Actor, document: Document) -> Document:
    """Put it aside: readable, without writes, in no list unless asked for. Raises DraftState for a draft."""
    actor, document = _locked(actor, document)
    require(actor, Action.ARCHIVE, document)
    if document.state == State.DRAFT:
        raise DraftState("Publish the draft before it is archived.")
    if document.state == State.ARCHIVED:
        return document
    return _state_set(actor, document, State.ARCHIVED, "document.archived")


@transactional
def document_unarchive(*, actor: Actor, document: Document) -> Document:
    """Bring an archived document back as a published one; any other stays as it is."""
    actor, document = _locked(actor, document)
    require(actor, Action.ARCHIVE, document)
    if document.state != State.ARCHIVED:
        return document
    return _state_set(actor, document, State.PUBLISHED, "document.unarchived")


@transactional
def document_inheritance_set(*, actor: Actor, document: Document, inherits_access: bool) -> Document | Job:
    """Cut the inheritance of access, or let it through again.

    Who cuts gets a standing grant as manager on it, so that nobody cuts off the branch that they sit on.
    A large subtree is a job's work.
    """
    actor, document = _cuttable(actor, document)
    if document.inherits_access == inherits_access:
        return document
    if job_needed(actor, document):
        return _job(actor, DOCUMENT_CUT, document, inherits_access=inherits_access)
    if not inherits_access and actor.pk is not None:
        _manager_ensure(actor, document)
    before, reach = document.inherits_access, document.reach
    document.inherits_access = inherits_access
    document_place(actor, document)
    facts = reach_facts(reach, document.reach)
    _event(actor, document, "document.access_changed", facts, inherits_access=(before, inherits_access))
    return document


@transactional
def document_inheritance_preview(*, actor: Actor, document: Document, inherits_access: bool) -> Effects:
    """Who would gain and lose by the cut or its end; nothing is written.

    Raises what `document_inheritance_set` raises.
    """
    actor, document = _cuttable(actor, document)
    return cut_effects(actor, document, inherits_access=inherits_access)


@transactional
def document_owner_set(*, actor: Actor, document: Document, owner: User) -> Document:
    """Make another person responsible for it, somebody who may see it. No right comes with that."""
    actor, document = _locked(actor, document)
    require(actor, Action.CHANGE_OWNER, document)
    rights = access_map_load(owner.pk).alive(actor.now.timestamp())
    if not owner.is_active or not bits_on(rights, None, document) & SEE_BIT:
        raise InvalidInput.field(
            "/owner", "not_a_reader", "The owner must be an active person who may see it."
        )
    if document.owner_id == owner.pk:
        return document
    before = document.owner
    document.owner = owner
    document.updated_by_id, document.updated_actor = author_columns(actor)
    document.updated_at = actor.now
    document.save(update_fields=["owner", "updated_by", "updated_actor", "updated_at"])
    _event(actor, document, "document.owner_changed", owner=(str(before.uid), str(owner.uid)))
    return document


def _locked(actor: Actor, document: Document) -> tuple[Actor, Document]:
    """The workspace locked, the actor of now, the document locked and out of the trash."""
    workspace_lock(document.workspace_id, Strength.REWRITE, actor)
    return document_held(actor, document)


def _cuttable(actor: Actor, document: Document) -> tuple[Actor, Document]:
    """As `_locked`, for who may cut it."""
    actor, document = _locked(actor, document)
    require(actor, Action.CUT, document)
    if document.state == State.ARCHIVED:
        raise DocumentArchived
    return actor, document


def _job(actor: Actor, kind: str, document: Document, **payload: object) -> Job:
    return tree_job_begin(actor, kind, {"document": document.pk, **payload}, [document.workspace_id])


def _state_set(
    actor: Actor, document: Document, state: State, action: str, *, subjects: Sequence[str] = ()
) -> Document:
    """Write the state with its event; `subjects` are those whose grants on the document end by it."""
    before, document.state = document.state, state
    reach = document.reach
    document_place(actor, document)
    placements_write([document.pk], actor.now)
    facts: dict[str, Any] = reach_facts(reach, document.reach)
    if subjects:
        facts["subjects"] = list(subjects)
    _event(actor, document, action, facts, state=(before, str(state)))
    return document


def _manager_ensure(actor: Actor, document: Document) -> None:
    grants = DocumentUserPermission.objects.filter(
        content_object=document, user_id=actor.pk, origin=Origin.STANDING
    )
    manager = permission_of(document, Role.MANAGER)
    if not grants.update(permission=manager, updated_at=actor.now):
        grant_insert(
            document, user_pk=actor.pk, role=Role.MANAGER, origin=Origin.STANDING, granted_by=actor.pk
        )


def _event(
    actor: Actor,
    document: Document,
    action: str,
    facts: Mapping[str, Any] | None = None,
    **changes: tuple[object, object],
) -> None:
    event_record(
        actor=actor,
        action=action,
        target=Target("document", document.uid, document.title),
        workspace_uid=document.workspace.uid,
        changes=changes,
        facts=facts,
    )
