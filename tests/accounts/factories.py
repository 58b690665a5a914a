"""People for tests, with a password whose hash is computed once."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
from typing import Any

from auditlog.context import disable_auditlog
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import Token, User
from accounts.roles import PREFIX
from accounts.scopes import SCOPES
from accounts.secret_tokens import secret_hash, secret_hint, secret_make
from cloudscribe.lib.emails import canonical_email

PASSWORD = "correct-horse-battery-42"
_numbers = itertools.count(1)


@functools.cache
def _password_hash() -> str:
    return make_password(PASSWORD)


@functools.cache
def _group(role: str) -> Group:
    return Group.objects.get(name=PREFIX + role)


def user_make(
    email: str | None = None, *, verified: bool = True, role: str | None = "member", **fields: Any
) -> User:
    """A saved user who signs in with PASSWORD; `role` None gives none."""
    number = next(_numbers)
    email = email or f"person{number}@example.org"
    fields.setdefault("name", f"Person {number}")
    fields.setdefault("password", _password_hash())
    # Who made them, and how, is no test's business: the diff of the fields is left out.
    with disable_auditlog():
        user = User.objects.create(
            email=email,
            email_key=canonical_email(email),
            email_verified_at=timezone.now() if verified else None,
            **fields,
        )
    if role:
        user.groups.add(_group(role))
    return user


def token_make(user: User, *scopes: str, **fields: Any) -> str:
    """The secret of a live token of the user; all scopes where none is named."""
    secret = secret_make()
    defaults = {"name": "Token", "expires_at": timezone.now() + dt.timedelta(days=30)}
    Token.objects.create(
        user=user,
        hint=secret_hint(secret),
        secret_hash=secret_hash(secret),
        scopes=sorted(scopes or SCOPES),
        **{**defaults, **fields},
    )
    return secret
