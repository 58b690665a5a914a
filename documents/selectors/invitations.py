"""Reads of invitations."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from accounts.mailed_tokens import INVITATION, mailed_token_uid
from documents.models import Invitation, InvitationState, Workspace
from documents.services.inviting import invitations_open

_WAITS = Q(accepted_at__isnull=True, revoked_at__isnull=True)
_STATES = {
    InvitationState.ACCEPTED: Q(accepted_at__isnull=False),
    InvitationState.EXPIRED: Q(accepted_at__isnull=True)
    & (Q(revoked_at__isnull=True, expires_at__lte=Now()) | Q(revoked_at__gte=F("expires_at"))),
    InvitationState.OPEN: _WAITS & Q(expires_at__gt=Now()),
    InvitationState.REVOKED: Q(accepted_at__isnull=True, revoked_at__lt=F("expires_at")),
}


def invitations_of(workspace: Workspace, state: InvitationState | None = None) -> QuerySet[Invitation]:
    """The invitations to a workspace, of one state where it is given, with who invited."""
    rows = Invitation.objects.filter(workspace=workspace).select_related("workspace", "invited_by")
    return rows if state is None else invitations_in(rows, state)


def invitations_in(rows: QuerySet[Invitation], state: InvitationState) -> QuerySet[Invitation]:
    """Those of one state, by the database's clock; says in SQL what `Invitation.state_at` does."""
    return rows.filter(_STATES[state])


def invitation_of_token(token: str) -> Invitation | None:
    """The open invitation that a mailed token names, with its workspace and who invited."""
    uid = mailed_token_uid(INVITATION, token)
    if uid is None:
        return None
    return invitations_open().select_related("workspace", "invited_by").filter(uid=uid).first()
