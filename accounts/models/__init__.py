"""The models of accounts."""

from accounts.models.factors import Ceremony, Passkey, RecoveryCode, RolePolicy, TotpDevice
from accounts.models.mailed import PasswordReset, Registration
from accounts.models.people import Team, TeamManager, User, UserManager
from accounts.models.sessions import Session, SignInFailure
from accounts.models.stamps import GroupStamp, UserStamp
from accounts.models.tokens import ServiceAccount, Token

__all__ = [
    "Ceremony",
    "GroupStamp",
    "Passkey",
    "PasswordReset",
    "RecoveryCode",
    "Registration",
    "RolePolicy",
    "ServiceAccount",
    "Session",
    "SignInFailure",
    "Team",
    "TeamManager",
    "Token",
    "TotpDevice",
    "User",
    "UserManager",
    "UserStamp",
]
