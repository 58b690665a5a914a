"""`workspaces/`: the rooms of documents, their trees and their trash."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.lib.conditional import make_etag
from cloudscribe.lib.cursors import decode_cursor, encode_cursor
from cloudscribe.lib.errors import InvalidInput
from cloudscribe.lib.pagination import DEFAULT_PAGE_SIZE, binding_of, page_links
from cloudscribe.lib.permissions import Authenticated, HasPermission
from cloudscribe.lib.renderers import dump_json
from cloudscribe.lib.serializers import (
    QuerySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictRegexField,
    StrictSerializer,
)
from documents import limits
from documents.api.answering import JobAnswering
from documents.api.read_log import bodies_read_tell
from documents.api.serializers import (
    EXPANDABLE,
    CommaField,
    DocumentListed,
    LanguageField,
    TreeNode,
    TreeQuery,
)
from documents.models import Document, Workspace
from documents.policies import ACTION_BITS, Action, abilities, role_on
from documents.roles import Role
from documents.selectors.history import tree_at
from documents.selectors.reading import documents_listed
from documents.selectors.trees import workspace_tree
from documents.selectors.visible import workspace_visible
from documents.services.locking import actor_renewed
from documents.services.workspaces import (
    POLICIES,
    workspace_create,
    workspace_delete,
    workspace_update,
)
from documents.visibility import visible_to

_LONGEST = 36_500


class PoliciesInput(StrictSerializer):
    """What the owners of a workspace decide."""

    links_allowed = StrictBooleanField(
        required=False, help_text="Off, no share link of the workspace opens anything."
    )
    edit_links_allowed = StrictBooleanField(
        required=False, help_text="Off, share links for editing let their holders read and comment alone."
    )
    link_lifetime_days = StrictIntegerField(required=False, allow_null=True, min_value=1, max_value=_LONGEST)
    trash_days = StrictIntegerField(required=False, min_value=1, max_value=_LONGEST)
    revision_retention_days = StrictIntegerField(
        required=False, allow_null=True, min_value=1, max_value=_LONGEST
    )
    reads_audited = StrictBooleanField(required=False)


class WorkspaceCreateInput(StrictSerializer):
    """A new workspace."""

    name = StrictCharField(max_length=limits.NAME_LENGTH)
    slug = StrictRegexField(r"^[a-z0-9]+(-[a-z0-9]+)*$", required=False, max_length=limits.SLUG_LENGTH)
    description = StrictCharField(required=False, allow_blank=True, max_length=limits.DESCRIPTION_LENGTH)
    default_language = LanguageField(required=False)
    policies = PoliciesInput(required=False)


class WorkspaceUpdateInput(WorkspaceCreateInput):
    """What changes of a workspace."""

    name = StrictCharField(max_length=limits.NAME_LENGTH, required=False)


class PoliciesAnswer(serializers.Serializer[Any]):
    """What the owners of a workspace decided; durations in days, null for no end."""

    links_allowed = serializers.BooleanField()
    edit_links_allowed = serializers.BooleanField()
    link_lifetime_days = serializers.IntegerField(allow_null=True)
    trash_days = serializers.IntegerField()
    revision_retention_days = serializers.IntegerField(allow_null=True)
    reads_audited = serializers.BooleanField()


class WorkspaceAnswer(serializers.Serializer[Any]):
    """A workspace as one of its members sees it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    default_language = serializers.CharField()
    policies = PoliciesAnswer()
    role = serializers.ChoiceField(choices=[role.value for role in Role], allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    abilities = serializers.DictField(child=serializers.BooleanField())

    def to_representation(self, instance: Workspace) -> dict[str, Any]:
        """The workspace with the reader's role and abilities, which are asked of the policies."""
        actor = self.context["request"].auth
        role = role_on(actor, instance)
        return {
            "id": instance.uid,
            "name": instance.name,
            "slug": instance.slug,
            "description": instance.description,
            "default_language": instance.default_language,
            "policies": {name: getattr(instance, name) for name in POLICIES},
            "role": role.value if role else None,
            "created_at": instance.created_at,
            "updated_at": instance.updated_at,
            "abilities": abilities(actor, instance),
        }


class TrashQuery(QuerySerializer):
    """Bodies only where they are asked for."""

    expand = CommaField(names=EXPANDABLE, required=False)


class WorkspaceViewSet(JobAnswering):
    """Workspaces of which the reader is a member."""

    permission_classes = [Authenticated]
    action_permissions: ClassVar = {"create": [HasPermission("documents.add_workspace")]}
    serializers: ClassVar = {
        "list": WorkspaceAnswer,
        "retrieve": WorkspaceAnswer,
        "create": WorkspaceCreateInput,
        "partial_update": WorkspaceUpdateInput,
        "tree": TreeNode,
        "trash": DocumentListed,
    }
    answers: ClassVar = {"create": WorkspaceAnswer, "partial_update": WorkspaceAnswer}
    queries: ClassVar = {"tree": TreeQuery, "trash": TrashQuery}
    scope_map: ClassVar = {
        "list": "documents:read",
        "retrieve": "documents:read",
        "create": "workspaces:manage",
        "partial_update": "workspaces:manage",
        "destroy": "workspaces:manage",
        "tree": "documents:read",
        "trash": "documents:read",
    }
    etag_actions: ClassVar = ("create", "partial_update")
    paged_actions: ClassVar = ("trash",)
    problems: ClassVar = dict.fromkeys(("partial_update", "destroy"), (423,))
    tag = "workspaces"

    @property
    def ordering_choices(self) -> tuple[str, ...]:  # type: ignore[override]
        """Workspaces by name or time, the trash by when things went there."""
        return ("trashed_at",) if self.action == "trash" else ("created_at", "name", "updated_at")

    @property
    def default_ordering(self) -> str:  # type: ignore[override]
        """The newest first."""
        return "-trashed_at" if self.action == "trash" else "-created_at"

    def list(self, request: Request) -> HttpResponseBase:
        """The workspaces that the reader is a member of."""
        return self.paged(visible_to(Workspace.objects.all(), self.actor))

    def create(self, request: Request) -> HttpResponseBase:
        """Make a workspace and own it."""
        workspace = workspace_create(actor=self.actor, **self.input())
        return self._answer(workspace, renewed=True, location=f"/api/v1/workspaces/{workspace.uid}/")

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """One workspace with the reader's role and abilities."""
        return self._answer(self.workspace())

    def partial_update(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Change name, description or default language (managers), slug or policies (owners)."""
        workspace = workspace_update(actor=self.actor, workspace=self.workspace(), changes=self.input())
        return self._answer(workspace)

    @extend_schema(responses={204: None, 202: JobOutput})
    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Remove a workspace with everything in it (owners); one of more than 5,000 documents by a job."""
        job = workspace_delete(actor=self.actor, workspace=self.workspace())
        return self.respond() if job is None else self.job_answer(job)

    @extend_schema(responses=TreeNode(many=True))
    def tree(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """The tree as far as the reader may see it, each node below its nearest visible ancestor.

        With `page_size` the first level is cut into pages, which the header `Link` joins (RFC 8288); with
        `at` it is the tree of that moment.
        """
        workspace, query = self.workspace(), self.query()
        parent = None
        if "parent" in query:
            rows = visible_to(Document.objects.filter(workspace=workspace, trashed_at=None), self.actor)
            parent = self.get_object_or_404(rows, uid=query["parent"])
        part: dict[str, Any] = {"depth": query.get("depth", limits.DEPTH), "parent": parent}
        if "at" in query:
            if query.keys() & {"page_size", "cursor"}:
                raise InvalidInput.field("?at", "contradiction", "A tree of then is not cut into pages.")
            body = dump_json(tree_at(self.actor, workspace.pk, query["at"], **part))
            return self.raw_json(body, etag=make_etag(body))
        return self._tree_page(workspace, query, part)

    def _tree_page(
        self, workspace: Workspace, query: dict[str, Any], part: dict[str, Any]
    ) -> HttpResponseBase:
        size, bound = query.get("page_size"), binding_of(self.request)
        cursor = None
        if "cursor" in query:
            size = size or DEFAULT_PAGE_SIZE
            cursor = decode_cursor(query["cursor"], [int, str, int], bound=bound)
        tree = workspace_tree(self.actor, workspace.pk, size=size, cursor=cursor, **part)
        body = dump_json(tree.nodes)
        response = self.raw_json(body, etag=make_etag(body))
        if tree.next is not None:
            text = encode_cursor(tree.next.values, tree.next.reverse, bound=bound)
            following = page_links(self.request, text, None)["next"]
            response.headers["Link"] = f'<{following}>; rel="next"'
        return response

    def trash(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """What lies in the trash, of all that the reader may edit."""
        workspace = self.workspace()
        rows = visible_to(Document.objects.all(), self.actor, ACTION_BITS[Action.EDIT])
        page = self.paginate_queryset(rows.filter(workspace=workspace, trashed_at__isnull=False))
        expand = self.query().get("expand", ())
        listed = documents_listed(self.actor, [row.pk for row in page or ()], content="content" in expand)
        bodies_read_tell(request, self.actor, listed.values())
        return self.get_paginated_response([listed[row.pk] for row in page or () if row.pk in listed])

    def workspace(self) -> Workspace:
        """The workspace of the address; raises NotFound for an absent or hidden one."""
        return workspace_visible(self.actor, self.kwargs[self.lookup_url_kwarg])

    def _answer(
        self, workspace: Workspace, *, renewed: bool = False, location: str | None = None
    ) -> HttpResponseBase:
        if renewed:
            # The maker's own rights have just come into being.
            self.request.auth = actor_renewed(self.actor)
        shown = self.shown(workspace)
        return self.respond(shown, etag=make_etag(dump_json(shown)), location=location)
