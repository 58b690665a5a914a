"""The mails of documents; see accounts.mails."""

from __future__ import annotations

import uuid

from django.conf import settings

from accounts.mailed_tokens import INVITATION, mailed_token
from accounts.mails import MESSAGES, Message
from accounts.models import User
from documents.services.inviting import invitations_open, inviter_may


def connect() -> None:
    """Name them to whoever sends mails; called in `ready()`."""
    MESSAGES["invitation"] = _invitation


def _invitation(uid: uuid.UUID) -> Message | None:
    row = invitations_open().filter(uid=uid).select_related("workspace", "invited_by").first()
    if row is None or row.invited_by is None or not inviter_may(row):
        return None
    owner = User.objects.filter(email_key=row.email_key).first()
    if owner is not None and not owner.is_active:
        return None
    # Whoever has an account is written to as they gave their address: two spellings may be two mailboxes.
    to, name, locale = (owner.email, owner.name, owner.locale) if owner else (row.email, row.email, "en")
    room = " ".join(row.workspace.name.split())
    values = {
        "inviter": row.invited_by.name,
        "workspace": room,
        "role": row.role,
        "expires_at": row.expires_at,
        "link": f"{settings.PUBLIC_URL}/account/invitation/?token={mailed_token(INVITATION, uid)}",
    }
    return Message(to, name, locale, "invitation", f"You are invited to {room}", values)
