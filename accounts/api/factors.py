"""Second factors and fresh proofs: `auth/mfa/…`, `auth/step-up/`."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from django.http import HttpResponseBase
from rest_framework.request import Request

from accounts.actors import person_pk
from accounts.api.auth import address_of
from accounts.api.factor_serializers import (
    CodeInput,
    FactorsOutput,
    PasskeyOptionsOutput,
    RecoveryCodesOutput,
    StepUpInput,
    StepUpOutput,
    TotpSetupOutput,
)
from accounts.factors import factors_of
from accounts.permissions import SteppedUp
from accounts.services.passkeys import passkey_step_up_options
from accounts.services.second_factor import recovery_codes_renew, totp_confirm, totp_remove, totp_start
from accounts.services.step_up import Proof, step_up
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.viewsets import ServiceViewSet


class StepUpViewSet(ServiceViewSet):
    """A fresh proof for acts of consequence."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"step_up": StepUpInput}
    answers: ClassVar = {"step_up": StepUpOutput, "challenge": PasskeyOptionsOutput}
    rate_scope = "sign_in"
    no_store = True
    before_enrollment = True

    def step_up(self, request: Request) -> HttpResponseBase:
        """Prove again who you are.

        Acts of consequence ask for a proof that is at most a quarter of an hour old and answer
        `reauth_required` without one; after this they can be repeated. Who has a second factor shows that,
        with or without the password. A wrong proof is limited as at sign-in and ends no session.
        """
        proof = Proof(**self.input())
        session = step_up(actor=self.actor, address=address_of(request), proof=proof)
        return self.respond(StepUpOutput(session).data)

    def challenge(self, request: Request) -> HttpResponseBase:
        """Get a challenge for one of your passkeys; its answer is the proof `passkey`."""
        return self.respond({"public_key": passkey_step_up_options(actor=self.actor)})


class FactorsViewSet(ServiceViewSet):
    """The second factors of the signed-in person. For sessions alone; changes need a fresh proof."""

    permission_classes = [SteppedUp]
    action_permissions: ClassVar = {"retrieve": [Authenticated]}
    serializers: ClassVar = {"retrieve": FactorsOutput, "totp_confirm": CodeInput}
    answers: ClassVar = {
        "totp_start": TotpSetupOutput,
        "totp_confirm": RecoveryCodesOutput,
        "recovery_codes": RecoveryCodesOutput,
    }
    statuses: ClassVar = {"totp_remove": 204}
    no_store = True
    before_enrollment = True

    @property
    def rate_scope(self) -> str:  # type: ignore[override]
        """Codes are guarded like passwords."""
        scopes = {"retrieve": "reads", "totp_confirm": "sign_in"}
        return scopes.get(self.action or "", "writes")

    def retrieve(self, request: Request) -> HttpResponseBase:
        """Which second factors you have."""
        found = factors_of(person_pk(self.actor))
        return self.respond({**dataclasses.asdict(found), "enrolled": found.enrolled})

    def totp_start(self, request: Request) -> HttpResponseBase:
        """Begin to set up an authenticator app.

        It counts once a code of it was confirmed. Begun anew, the secret of before is worth nothing.
        """
        return self.respond(dataclasses.asdict(totp_start(actor=self.actor)))

    def totp_confirm(self, request: Request) -> HttpResponseBase:
        """Show the first code of the app: from now on sign-in asks for one, and all other sessions end.

        The recovery codes of the answer are not shown again.
        """
        return self.respond({"recovery_codes": totp_confirm(actor=self.actor, code=self.input()["code"])})

    def totp_remove(self, request: Request) -> HttpResponseBase:
        """Turn the authenticator app off. You are told by mail."""
        totp_remove(actor=self.actor)
        return self.respond()

    def recovery_codes(self, request: Request) -> HttpResponseBase:
        """Get new recovery codes; the earlier ones are worth nothing from now on."""
        return self.respond({"recovery_codes": recovery_codes_renew(actor=self.actor)})
