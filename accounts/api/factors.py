"""Proving who one is anew: `auth/step-up/`."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponseBase
from rest_framework.request import Request

from accounts.api.auth import address_of
from accounts.api.factor_serializers import StepUpInput, StepUpOutput
from accounts.services.step_up import step_up
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.viewsets import ServiceViewSet


class StepUpViewSet(ServiceViewSet):
    """A fresh proof for acts of consequence."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"step_up": StepUpInput}
    answer_serializer = StepUpOutput
    rate_scope = "sign_in"
    no_store = True

    def step_up(self, request: Request) -> HttpResponseBase:
        """Prove again who you are.

        Acts of consequence ask for a proof that is at most a quarter of an hour old and answer
        `reauth_required` without one; after this they can be repeated. A wrong password is limited as at
        sign-in and ends no session.
        """
        session = step_up(actor=self.actor, address=address_of(request), **self.input())
        return self.respond(StepUpOutput(session).data)
