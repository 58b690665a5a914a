"""The services of accounts: every write."""

from accounts.services.password import password_change, password_reset, password_reset_request
from accounts.services.people import admin_create, profile_update
from accounts.services.registration import registration_confirm, registration_request
from accounts.services.sessions import (
    Credentials,
    session_refresh,
    session_revoke,
    sessions_revoke_others,
    sign_in,
)

__all__ = [
    "Credentials",
    "admin_create",
    "password_change",
    "password_reset",
    "password_reset_request",
    "profile_update",
    "registration_confirm",
    "registration_request",
    "session_refresh",
    "session_revoke",
    "sessions_revoke_others",
    "sign_in",
]
