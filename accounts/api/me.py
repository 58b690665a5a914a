"""The signed-in person and their sessions: `me/…`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request

from accounts.actors import person_pk
from accounts.api.serializers import HandOverInput, MeInput, MeOutput, SessionOutput
from accounts.models import Session, User
from accounts.permissions import SteppedUp
from accounts.selectors import sessions_live
from accounts.services import profile_update, session_revoke, sessions_revoke_others
from accounts.services.leaving import own_account_delete, user_deactivate
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.viewsets import ServiceViewSet


class MeViewSet(ServiceViewSet):
    """The signed-in person."""

    before_enrollment = True
    permission_classes = [Authenticated]
    action_permissions: ClassVar = dict.fromkeys(("deactivate", "destroy"), (SteppedUp,))
    serializers: ClassVar = {"retrieve": MeOutput, "partial_update": MeInput, "destroy": HandOverInput}
    answers: ClassVar = {"deactivate": None}
    answer_serializer = MeOutput
    statuses: ClassVar = {"deactivate": 204}
    problems: ClassVar = {"deactivate": (409, 423), "destroy": (404, 409, 423)}
    scope_map: ClassVar = {"retrieve": "profile:read"}

    @property
    def rate_scope(self) -> str:  # type: ignore[override]
        """By what is done."""
        return "reads" if self.action == "retrieve" else "writes"

    def retrieve(self, request: Request) -> HttpResponseBase:
        """Who is signed in."""
        return self.respond(MeOutput(User.objects.get(pk=person_pk(self.actor))).data)

    def partial_update(self, request: Request) -> HttpResponseBase:
        """Change the own name, language or time zone."""
        return self.respond(MeOutput(profile_update(actor=self.actor, changes=self.input())).data)

    def deactivate(self, request: Request) -> HttpResponseBase:
        """Close the own account: sessions and tokens end, and only staff can let one in again."""
        user_deactivate(actor=self.actor)
        return self.respond()

    def destroy(self, request: Request) -> HttpResponseBase:
        """Delete the own account for good; `hand_over_to` takes over what one answers for alone."""
        own_account_delete(actor=self.actor, **self.input())
        return self.respond()


class SessionsViewSet(ServiceViewSet):
    """The sessions of the signed-in person."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": SessionOutput}
    default_ordering = "-created_at"

    @property
    def rate_scope(self) -> str:  # type: ignore[override]
        """By what is done."""
        return "reads" if self.action == "list" else "writes"

    def get_queryset(self) -> QuerySet[Session]:
        """The own live sessions."""
        return sessions_live(person_pk(self.actor))

    def get_serializer_context(self) -> dict[str, Any]:
        """With the session at hand."""
        current = self.actor.credential_uid if self.request.auth else None
        return {**super().get_serializer_context(), "current_session": current}

    def list(self, request: Request) -> HttpResponseBase:
        """Where one is signed in, newest first."""
        return self.paged(self.get_queryset())

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """End one session, the one at hand too; its tokens fail from the next request on."""
        session_revoke(actor=self.actor, session=self.get_object_or_404(self.get_queryset()).uid)
        return self.respond()

    def destroy_others(self, request: Request) -> HttpResponseBase:
        """End all sessions but the one at hand."""
        sessions_revoke_others(actor=self.actor)
        return self.respond(status=204)

    statuses: ClassVar = {"destroy_others": 204}
