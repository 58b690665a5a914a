"""The refusals of accounts."""

from __future__ import annotations

from cloudscribe.lib.errors import (
    BusinessError,
    ErrorType,
    FieldError,
    Forbidden,
    InvalidInput,
    NotAuthenticated,
    ServiceUnavailable,
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


class EmailTaken(BusinessError):
    """Somebody got an account with the address before its change was confirmed."""

    code = "email_taken"
    title = "There is an account with this address already"
    detail = "An address belongs to one account. Nothing was changed."


class RegistrationClosed(Forbidden):
    """Nobody can register here."""

    code = "registration_closed"
    title = "Registration is closed"
    detail = "Nobody can register here."


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


class NotDeleted(BusinessError):
    """What the trail holds of somebody who is still there stays."""

    code = "not_deleted"
    title = "The account was not deleted"
    detail = "Delete the account first."


class LastAdministrator(BusinessError):
    """Somebody must be left who can let others in again."""

    code = "last_administrator"
    title = "This is the last active administrator"


class RoleExists(BusinessError):
    """A role is given once."""

    code = "role_exists"
    title = "The person has this role already"


class LastManager(BusinessError):
    """A team keeps somebody who can change its members."""

    code = "last_manager"
    title = "The team would have no manager"
    detail = "Make another member a manager first, or delete the team."


class TeamMemberExists(BusinessError):
    """A person is in a team once."""

    code = "team_member_exists"
    title = "The person is in this team already"


class TokenTooWide(Forbidden):
    """A token mints only tokens that reach nowhere beyond itself; `errors` name the sides."""

    code = "token_too_wide"
    title = "A token can only mint a weaker one"
    detail = "The new token would reach beyond the one that mints it."


class TooManyTokens(BusinessError):
    """An account has as many live tokens as it can have."""

    code = "too_many_tokens"
    title = "There are too many live tokens"
    detail = "Revoke tokens that are no longer needed first."


class SecondFactorRequired(NotAuthenticated):
    """The password was right, and the person has a second factor; `factors` names what they can show."""

    code = "mfa_required"
    title = "A second factor is needed"
    detail = "Send the code of the authenticator app or a recovery code as otp, or sign in by a passkey."


class EnrollmentRequired(Forbidden):
    """A role of the person asks for a second factor, and they have none yet."""

    code = "mfa_enrollment_required"
    title = "Set up a second factor first"
    detail = "One of your roles asks for a second factor. Set one up at auth/mfa/totp/ or auth/mfa/passkeys/."


class SecondFactorExists(BusinessError):
    """There is one authenticator app at a time."""

    code = "mfa_exists"
    title = "An authenticator app is set up already"
    detail = "Turn it off first."


class SecondFactorMissing(BusinessError):
    """There is nothing to confirm or to turn off."""

    code = "mfa_missing"
    title = "There is no such second factor"


class InvalidPasskey(InvalidInput):
    """What the client sent proves no new passkey."""

    code = "invalid_passkey"
    title = "The passkey was not made as asked"
    detail = "Ask for new options and make the passkey anew."


class PasskeyExists(BusinessError):
    """A credential belongs to one person."""

    code = "passkey_exists"
    title = "This passkey is in use already"


class TooManyPasskeys(BusinessError):
    """A person has as many as they can have."""

    code = "too_many_passkeys"
    title = "There are too many passkeys"
    detail = "Remove one that is no longer needed first."


class OwnFactorFirst(BusinessError):
    """Nobody has their own role demand what they don't have."""

    code = "own_factor_first"
    title = "You hold this role and have no second factor"
    detail = "Set up your own first."


class WrongCode(InvalidInput):
    """The code is not the one that the app shows now."""

    code = "wrong_code"
    title = "The code is wrong"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/code", "wrong_code", "This is not the code of now.")])


class InvalidOidcState(InvalidInput):
    """A return from the sign-in provider that nobody here waits for."""

    code = "invalid_state"
    title = "This sign-in doesn't hold"
    detail = "It is none of this client's, was finished before or has expired. Begin anew."


class OidcRefused(NotAuthenticated):
    """The sign-in provider doesn't stand for whoever came back from it."""

    code = "oidc_refused"
    title = "The sign-in provider did not confirm this"
    detail = "Its code or its token doesn't hold. Begin anew."


class OidcUnavailable(ServiceUnavailable):
    """The sign-in provider is away, hangs, or doesn't answer as it should."""

    code = "oidc_unavailable"
    title = "The sign-in provider is not available"
    detail = "The sign-in provider doesn't answer as it should. Try again, or sign in by another way."


class EmailUnverified(Forbidden):
    """The sign-in provider knows no address that it has verified, and the person is new here."""

    code = "email_unverified"
    title = "Your address is not verified there"
    detail = "Have the sign-in provider verify your e-mail address first."


class LinkRequired(BusinessError):
    """The address has an account here; that it is the same person's has to be proven from that side, too."""

    code = "link_required"
    title = "There is an account with this address"
    detail = "Sign in to it as you do now, then link the provider at auth/oidc/link/."


class IdentityTaken(BusinessError):
    """An identity at a provider belongs to one account."""

    code = "identity_taken"
    title = "This identity is linked to another account"


class LastWayIn(BusinessError):
    """Nobody takes away what alone lets them in."""

    code = "last_way_in"
    title = "You could not sign in any more"
    detail = "Set a password or add a passkey first."
