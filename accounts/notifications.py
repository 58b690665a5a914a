"""The kinds of news: how each reaches a person unless they choose, and how it is put in a mail."""

from __future__ import annotations

import dataclasses

from accounts.models import Channel


@dataclasses.dataclass(frozen=True, slots=True)
class NoticeKind:
    """One kind of news.

    `line` is its one sentence, in which `{actor}`, `{target}` and the facts of the notification stand by
    name. `hidden_line` is said instead where the reader may not see the target; without one nothing is said.
    A `mandatory` kind warns of somebody who acts in the person's name: it can't be turned off, and tells of
    the person's own acts, too. Of a kind that is `mailed_apart` a mail of its own is always sent; its
    notification stands in the inbox alone.
    """

    name: str
    description: str
    line: str
    hidden_line: str = ""
    default: Channel = Channel.IN_APP
    mandatory: bool = False
    mailed_apart: bool = False

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What a person can choose for it."""
        if self.mailed_apart:
            return (Channel.IN_APP,)
        offered = (Channel.IN_APP, Channel.EMAIL, Channel.DIGEST)
        return offered if self.mandatory else (*offered, Channel.NONE)

    def channel(self, chosen: str | None) -> Channel:
        """The channel that holds for whoever chose this one, if any; one that isn't offered is no choice."""
        return Channel(chosen) if chosen in self.channels else self.default


_kinds: dict[str, NoticeKind] = {}


def kinds_register(*kinds: NoticeKind) -> None:
    """Make kinds known; called by the app that tells them."""
    _kinds.update({kind.name: kind for kind in kinds})


def kind_named(name: str) -> NoticeKind | None:
    """The kind of that name, None for one that is unknown here."""
    return _kinds.get(name)


def kinds_all() -> list[NoticeKind]:
    """Every kind, by name."""
    return [_kinds[name] for name in sorted(_kinds)]


ACCOUNT_SUSPENDED = NoticeKind(
    "account.suspended",
    "Somebody kept you out for a while; to be read once you are let in again.",
    "{actor} suspended your account.",
)
EMAIL_CHANGED = NoticeKind(
    "email.changed",
    "Your address was changed. A mail of its own is always sent, to the old one.",
    "The address of your account was changed.",
    mandatory=True,
    mailed_apart=True,
)
IDENTITY_LINKED = NoticeKind(
    "identity.linked",
    "A provider that one can sign in by was linked to your account. A mail of its own is always sent.",
    "Another way to sign in was added to your account.",
    mandatory=True,
    mailed_apart=True,
)
IDENTITY_UNLINKED = NoticeKind(
    "identity.unlinked",
    "A provider that one could sign in by was unlinked. A mail of its own is always sent.",
    "A way to sign in was removed from your account.",
    mandatory=True,
    mailed_apart=True,
)
MFA_DISABLED = NoticeKind(
    "mfa.disabled",
    "Your authenticator app was turned off. A mail of its own is always sent.",
    "Your authenticator app was turned off.",
    mandatory=True,
    mailed_apart=True,
)
MFA_ENABLED = NoticeKind(
    "mfa.enabled",
    "An authenticator app was set up for your account. A mail of its own is always sent.",
    "An authenticator app was set up for your account.",
    mandatory=True,
    mailed_apart=True,
)
MFA_RESET = NoticeKind(
    "mfa.reset",
    "Staff took your second factors away, as you had lost them. A mail of its own is always sent.",
    "{actor} took your second factors away.",
    mandatory=True,
    mailed_apart=True,
)
PASSKEY_ADDED = NoticeKind(
    "passkey.added",
    "A passkey was added to your account. A mail of its own is always sent.",
    "The passkey {target} was added to your account.",
    mandatory=True,
    mailed_apart=True,
)
PASSKEY_REMOVED = NoticeKind(
    "passkey.removed",
    "A passkey was taken off your account. A mail of its own is always sent.",
    "The passkey {target} was taken off your account.",
    mandatory=True,
    mailed_apart=True,
)
PASSWORD_CHANGED = NoticeKind(
    "password.changed",
    "Your password was changed. A mail of its own is always sent.",
    "Your password was changed.",
    mandatory=True,
    mailed_apart=True,
)
ROLE_GIVEN = NoticeKind(
    "role.given",
    "Somebody gave you a role on this platform.",
    "{actor} gave you the platform role {role}.",
    default=Channel.EMAIL,
)
ROLE_TAKEN = NoticeKind(
    "role.taken",
    "Somebody took a role on this platform from you.",
    "{actor} took the platform role {role} from you.",
    default=Channel.EMAIL,
)
SESSION_REUSED = NoticeKind(
    "session.reused",
    "A session was ended since its refresh token was used twice. A mail of its own is always sent.",
    "A session of yours was ended, since its refresh token was used twice.",
    mandatory=True,
    mailed_apart=True,
)
SIGN_IN_NEW = NoticeKind(
    "sign_in.new",
    "Somebody signed in as you with a device and from a network that you hadn't signed in by before.",
    "Somebody signed in to your account from {address} with {target}.",
    default=Channel.EMAIL,
    mandatory=True,
)
TEAM_MEMBER_ADDED = NoticeKind(
    "team_member.added",
    "Somebody put you into a team.",
    "{actor} put you into the team {target}.",
)
TOKEN_CREATED = NoticeKind(
    "token.created",
    "A personal access token was made in your name.",
    "The access token {target} was made in your name.",
    default=Channel.EMAIL,
    mandatory=True,
)

kinds_register(
    ACCOUNT_SUSPENDED,
    EMAIL_CHANGED,
    IDENTITY_LINKED,
    IDENTITY_UNLINKED,
    MFA_DISABLED,
    MFA_ENABLED,
    MFA_RESET,
    PASSKEY_ADDED,
    PASSKEY_REMOVED,
    PASSWORD_CHANGED,
    ROLE_GIVEN,
    ROLE_TAKEN,
    SESSION_REUSED,
    SIGN_IN_NEW,
    TEAM_MEMBER_ADDED,
    TOKEN_CREATED,
)
