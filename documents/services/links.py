"""Share links: made, changed and revoked by who manages the document."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from accounts.passwords import password_hash
from accounts.powers import powers_required
from audit.services import Entry, Target, events_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import InvalidInput, NotFound
from cloudscribe.lib.transactions import transactional
from documents.etags import ExpectedRevision, expected_check
from documents.exceptions import EditLinksNotAllowed, LinkRevoked, LinksNotAllowed
from documents.link_secrets import link_secret_hash, link_secret_make
from documents.models import Document, ShareLink, Workspace
from documents.policies import Action, require
from documents.roles import Role
from documents.services.granting import expiry_check
from documents.services.locking import document_held

LINK_STAFF = "documents.delete_sharelink"


@dataclasses.dataclass(frozen=True, slots=True)
class NewLink:
    """What a link is to be: its role, and each bound that it has. `password` is the plain one."""

    role: Role = Role.VIEWER
    include_children: bool = False
    password: str | None = dataclasses.field(default=None, repr=False)
    expires_at: dt.datetime | None = None
    max_uses: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class MadeLink:
    """A new link with its secret, which is nowhere else."""

    link: ShareLink
    secret: str = dataclasses.field(repr=False)


def link_create(
    *, actor: Actor, document: Document, new: NewLink, expected: ExpectedRevision | None = None
) -> MadeLink:
    """Make a link to a document, for managers. It is the document's: its maker may go.

    Without an end it gets the latest that the workspace allows. Raises Forbidden, LinksNotAllowed,
    EditLinksNotAllowed, InvalidInput, DocumentTrashed, PreconditionFailed.
    """
    require(actor, Action.LINK, document)
    # Outside of the transaction: it takes 46 ms of CPU, and the document's row would be locked meanwhile.
    encoded = password_hash(new.password) if new.password else ""
    return _create(actor=actor, document=document, new=new, encoded=encoded, expected=expected)


@transactional
def _create(
    *, actor: Actor, document: Document, new: NewLink, encoded: str, expected: ExpectedRevision | None
) -> MadeLink:
    actor, document = _locked(actor, document)
    expected_check(expected, document, actor)
    _role_check(document.workspace, new.role)
    secret = link_secret_make()
    link = ShareLink.objects.create(
        document=document,
        secret_hash=link_secret_hash(secret),
        role=str(new.role),
        include_children=new.include_children,
        password=encoded,
        expires_at=_end_of(document.workspace, new.expires_at, actor.now),
        max_uses=new.max_uses,
        created_by_id=actor.pk,
        created_at=actor.now,
        updated_at=actor.now,
    )
    changes = {name: (None, value) for name, value in _facts(link).items() if value not in {None, False}}
    _event(actor, link, "link.created", changes)
    return MadeLink(link, secret)


def link_update(
    *, actor: Actor, document: Document, link: uuid.UUID, changes: Mapping[str, Any]
) -> ShareLink:
    """Change a link's `role password expires_at max_uses include_children`; None takes a bound away.

    A workspace's limit of lifetime counts from the change. Raises as `link_create` does, NotFound and
    LinkRevoked.
    """
    require(actor, Action.LINK, document)
    wanted = dict(changes)
    if "password" in wanted:
        wanted["password"] = password_hash(wanted["password"]) if wanted["password"] else ""
    return _update(actor=actor, document=document, link=link, wanted=wanted)


@transactional
def _update(*, actor: Actor, document: Document, link: uuid.UUID, wanted: dict[str, Any]) -> ShareLink:
    actor, document = _locked(actor, document)
    row = _link_lock(document, link)
    if row.revoked_at is not None:
        raise LinkRevoked
    before, had = _facts(row), row.password
    if "role" in wanted:
        _role_check(document.workspace, Role(wanted["role"]))
        wanted["role"] = str(wanted["role"])
    if "expires_at" in wanted:
        wanted["expires_at"] = _end_of(document.workspace, wanted["expires_at"], actor.now)
    if wanted.get("max_uses") is not None and wanted["max_uses"] < row.use_count:
        text = f"It was used {row.use_count} times already."
        raise InvalidInput.field("/max_uses", "below_use_count", text)
    for name, value in wanted.items():
        setattr(row, name, value)
    after = _facts(row)
    changed = {name: (before[name], after[name]) for name in after if before[name] != after[name]}
    if changed or row.password != had:
        row.updated_at = actor.now
        row.save(update_fields=[*wanted, "updated_at"])
        _event(actor, row, "link.changed", changed, new_password=row.password not in {had, ""})
    return row


@transactional
def link_revoke(*, actor: Actor, document: Document, link: uuid.UUID) -> None:
    """Close a link for good, from the next request on; raises Forbidden, NotFound, LinkRevoked."""
    actor, document = _locked(actor, document)
    row = _link_lock(document, link)
    if row.revoked_at is not None:
        raise LinkRevoked
    _revoke(actor, row)


@transactional
def links_revoke(*, actor: Actor, document: Document) -> int:
    """Close every link of a document; how many there were. Raises Forbidden."""
    actor, document = _locked(actor, document)
    open_ones = ShareLink.objects.filter(document=document, revoked_at__isnull=True)
    rows = list(open_ones.order_by("pk").select_for_update(no_key=True))
    ShareLink.objects.filter(pk__in=[row.pk for row in rows]).update(
        revoked_at=actor.now, revoked_by_id=actor.pk
    )
    events_record([_entry(actor, row, document, "link.revoked") for row in rows])
    return len(rows)


@transactional
def link_withdraw(*, actor: Actor, link: uuid.UUID) -> None:
    """Close any link, as staff who hold the permission to delete them; raises NotFound, LinkRevoked."""
    powers_required(actor, LINK_STAFF)
    rows = ShareLink.objects.select_related("document__workspace").filter(uid=link)
    row = rows.select_for_update(no_key=True, of=("self",)).first()
    if row is None:
        raise NotFound
    if row.revoked_at is not None:
        raise LinkRevoked
    _revoke(actor, row)


def _locked(actor: Actor, document: Document) -> tuple[Actor, Document]:
    """The document locked, so that it isn't trashed meanwhile, and the actor of after that, who may link."""
    actor, document = document_held(actor, document)
    require(actor, Action.LINK, document)
    return actor, document


def _link_lock(document: Document, uid: uuid.UUID) -> ShareLink:
    rows = ShareLink.objects.filter(document=document, uid=uid)
    row = rows.select_for_update(no_key=True).first()
    if row is None:
        raise NotFound
    row.document = document
    return row


def _role_check(workspace: Workspace, role: Role) -> None:
    if not workspace.links_allowed:
        raise LinksNotAllowed
    if role is Role.EDITOR and not workspace.edit_links_allowed:
        raise EditLinksNotAllowed


def _end_of(workspace: Workspace, wanted: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """The end of a link; raises InvalidInput for one that has passed or lies beyond what the room allows."""
    expiry_check(wanted, now)
    days = workspace.link_lifetime_days
    if days is None:
        return wanted
    latest = now + dt.timedelta(days=days)
    if wanted is not None and wanted > latest:
        text = f"Links of this workspace live for {days} days at most."
        raise InvalidInput.field("/expires_at", "beyond_lifetime", text)
    return wanted or latest


def _revoke(actor: Actor, row: ShareLink) -> None:
    ShareLink.objects.filter(pk=row.pk).update(revoked_at=Now(), revoked_by_id=actor.pk)
    _event(actor, row, "link.revoked", {})


def _facts(link: ShareLink) -> dict[str, Any]:
    """What the record tells of a link; of its password only that it has one."""
    return {
        "role": link.role,
        "include_children": link.include_children,
        "expires_at": link.expires_at,
        "max_uses": link.max_uses,
        "has_password": bool(link.password),
    }


def _entry(
    actor: Actor,
    link: ShareLink,
    document: Document,
    action: str,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    **facts: Any,
) -> Entry:
    return Entry(
        actor,
        action,
        Target("link", link.uid, document.title),
        document.workspace.uid,
        changes,
        facts={"document": str(document.uid), **facts},
    )


def _event(
    actor: Actor, link: ShareLink, action: str, changes: Mapping[str, tuple[Any, Any]], **facts: Any
) -> None:
    events_record([_entry(actor, link, link.document, action, changes, **facts)])
