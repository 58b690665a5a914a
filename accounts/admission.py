"""Whom the mode of registration lets in."""

from __future__ import annotations

from django.conf import settings

from accounts.ports import invitations


def is_admitted(email_key: str) -> bool:
    """Whether an account may be made for the owner of an address, as of now.

    Whether somebody is invited must show in no answer to a stranger: ask where the mail is written and where
    its token is shown.
    """
    if settings.REGISTRATION == "invite":
        return invitations.ask.is_open(email_key)
    return bool(settings.REGISTRATION == "open")
