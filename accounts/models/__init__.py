"""The models of accounts."""

from accounts.models.mailed import PasswordReset, Registration
from accounts.models.people import Team, TeamManager, User, UserManager
from accounts.models.sessions import Session, SignInFailure
from accounts.models.stamps import GroupStamp, UserStamp

__all__ = [
    "GroupStamp",
    "PasswordReset",
    "Registration",
    "Session",
    "SignInFailure",
    "Team",
    "TeamManager",
    "User",
    "UserManager",
    "UserStamp",
]
