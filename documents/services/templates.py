"""Making documents from templates."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from uuid_utils.compat import uuid7

from accounts.actors import person_pk
from accounts.models import User
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import FieldError, InvalidInput, NotFound
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.exceptions import DocumentTrashed, MissingVariables
from documents.models import Document, DocumentBody, Workspace
from documents.policies import Action, can, require
from documents.relinking import relinked
from documents.selectors.visible import document_visible
from documents.services.attachments import attachments_copied, attachments_copy
from documents.services.documents import Created, NewDocument, document_add
from documents.services.locking import actor_renewed
from documents.templates import BUILT_IN, filled, filled_bytes, variables_of


@transactional
def document_from_template(
    *,
    actor: Actor,
    workspace: Workspace,
    template: Document,
    variables: Mapping[str, str],
    given: Mapping[str, Any],
    parent: Document | None = None,
) -> Created:
    """Make a document of what a template says, its placeholders filled; `given` are fields of NewDocument.

    Language, tags and icon are the template's unless given; its files go along, and links to them and to the
    template itself lead to the copies. Raises as `document_create` does, and NotFound for a hidden template,
    DocumentTrashed, InvalidInput for a document that is none, for an unknown variable and for a body that
    becomes too large, MissingVariables, AttachmentQuotaExceeded.
    """
    reader = actor_renewed(actor)
    source = _template_found(reader, template)
    uid = uuid7()
    body = DocumentBody.objects.only("content").get(pk=source.pk).content
    own = {"author": actor.name, "date": _today(reader), "title": given["title"]}
    values = {**_checked(body, variables), **own}
    files = {old: uuid7() for old in attachments_copied([source.pk]).values_list("uid", flat=True)}
    body = relinked(body, documents={source.uid: uid}, files=files, public_url=settings.PUBLIC_URL)
    if filled_bytes(body, values) > limits.BODY_BYTES:
        raise InvalidInput.field("/variables", "max_length", "The body would become longer than 2 MB.")
    kept = {"language": source.language, "tags": source.tags, "icon": source.icon}
    new = NewDocument(**{**kept, **given, "content": filled(body, values)})
    created = document_add(actor, workspace, new, parent, {"template": str(source.uid)}, uid=uid)
    if files:
        attachments_copy(
            actor=actor_renewed(actor),
            workspace=workspace.pk,
            copies={source.pk: created.document.pk},
            uids=files,
        )
    return created


def _template_found(reader: Actor, template: Document) -> Document:
    source = document_visible(reader, template.pk)
    if source.is_trashed:
        raise DocumentTrashed if can(reader, Action.EDIT, source) else NotFound
    require(reader, Action.COPY, source)
    if not source.template:
        raise InvalidInput.field("/from_template", "not_a_template", "This document is no template.")
    return source


def _checked(body: str, variables: Mapping[str, str]) -> Mapping[str, str]:
    declared = variables_of(body)
    unknown = [name for name in variables if name not in declared]
    if unknown:
        faults = [_fault(name, "unknown_variable", _why_unknown(name)) for name in unknown]
        raise InvalidInput(faults[0].detail if len(faults) == 1 else None, errors=faults)
    missing = [name for name in declared if name not in variables]
    if missing:
        text = "The template declares it."
        raise MissingVariables(
            errors=[_fault(name, "required", text) for name in missing], extra={"missing": missing}
        )
    return variables


def _why_unknown(name: str) -> str:
    return "It is filled by itself." if name in BUILT_IN else "The template declares no such variable."


def _fault(name: str, code: str, detail: str) -> FieldError:
    escaped = name.replace("~", "~0").replace("/", "~1")
    return FieldError(f"/variables/{escaped}", code, detail)


def _today(actor: Actor) -> str:
    """The day it is where the person lives, as ISO 8601 has it."""
    name = User.objects.filter(pk=person_pk(actor)).values_list("timezone", flat=True).first()
    return actor.now.astimezone(zoneinfo.ZoneInfo(name or "UTC")).date().isoformat()
