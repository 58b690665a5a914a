"""`documents/batch/`: one change of many documents, each as if it were asked for alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar

from django.db import DatabaseError
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.jobs.models import Job
from cloudscribe.lib.context import current_context
from cloudscribe.lib.errors import DomainError, NotFound
from cloudscribe.lib.permissions import Authenticated, scope_require
from cloudscribe.lib.problems import problem_of, report
from cloudscribe.lib.serializers import StrictDateTimeField, StrictSerializer, StrictUUIDField
from cloudscribe.lib.signals import access_denied
from documents import limits
from documents.api.destinations import DestinationMixin
from documents.api.editing import RIGHTS_SCOPE
from documents.api.members import DOCUMENT_ROLES, SubjectsNamed
from documents.api.serializers import TagsField
from documents.exceptions import DocumentTrashed
from documents.models import Document
from documents.policies import Action, can
from documents.roles import Role
from documents.services.grants import grant_set
from documents.services.tagging import document_tags_change
from documents.services.trash import document_restore, document_trash
from documents.services.tree_jobs import TreeChange
from documents.services.trees import document_move
from documents.visibility import visible_to

_FIELDS: dict[str, frozenset[str]] = {
    "grant": frozenset({"user", "team", "role", "expires_at"}),
    "move": frozenset({"workspace", "parent", "before", "after"}),
    "restore": frozenset(),
    "tag": frozenset({"add", "remove"}),
    "trash": frozenset(),
}
# Of the others each field is optional by itself, but one of them has to be there.
_NEEDED = {"move": "parent", "tag": "add"}

# Changes one document; the result's status and what else belongs into it.
Act = Callable[[Document], dict[str, Any]]


class BatchInput(StrictSerializer):
    """What to do to which documents; which other fields there may be depends on the action."""

    action = serializers.ChoiceField(choices=sorted(_FIELDS))
    ids = serializers.ListField(child=StrictUUIDField(), min_length=1, max_length=limits.BATCH)
    workspace = StrictUUIDField(required=False)
    parent = StrictUUIDField(required=False, allow_null=True)  # type: ignore[assignment]
    before = StrictUUIDField(required=False)
    after = StrictUUIDField(required=False)
    add = TagsField(required=False)
    remove = TagsField(required=False)
    user = StrictUUIDField(required=False)
    team = StrictUUIDField(required=False)
    role = serializers.ChoiceField(choices=DOCUMENT_ROLES, required=False)
    expires_at = StrictDateTimeField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The fields that the action knows, and those that it needs."""
        action, fields = attrs["action"], attrs.keys() - {"action", "ids"}
        faults = dict.fromkeys(fields, ("not_for_action", f"This has no meaning for {action}."))
        for name in fields & _FIELDS[action]:
            del faults[name]
        if len(set(attrs["ids"])) < len(attrs["ids"]):
            faults["ids"] = ("repeated", "Each document stands once.")
        if set(attrs.get("add", ())) & set(attrs.get("remove", ())):
            faults["remove"] = ("contradiction", "What is added can't be removed.")
        if action in _NEEDED and not fields & _FIELDS[action]:
            faults[_NEEDED[action]] = ("required", "Say what is to become of them.")
        if action == "grant" and ("role" not in fields or len(fields & {"user", "team"}) != 1):
            faults["role"] = ("one_of", "A role, and either a user or a team are due.")
        if faults:
            raise serializers.ValidationError(
                {name: [serializers.ErrorDetail(text, code)] for name, (code, text) in sorted(faults.items())}
            )
        return attrs


class BatchProblem(serializers.Serializer[Any]):
    """Why an item was refused: of a problem what differs from item to item."""

    code = serializers.CharField()
    title = serializers.CharField()
    detail = serializers.CharField()


class BatchResult(serializers.Serializer[Any]):
    """What became of one document."""

    id = serializers.UUIDField()
    status = serializers.IntegerField(help_text="What the change of this document alone would have answered.")
    error = BatchProblem(required=False)
    grant = serializers.UUIDField(required=False, help_text="The grant that was given.")
    job = serializers.UUIDField(required=False, help_text="The job that changes a large subtree.")


class BatchAnswer(serializers.Serializer[Any]):
    """A result for each id, in their order."""

    results = BatchResult(many=True)


class BatchViewSet(SubjectsNamed, DestinationMixin):
    """Changes of many documents."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"change": BatchInput}
    answers: ClassVar = {"change": BatchAnswer}
    scope_map: ClassVar = {"change": "documents:write"}
    tag = "documents"

    def change(self, request: Request) -> HttpResponseBase:
        """Move, tag, trash, restore or grant on up to 500 documents.

        Each is changed in a transaction of its own and has its own result: the status that it alone would
        have been answered with, 404 for what is hidden and what is absent. What the body names besides (a
        place, a person, a team) is looked up first, and refuses the whole. Granting takes the scope
        `workspaces:manage` as well. It is no creation, so an `Idempotency-Key` is ignored: all but a grant
        can be sent again, and that answers 409 `grant_exists`.
        """
        given = self.input()
        action, uids = given.pop("action"), given.pop("ids")
        act = getattr(self, f"_{action}")(given)
        rows = visible_to(Document.objects.select_related("workspace", "parent"), self.actor)
        found = {row.uid: row for row in rows.filter(uid__in=uids)}
        results = [self._result(uid, found.get(uid), act, even_trashed=action == "restore") for uid in uids]
        return self.respond({"results": results})

    def _result(
        self, uid: uuid.UUID, document: Document | None, act: Act, *, even_trashed: bool
    ) -> dict[str, Any]:
        try:
            if document is None:
                raise NotFound
            if document.is_trashed and not can(self.actor, Action.EDIT, document):
                raise NotFound
            if document.is_trashed and not even_trashed:
                raise DocumentTrashed
            return {"id": uid, **act(document)}
        except (DomainError, DatabaseError) as error:
            problem = problem_of(error)
            report(error, problem, self.request._request)  # noqa: SLF001 (as the handler of errors does)
            self._denial_told(problem)
            shown = {"code": problem.code, "title": problem.title, "detail": problem.message}
            return {"id": uid, "status": problem.status, "error": shown}

    def _denial_told(self, problem: DomainError) -> None:
        """A refusal of the actor is one, however many others stand beside it."""
        if problem.status == HTTPStatus.FORBIDDEN:
            route = current_context().route
            access_denied.send_robust(sender=type(self), actor=self.actor, route=route, code=problem.code)

    # --- what each action does to one document ---
    def _grant(self, given: dict[str, Any]) -> Act:
        scope_require(self.actor, RIGHTS_SCOPE)
        subject = self.subject(given)
        role, expires_at = Role(given["role"]), given.get("expires_at")

        def act(document: Document) -> dict[str, Any]:
            grant = grant_set(
                actor=self.actor, document=document, role=role, expires_at=expires_at, **subject
            )
            return {"status": HTTPStatus.CREATED, "grant": grant.uid}

        return act

    def _move(self, given: dict[str, Any]) -> Act:
        named = self.place_named(given)

        def act(document: Document) -> dict[str, Any]:
            to = self.placed(document, named, given)
            moved = document_move(actor=self.actor, document=document, to=to)
            if "after" in given:
                # Behind the sibling that was named they stand in their own order.
                given["after"] = document.uid
            return _done(moved)

        return act

    def _restore(self, given: dict[str, Any]) -> Act:
        return lambda document: _done(document_restore(actor=self.actor, document=document))

    def _tag(self, given: dict[str, Any]) -> Act:
        add, remove = given.get("add", ()), given.get("remove", ())

        def act(document: Document) -> dict[str, Any]:
            document_tags_change(actor=self.actor, document=document, add=add, remove=remove)
            return {"status": HTTPStatus.OK}

        return act

    def _trash(self, given: dict[str, Any]) -> Act:
        return lambda document: _done(document_trash(actor=self.actor, document=document))


def _done(changed: TreeChange | Job) -> dict[str, Any]:
    if isinstance(changed, Job):
        return {"status": HTTPStatus.ACCEPTED, "job": changed.uid}
    return {"status": HTTPStatus.OK}
