"""Hashing passwords, a few at a time: each takes 19 MiB and 46 ms of CPU."""

from __future__ import annotations

import functools
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import (
    check_password,
    identify_hasher,
    is_password_usable,
    make_password,
)
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import User
from cloudscribe.lib.errors import FieldError, InvalidInput, ServiceUnavailable

_AT_ONCE = 2
_LONGEST_WAIT = 8.0
_slots = threading.BoundedSemaphore(_AT_ONCE)


@contextmanager
def _slot() -> Iterator[None]:
    # A storm of sign-ins waits here instead of taking every core and the memory from all other requests.
    if not _slots.acquire(timeout=_LONGEST_WAIT):
        raise ServiceUnavailable("Too many people are signing in at this moment.")
    try:
        yield
    finally:
        _slots.release()


@functools.cache
def _nobodys_hash() -> str:
    return make_password(secrets.token_urlsafe(32))


def password_hash(password: str) -> str:
    """The encoded Argon2id hash of `password`; raises ServiceUnavailable where too many wait already."""
    with _slot():
        return make_password(password)


def password_matches(password: str, encoded: str | None) -> bool:
    """Whether `password` is the one of the hash. Without a hash the same work ends in no."""
    usable = bool(encoded) and is_password_usable(encoded)
    with _slot():
        matches = check_password(password, encoded if encoded and usable else _nobodys_hash())
    return matches and usable


def password_check(password: str, *, user: User | None = None, pointer: str = "/password") -> None:
    """Ask Django's validators; raises InvalidInput that names each rule that `password` breaks."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        faults = [
            FieldError(pointer, fault.code or "invalid", " ".join(fault.messages))
            for fault in error.error_list
        ]
        raise InvalidInput("This password is not acceptable.", errors=faults) from error


def password_needs_rehash(encoded: str) -> bool:
    """Whether the hash was made with parameters that are no longer ours."""
    return identify_hasher(encoded).must_update(encoded)
