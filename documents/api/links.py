"""`documents/{id}/links/`: the share links of a document, for those who manage it."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.actor import actor_of
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import (
    QuerySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictSerializer,
)
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.api.editing import expected_of
from documents.api.reaching import DocumentReached
from documents.models import Document, LinkState, LinkVisit, ShareLink
from documents.policies import Action, require
from documents.roles import LINK_BITS, Role
from documents.selectors.links import links_in, links_of, visits_of
from documents.services.link_visits import LONGEST_PASSWORD
from documents.services.links import NewLink, link_create, link_revoke, link_update, links_revoke

_ROLES = [role.value for role in LINK_BITS]
_MOST_USES = 1_000_000_000
_SHORTEST_PASSWORD = 4


class LinkAnswer(serializers.Serializer[ShareLink]):
    """A share link. Its secret was shown once, its password is kept as a hash."""

    id = serializers.UUIDField(source="uid")
    role = serializers.ChoiceField(choices=_ROLES)
    include_children = serializers.BooleanField(help_text="Whether it opens what stands below, too.")
    has_password = serializers.SerializerMethodField()
    expires_at = serializers.SerializerMethodField(help_text="When it ends; null is never.")
    max_uses = serializers.IntegerField(allow_null=True, help_text="How many visits it takes; null is any.")
    use_count = serializers.IntegerField(help_text="How many visits there were.")
    last_used_at = serializers.DateTimeField(allow_null=True)
    state = serializers.SerializerMethodField()
    created_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)

    def get_has_password(self, link: ShareLink) -> bool:
        """Whether it asks for a password."""
        return bool(link.password)

    def get_expires_at(self, link: ShareLink) -> serializers.DateTimeField(allow_null=True):  # type: ignore[valid-type]
        """Its own end or the one that the workspace sets, whichever comes first."""
        return link.ends_at(link.document.workspace.link_lifetime_days)

    def get_state(self, link: ShareLink) -> LinkState:
        """Where it stands at the moment of the request."""
        now = actor_of(self.context["request"]).now
        return link.state_at(now, link.document.workspace.link_lifetime_days)

    def get_created_by(self, link: ShareLink) -> uuid.UUID | None:
        """The id of who made it."""
        return link.created_by.uid if link.created_by else None


class LinkMade(LinkAnswer):
    """A new share link."""

    url = serializers.CharField(help_text="The address of its page.")
    secret = serializers.CharField(help_text="Shown this once.")


class LinkInput(StrictSerializer):
    """A new share link."""

    role = serializers.ChoiceField(choices=_ROLES, required=False)
    password = StrictCharField(
        required=False,
        allow_null=True,
        trim_whitespace=False,
        min_length=_SHORTEST_PASSWORD,
        max_length=LONGEST_PASSWORD,
    )
    expires_at = StrictDateTimeField(required=False, allow_null=True)
    max_uses = StrictIntegerField(required=False, allow_null=True, min_value=1, max_value=_MOST_USES)
    include_children = StrictBooleanField(required=False)


class LinkUpdateInput(LinkInput):
    """What changes of a share link; null takes a bound away."""


class LinkQuery(QuerySerializer):
    """Of one state alone."""

    state = serializers.ChoiceField(choices=LinkState.choices, required=False)


class VisitAnswer(serializers.Serializer[LinkVisit]):
    """One visit: when, from where and by what program."""

    at = serializers.DateTimeField()
    address = serializers.IPAddressField(allow_null=True)
    device = serializers.CharField(allow_blank=True)


class LinkViewSet(DocumentReached, ServiceViewSet):
    """The share links of a document."""

    permission_classes = [Authenticated]
    document_kwarg = "document"
    lookup_url_kwarg = "link"
    serializers: ClassVar = {
        "list": LinkAnswer,
        "retrieve": LinkAnswer,
        "create": LinkInput,
        "partial_update": LinkUpdateInput,
        "visits": VisitAnswer,
    }
    answers: ClassVar = {"create": LinkMade, "partial_update": LinkAnswer}
    queries: ClassVar = {"list": LinkQuery}
    statuses: ClassVar = {"revoke_all": 204}
    scope_map: ClassVar = {
        **dict.fromkeys(("list", "retrieve", "visits"), "documents:read"),
        **dict.fromkeys(("create", "partial_update", "destroy", "revoke_all"), "workspaces:manage"),
    }
    if_match: ClassVar = {"create": "optional"}
    no_store = ("create",)
    paged_actions: ClassVar = ("visits",)
    ordering_choices: ClassVar = ()
    problems: ClassVar = {
        **dict.fromkeys(("list", "retrieve", "visits", "revoke_all"), (410,)),
        "create": (409, 410, 412),
        **dict.fromkeys(("partial_update", "destroy"), (409, 410)),
    }
    tag = "links"

    def list(self, request: Request, document: str) -> HttpResponseBase:
        """The links of the document, the newest first; revoked ones only where they are asked for."""
        here = self.linked()
        days, state = here.workspace.link_lifetime_days, self.query().get("state")
        rows = links_of(here)
        if state is None:
            return self.paged(rows.filter(revoked_at__isnull=True))
        return self.paged(links_in(rows, LinkState(state), days))

    def create(self, request: Request, document: str) -> HttpResponseBase:
        """Make a link: whoever has it sees the document, without an account.

        The answer shows the secret once. Where the workspace bounds the lifetime of links, one without an end
        gets the latest.
        """
        here, given = self.linked(), self.input()
        new = NewLink(**{**given, "role": Role(given.get("role", Role.VIEWER))})
        expected = expected_of(request, self.actor, here)
        made = link_create(actor=self.actor, document=here, new=new, expected=expected)
        link: Any = self.get_object_or_404(links_of(here), uid=made.link.uid)
        link.url, link.secret = link_address(made.secret), made.secret
        return self.respond(self.shown(link), location=f"/api/v1/documents/{here.uid}/links/{link.uid}/")

    def revoke_all(self, request: Request, document: str) -> HttpResponseBase:
        """Close every link of the document for good."""
        links_revoke(actor=self.actor, document=self.linked())
        return self.respond()

    def retrieve(self, request: Request, document: str, link: str) -> HttpResponseBase:
        """One link."""
        return self.respond(self.shown(self.link_here()))

    def partial_update(self, request: Request, document: str, link: str) -> HttpResponseBase:
        """Change role, password, end, number of uses or reach of a link; its secret stays."""
        row, changes = self.link_here(), self.input()
        link_update(actor=self.actor, document=row.document, link=row.uid, changes=changes)
        return self.respond(self.shown(self.link_here()))

    def destroy(self, request: Request, document: str, link: str) -> HttpResponseBase:
        """Close a link for good, from the next request on."""
        row = self.link_here()
        link_revoke(actor=self.actor, document=row.document, link=row.uid)
        return self.respond()

    def visits(self, request: Request, document: str, link: str) -> HttpResponseBase:
        """Who came by the link, the latest first; kept for a while."""
        return self.paged(visits_of(self.link_here()))

    def linked(self) -> Document:
        """The document, if the actor may link to it; raises NotFound, DocumentTrashed, Forbidden."""
        document = self.document_here()
        require(self.actor, Action.LINK, document)
        return document

    def link_here(self) -> Any:
        """The link of the address, revoked ones too; raises NotFound."""
        rows: QuerySet[ShareLink] = links_of(self.linked())
        return self.get_object_or_404(rows)


def link_address(secret: str) -> str:
    """The address of a link's page."""
    return f"{settings.PUBLIC_URL}/s/{secret}/"
