"""Hashing passwords, one at a time in each process and after all else: it takes 19 MiB and 46 ms of CPU."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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

T = TypeVar("T")

_AT_ONCE = 1
_LONGEST_WAIT = 8.0
_NICENESS = 10


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, "hashing", initializer=_step_back)


# Threads don't come along into a child.
os.register_at_fork(after_in_child=_threads.cache_clear)


def _step_back() -> None:
    """Leave the processor to whoever answers other requests. Linux alone has a priority for each thread."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _in_turn(work: Callable[[], T]) -> T:
    # A storm of sign-ins waits here instead of taking every core and the memory from all other requests.
    asked = _threads().submit(work)
    try:
        return asked.result(timeout=_LONGEST_WAIT)
    except TimeoutError as error:
        asked.cancel()
        raise ServiceUnavailable("Too many people are signing in at this moment.") from error


@functools.cache
def _nobodys_hash() -> str:
    return make_password(secrets.token_urlsafe(32))


def password_hash(password: str) -> str:
    """The encoded Argon2id hash of `password`; raises ServiceUnavailable where too many wait already."""
    return _in_turn(lambda: make_password(password))


def password_matches(password: str, encoded: str | None) -> bool:
    """Whether `password` is the one of the hash. Without a hash the same work ends in no."""
    usable = bool(encoded) and is_password_usable(encoded)
    known = encoded if encoded and usable else _nobodys_hash()
    return _in_turn(lambda: check_password(password, known)) and usable


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
