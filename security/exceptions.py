"""The refusals of security."""

from __future__ import annotations

from cloudscribe.lib.errors import (
    BusinessError,
    Forbidden,
    InvalidInput,
    ServiceUnavailable,
    UnprocessableInput,
)


class InvalidIdempotencyKey(InvalidInput):
    """An Idempotency-Key that is no key."""

    code = "invalid_idempotency_key"
    title = "The Idempotency-Key is not acceptable"
    detail = "Idempotency-Key has 1 to 255 printable ASCII characters; a random UUID is best."


class IdempotencyKeyBusy(BusinessError):
    """The same key is at work in another request."""

    code = "idempotency_key_busy"
    title = "The first request with this Idempotency-Key is still at work"
    detail = "Send it again in a moment."


class IdempotencyKeyReused(UnprocessableInput):
    """The same key with another request."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key belongs to another request"
    detail = "The key was used with another body or route. Take a new one."


class AddressBlocked(Forbidden):
    """A client whose address an IP rule keeps out, whatever credential it shows."""

    code = "address_blocked"
    title = "This address is blocked"
    detail = "Requests from your address are not answered here."


class IPRuleExists(BusinessError):
    """A second rule of the same network and effect."""

    code = "ip_rule_exists"
    title = "There is such a rule already"
    detail = "A rule of this effect stands for this network. Change its reason or expiry."


class LocksYouOut(BusinessError):
    """A rule that would keep out whoever makes it."""

    code = "locks_you_out"
    title = "This would lock you out"


class NetworkTooWide(BusinessError):
    """A block of a good part of the Internet."""

    code = "network_too_wide"
    title = "This network is very wide"


class InstallationReadOnly(ServiceUnavailable):
    """The operator has frozen the installation: reading goes on, nothing can be changed for a while."""

    code = "read_only"
    title = "Read-only for the time being"
    detail = "The installation is read-only: reading goes on, and nothing can be changed at present."

    # Whoever froze it has work to do first: minutes rather than seconds.
    WAIT = 60

    def __init__(self, reason: str = "") -> None:
        """With the operator's reason, where one was given."""
        super().__init__(f"{self.detail} Reason: {reason}" if reason else None, retry_after=self.WAIT)
