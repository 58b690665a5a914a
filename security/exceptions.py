"""The refusals of security."""

from __future__ import annotations

from cloudscribe.lib.errors import BusinessError, InvalidInput, UnprocessableInput


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
