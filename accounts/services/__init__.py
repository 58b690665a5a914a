"""The services of accounts: every write."""

from accounts.services.email_change import email_change_confirm, email_change_request
from accounts.services.password import password_change, password_reset, password_reset_request
from accounts.services.people import admin_create, profile_update
from accounts.services.registration import registration_confirm, registration_request
from accounts.services.restoring import sessions_ended_record
from accounts.services.sessions import (
    Credentials,
    session_refresh,
    session_revoke,
    sessions_revoke_others,
    sign_in,
)
from accounts.services.tokens import Minted, TokenCut, token_create, token_revoke, tokens_end

__all__ = [
    "Credentials",
    "Minted",
    "TokenCut",
    "admin_create",
    "email_change_confirm",
    "email_change_request",
    "password_change",
    "password_reset",
    "password_reset_request",
    "profile_update",
    "registration_confirm",
    "registration_request",
    "session_refresh",
    "session_revoke",
    "sessions_ended_record",
    "sessions_revoke_others",
    "sign_in",
    "token_create",
    "token_revoke",
    "tokens_end",
]
