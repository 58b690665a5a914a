"""PATCH of a document: what a revision holds, or, alone, how access is inherited or who is responsible."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from accounts.models import User
from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.jobs.models import Job
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.conditional import parse_if_match
from cloudscribe.lib.errors import DomainError, FieldError, InvalidInput
from cloudscribe.lib.permissions import scope_require
from cloudscribe.lib.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictSerializer,
    StrictUUIDField,
)
from documents import limits
from documents.api.destinations import DestinationMixin
from documents.api.effects import EffectsAnswer, either
from documents.api.serializers import BodyField, DocumentAnswer, LanguageField, TagsField
from documents.etags import ExpectedRevision, expected_revision
from documents.models import Document
from documents.policies import Action, require
from documents.selectors.editing import document_find
from documents.services.editing import document_update
from documents.services.states import (
    document_inheritance_preview,
    document_inheritance_set,
    document_owner_set,
)

_ALONE = ("inherits_access", "owner")
# What says who may read takes it beside the scope of the route, wherever it is written.
RIGHTS_SCOPE = "workspaces:manage"
# RFC 7240: preferences are separated by commas, parameters follow a semicolon.
_MERGE_NEVER = re.compile(r'(?:^|,)\s*merge\s*=\s*"?never"?\s*(?:[,;]|$)', re.IGNORECASE)


PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    enum=["merge=never"],
    description="With `merge=never` a stale write is refused with 412 in place of being merged (RFC 7240).",
)


class MixedFields(DomainError):
    """`inherits_access` and `owner` are no part of a revision and go alone."""

    code = "mixed_fields"
    title = "This property goes alone"


class DocumentUpdateInput(StrictSerializer):
    """What a PATCH of a document may hold."""

    title = StrictCharField(max_length=limits.TITLE_LENGTH, required=False)
    content = BodyField(required=False)
    language = LanguageField(required=False)
    tags = TagsField(required=False)
    icon = StrictCharField(max_length=limits.ICON_LENGTH, allow_blank=True, required=False)
    template = StrictBooleanField(required=False)
    note = StrictCharField(max_length=limits.NOTE_LENGTH, allow_blank=True, required=False)
    inherits_access = StrictBooleanField(required=False)
    owner = StrictUUIDField(required=False)


def merge_wanted(request: Request | HttpRequest) -> bool:
    """Whether a stale write may be merged: unless the client sends `Prefer: merge=never`."""
    return not _MERGE_NEVER.search(request.META.get("HTTP_PREFER", ""))


def expected_of(request: Request | HttpRequest, actor: Actor, document: Document) -> ExpectedRevision | None:
    """The revision that If-Match names, None without the header.

    Raises IfMatchAny for `*`, InvalidCondition for what is no list of tags.
    """
    epoch = actor.access_key.epoch if actor.access_key else 0
    return expected_revision(parse_if_match(request), document, epoch)


class EditingMixin(DestinationMixin):
    """The PATCH of the documents' viewset."""

    @extend_schema(
        parameters=[PREFER], responses={200: either("DocumentOrEffects", DocumentAnswer), 202: JobOutput}
    )
    def partial_update(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """Change a document from the version that If-Match names.

        Where others have written since, the server merges: field by field, tags as a set, the body by lines
        and then by words.
        With `dry_run` a change of `inherits_access` alone tells who would gain and who would lose by it. That
        property takes the scope `workspaces:manage` as well, as grants do.
        """
        changes = self.input()
        if "inherits_access" in changes:
            scope_require(self.actor, RIGHTS_SCOPE)
        alone = [name for name in _ALONE if name in changes]
        if request.META.get("QUERY_STRING") and self.query()["dry_run"]:
            return self._rehearsed(changes)
        if alone:
            return self._changed_alone(alone, changes)
        document = document_find(self.actor, self.kwargs[self.document_kwarg])
        note = changes.pop("note", "")
        edited = document_update(
            actor=self.actor,
            document=document,
            changes=changes,
            expected=expected_of(request, self.actor, document),
            merge=merge_wanted(request),
            note=note,
        )
        return self.document_answer(edited.document, row=edited.row, merged=edited.merged)

    def _rehearsed(self, changes: dict[str, Any]) -> HttpResponseBase:
        if changes.keys() != {"inherits_access"}:
            raise InvalidInput.field("?dry_run", "not_here", "Only a change of inherits_access is rehearsed.")
        effects = document_inheritance_preview(
            actor=self.actor, document=self.document_here(), inherits_access=changes["inherits_access"]
        )
        return self.respond(EffectsAnswer(effects).data)

    def _changed_alone(self, alone: list[str], changes: dict[str, Any]) -> HttpResponseBase:
        if len(changes) > 1:
            text = "Send this property in a request of its own."
            raise MixedFields(errors=[FieldError(f"/{name}", "mixed_fields", text) for name in alone])
        document = self.document_here()
        if "owner" in changes:
            require(self.actor, Action.CHANGE_OWNER, document)
            owner = User.objects.filter(uid=changes["owner"]).first()
            if owner is None:
                # As for a person who may not see it: nothing here tells whether somebody has an account.
                text = "The owner must be an active person who may see it."
                raise InvalidInput.field("/owner", "not_a_reader", text)
            document = document_owner_set(actor=self.actor, document=document, owner=owner)
        else:
            cut = document_inheritance_set(
                actor=self.actor, document=document, inherits_access=changes["inherits_access"]
            )
            if isinstance(cut, Job):
                return self.job_answer(cut)
            document = cut
        return self.document_answer(document, rights_changed=True, merged=False)
