"""The refusals of accounts."""

from __future__ import annotations

from cloudscribe.lib.errors import (
    BusinessError,
    ErrorType,
    Forbidden,
    InvalidInput,
    NotAuthenticated,
    TooManyRequests,
)


class InvalidCredentials(NotAuthenticated):
    """Unknown address, wrong password, suspended user: one answer for all."""

    code = "invalid_credentials"
    title = "Sign-in failed"
    detail = "The address or the password is wrong."


class InvalidAccessToken(NotAuthenticated):
    """A bearer token that is none of ours or whose session has ended."""

    code = "invalid_token"
    title = "The access token doesn't hold"
    detail = "Sign in again."


class AccessTokenExpired(NotAuthenticated):
    """An access token past its time; the session may live on."""

    code = "token_expired"
    title = "The access token has expired"
    detail = "Get a new one with the refresh token."


class InvalidRefreshToken(NotAuthenticated):
    """A refresh token that is wrong, used before, or of an ended session."""

    code = "invalid_refresh_token"
    title = "The refresh token doesn't hold"
    detail = "Sign in again."


class InvalidMailedToken(InvalidInput):
    """A mailed token that is wrong, used or out of date."""

    code = "invalid_token"
    title = "The token doesn't hold"
    detail = "The token is wrong, was used before or has expired."


class RegistrationClosed(Forbidden):
    """Nobody can register here without an invitation."""

    code = "registration_closed"
    title = "Registration is closed"
    detail = "New accounts are made by invitation only."


class SignInLimited(TooManyRequests):
    """Too many wrong passwords; `Retry-After` says how long to wait."""

    code = "sign_in_limited"
    error_type = ErrorType.AUTH
    title = "Too many failed sign-ins"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"Too many failed sign-ins. Try again in {retry_after} seconds.",
            headers={"Retry-After": str(retry_after)},
        )


class ReauthenticationRequired(Forbidden):
    """The act needs a fresh proof of who acts: `auth/step-up/`."""

    code = "reauth_required"
    title = "Show again that it is you"
    detail = "Prove who you are at auth/step-up/, then repeat this."


class OwnAccount(BusinessError):
    """Nobody locks themselves out."""

    code = "own_account"
    title = "This is your own account"


class LastAdministrator(BusinessError):
    """Somebody must be left who can let others in again."""

    code = "last_administrator"
    title = "This is the last active administrator"


class RoleExists(BusinessError):
    """A role is given once."""

    code = "role_exists"
    title = "The person has this role already"


class LastManager(BusinessError):



class TeamMemberExists(BusinessError):






class TooManyTokens(BusinessError):









class SecondFactorExists(BusinessError):



class SecondFactorMissing(BusinessError):





