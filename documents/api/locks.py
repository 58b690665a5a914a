"""`documents/{id}/lock/`: a document held while somebody writes."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import QuerySerializer, StrictCharField, StrictIntegerField, StrictSerializer
from documents import limits
from documents.api.answering import DocumentAnswering
from documents.api.serializers import DocumentAnswer
from documents.services.locks import LONGEST, USUAL, lock_release, lock_take


class LockInput(StrictSerializer):
    """Why, and for how many seconds."""

    reason = StrictCharField(max_length=limits.REASON_LENGTH, allow_blank=True, required=False)
    expires_in = StrictIntegerField(
        min_value=1,
        max_value=int(LONGEST.total_seconds()),
        required=False,
        help_text=f"Seconds, {int(USUAL.total_seconds())} unless told.",
    )


class UnlockQuery(QuerySerializer):
    """Why somebody else's lock is broken."""

    reason = serializers.CharField(max_length=limits.REASON_LENGTH, required=False)


class LockViewSet(DocumentAnswering):
    """The lock of a document."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"take": LockInput}
    answers: ClassVar = {"take": DocumentAnswer}
    queries: ClassVar = {"destroy": UnlockQuery}
    scope_map: ClassVar = dict.fromkeys(("take", "destroy"), "documents:write")
    etag_actions: ClassVar = ("take",)
    problems: ClassVar = {"take": (404, 409, 410, 423), "destroy": (404, 410)}
    tag = "documents"

    def take(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """Keep others from writing it for a while, eight hours at most (editors); the holder renews it."""
        document, given = self.document_here(), self.input()
        lasting = dt.timedelta(seconds=given["expires_in"]) if "expires_in" in given else USUAL
        reason = given.get("reason", "")
        document = lock_take(actor=self.actor, document=document, reason=reason, lasting=lasting)
        return self.document_answer(document)

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """End one's own lock, or break somebody else's with a `reason` (managers)."""
        reason = self.query().get("reason", "")
        lock_release(actor=self.actor, document=self.document_here(), reason=reason)
        return self.respond()
