"""The models of accounts."""

from accounts.models.factors import Ceremony, Passkey, RecoveryCode, RolePolicy, TotpDevice
from accounts.models.identities import Identity
from accounts.models.mailed import EmailChange, PasswordReset, Registration
from accounts.models.notifications import Channel, Notification, NotificationPreference
from accounts.models.people import Team, TeamManager, User, UserManager
from accounts.models.sessions import Session, SignInFailure
from accounts.models.stamps import GroupStamp, PeopleStamp, UserStamp
from accounts.models.tokens import ServiceAccount, Token

__all__ = [
    "Ceremony",
    "Channel",
    "EmailChange",
    "GroupStamp",
    "Identity",
    "Notification",
    "NotificationPreference",
    "Passkey",
    "PasswordReset",
    "PeopleStamp",
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
