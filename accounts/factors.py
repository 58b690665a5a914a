"""Reads of second factors: which ones a person has, and whether a session has shown one."""

from __future__ import annotations

import dataclasses
import uuid

from django.db import connection

PASSWORD = "pwd"  # noqa: S105 (the name of a factor, RFC 8176)
OTP = "otp"
RECOVERY = "recovery"
PASSKEY = "passkey"
OIDC = "oidc"
SECOND = frozenset({OTP, RECOVERY, PASSKEY})

_OF_USER = """
SELECT EXISTS (SELECT 1 FROM accounts_totpdevice d WHERE d.user_id = u.id AND d.confirmed_at IS NOT NULL),
       (SELECT count(*) FROM accounts_passkey p WHERE p.user_id = u.id),
       (SELECT count(*) FROM accounts_recoverycode c WHERE c.user_id = u.id AND c.used_at IS NULL),
       EXISTS (SELECT 1 FROM accounts_user_groups m JOIN accounts_rolepolicy r ON r.group_id = m.group_id
               WHERE m.user_id = u.id AND r.second_factor)
FROM accounts_user u WHERE u.id = %s
"""
_SESSION_PROVES = """
SELECT s.factors && %s::varchar[] OR NOT (
    EXISTS (SELECT 1 FROM accounts_totpdevice d WHERE d.user_id = s.user_id AND d.confirmed_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM accounts_passkey p WHERE p.user_id = s.user_id))
FROM accounts_session s WHERE s.uid = %s
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Factors:
    """A person's second factors: an authenticator app, passkeys, unused recovery codes.

    `required` says whether a role of theirs asks for one.
    """

    totp: bool
    passkeys: int
    recovery_codes: int
    required: bool

    @property
    def enrolled(self) -> bool:
        """Whether a second factor is asked for at sign-in; recovery codes alone are none."""
        return self.totp or self.passkeys > 0

    @property
    def names(self) -> list[str]:
        """What can be shown at sign-in."""
        has = {"totp": self.totp, PASSKEY: self.passkeys > 0, RECOVERY: self.recovery_codes > 0}
        return [name for name, there in has.items() if there]


def factors_of(user_pk: int) -> Factors:
    """What the person has; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_USER, [user_pk])
        row = cursor.fetchone()
    return Factors(*row) if row else Factors(totp=False, passkeys=0, recovery_codes=0, required=False)


def session_proves_enough(session: uuid.UUID | None) -> bool:
    """Whether the session has shown a second factor, or its person has none to show; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_SESSION_PROVES, [sorted(SECOND), session])
        row = cursor.fetchone()
    return bool(row and row[0])
