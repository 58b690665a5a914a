"""Personal access tokens: minting and revoking."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from accounts.actors import person_pk
from accounts.exceptions import InvalidAccessToken, TokenTooWide, TooManyTokens
from accounts.models import Token, User
from accounts.notifications import TOKEN_CREATED
from accounts.ports import Place, places
from accounts.scopes import SCOPES
from accounts.secret_tokens import network_parse, networks_within, secret_hash, secret_hint, secret_make
from accounts.services.notifications import News, notify
from audit.services import Entry, Target, event_record, events_record
from cloudscribe.lib.actor import Actor, CredentialKind
from cloudscribe.lib.errors import FieldError, InvalidInput, NotFound
from cloudscribe.lib.transactions import transactional

_MOST_LIVE = 200
_LIVE = Q(revoked_at__isnull=True, expires_at__gt=Now())
# A token and all that were minted by it, by those, and so on.
_FAMILY = """
WITH RECURSIVE family AS (
    SELECT id, uid FROM accounts_token WHERE id = %s
    UNION
    SELECT t.id, t.uid FROM accounts_token t JOIN family f ON t.minted_by_uid = f.uid
)
SELECT id FROM family
"""


@dataclasses.dataclass(frozen=True, slots=True)
class TokenCut:
    """What a token is asked for: how it is called, how far it reaches and how long."""

    name: str
    scopes: Sequence[str]
    expires_at: dt.datetime
    workspace: uuid.UUID | None = None
    document: uuid.UUID | None = None
    cidrs: Sequence[str] = ()


class Minted(NamedTuple):
    """A new token, and its secret, which nobody can tell again."""

    token: Token
    secret: str


_Found = tuple[int | None, uuid.UUID | None]
_NOWHERE: _Found = (None, None)


class _Reach(NamedTuple):
    """Keys and ids of the places that a token is cut to."""

    workspace: _Found = _NOWHERE
    document: _Found = _NOWHERE


@transactional
def token_create(*, actor: Actor, cut: TokenCut) -> Minted:
    """Mint a token of the actor's own; by a token only a weaker one.

    Raises InvalidInput for an unknown scope, a bad network or end, NotFound for a place that the actor
    doesn't see, TokenTooWide, TooManyTokens.
    """
    return token_mint(actor=actor, user_pk=person_pk(actor), seer=actor, cut=cut)


def token_mint(
    *, actor: Actor, user_pk: int, seer: Actor, cut: TokenCut, within: _Found | None = None
) -> Minted:
    """Write a token of the user, within the caller's transaction; `seer` is whose eyes find its places.

    `within` is a workspace, key and id, that it can't reach beyond. Raises what `token_create` does.
    """
    owner, now = _owner_locked(user_pk)
    parent = _minter(actor)
    cut = dataclasses.replace(cut, scopes=_scopes_checked(cut.scopes), cidrs=_cidrs_checked(cut.cidrs))
    _expiry_check(cut.expires_at, now)
    if parent is not None and parent.workspace_pk is not None and cut.document:
        # The document may be moved; the token that it is cut from stays behind.
        within = parent.workspace_pk, parent.workspace_uid
    reach = _reach(seer, cut, within)
    if parent is not None:
        _weaker_check(parent, cut, reach)
    if Token.objects.filter(_LIVE, user_id=user_pk).count() >= _MOST_LIVE:
        raise TooManyTokens
    secret = secret_make()
    token = Token.objects.create(
        user=owner,
        name=cut.name,
        hint=secret_hint(secret),
        secret_hash=secret_hash(secret),
        scopes=cut.scopes,
        workspace_pk=reach.workspace[0],
        workspace_uid=reach.workspace[1],
        document_pk=reach.document[0],
        document_uid=reach.document[1],
        cidrs=cut.cidrs,
        minted_by_uid=parent.uid if parent else None,
        created_at=now,
        expires_at=cut.expires_at,
    )
    _record_created(actor, token)
    return Minted(token, secret)


@transactional
def token_revoke(*, actor: Actor, token: Token, reason: str = "revoked") -> None:
    """End a token and all that it minted, from the next request on.

    The caller has found it among those that the actor may end. Raises NotFound where it has ended already.
    """
    # Minting holds the owner's row as well, so that the family is whole.
    User.objects.select_for_update(no_key=True).get(pk=token.user_id)
    with connection.cursor() as cursor:
        cursor.execute(_FAMILY, [token.pk])
        family = [pk for (pk,) in cursor.fetchall()]
    if token.pk not in _end(actor, Token.objects.filter(pk__in=family), reason):
        raise NotFound


def tokens_end(*, actor: Actor, user_pk: int, reason: str) -> int:
    """End all tokens of a user, whose row the caller's transaction holds; gives their number."""
    return len(_end(actor, Token.objects.filter(user_id=user_pk), reason))


def _end(actor: Actor, tokens: Any, reason: str) -> set[int]:
    rows = list(tokens.filter(_LIVE).select_for_update(no_key=True).order_by("pk"))
    keys = {row.pk for row in rows}
    Token.objects.filter(pk__in=keys).update(revoked_at=Now(), revoked_reason=reason[:40])
    events_record(
        [
            Entry(
                actor,
                "token.revoked",
                Target("token", row.uid, row.name),
                workspace_uid=row.workspace_uid,
                reason=reason,
            )
            for row in rows
        ]
    )
    return keys


def _record_created(actor: Actor, token: Token) -> None:
    facts = {
        "user": str(token.user.uid),
        "document": str(token.document_uid) if token.document_uid else None,
        "expires_at": token.expires_at.isoformat(),
    }
    event_record(
        actor=actor,
        action="token.created",
        target=Target("token", token.uid, token.name),
        workspace_uid=token.workspace_uid,
        changes={"scopes": (None, token.scopes), "cidrs": (None, token.cidrs)},
        facts=facts,
    )
    told = {"name": token.name}
    news = News(TOKEN_CREATED, target_type="token", target_uid=token.uid, facts=told)
    notify(actor=actor, users=[token.user_id], news=news)


def _owner_locked(user_pk: int) -> tuple[User, dt.datetime]:
    """The active user, locked, and the clock: nobody is suspended, no token ended, until the new one stands.

    Raises NotFound.
    """
    users: Any = User.objects.select_for_update(no_key=True).annotate(clock=Now())
    owner = users.filter(pk=user_pk, is_active=True).first()
    if owner is None:
        raise NotFound
    return owner, owner.clock


def _minter(actor: Actor) -> Token | None:
    """The token that mints, None for a session; raises InvalidAccessToken where it has ended meanwhile."""
    if actor.credential_kind != CredentialKind.TOKEN or actor.credential_uid is None:
        return None
    row = Token.objects.filter(_LIVE, uid=actor.credential_uid).first()
    if row is None:
        raise InvalidAccessToken
    return row


def _scopes_checked(scopes: Sequence[str]) -> list[str]:
    unknown = [
        FieldError(f"/scopes/{number}", "unknown_scope", f"There is no scope {name[:40]}.")
        for number, name in enumerate(scopes)
        if name not in SCOPES
    ]
    if unknown:
        raise InvalidInput(f"There is no such scope. Known are: {', '.join(SCOPES)}.", errors=unknown)
    return sorted(set(scopes))


def _cidrs_checked(cidrs: Sequence[str]) -> list[str]:
    found, faults = [], []
    for number, text in enumerate(cidrs):
        try:
            found.append(str(network_parse(text)))
        except ValueError as error:
            faults.append(FieldError(f"/cidrs/{number}", "invalid_network", f"{error}."))
    if faults:
        raise InvalidInput("These are no networks.", errors=faults)
    return sorted(set(found))


def _expiry_check(expires_at: dt.datetime, now: dt.datetime) -> None:
    if expires_at <= now:
        raise InvalidInput.field("/expires_at", "past", "The end lies in the past.")
    # 29 February has its anniversary on the day before.
    day = min(now.day, 28) if now.month == 2 else now.day
    if expires_at > now.replace(year=now.year + 1, day=day):
        raise InvalidInput.field("/expires_at", "too_late", "A token lives for a year at most.")


def _reach(seer: Actor, cut: TokenCut, within: _Found | None) -> _Reach:
    workspace = _found(places.ask.workspace(seer, cut.workspace)) if cut.workspace else _NOWHERE
    if within is not None:
        if workspace not in {_NOWHERE, within}:
            raise NotFound
        workspace = within
    if cut.document is None:
        return _Reach(workspace)
    document = places.ask.document(seer, cut.document)
    if workspace[0] not in {None, document.workspace_pk}:
        raise NotFound
    return _Reach(workspace, _found(document))


def _found(place: Place) -> _Found:
    return place.pk, place.uid


def _weaker_check(parent: Token, cut: TokenCut, reach: _Reach) -> None:
    """Raise TokenTooWide that names each side on which the new token would reach beyond its minter.

    A place outside of the minter's is not found before; here one may be missing.
    """
    sides = {
        "/scopes": set(cut.scopes) <= set(parent.scopes),
        "/cidrs": networks_within(cut.cidrs, parent.cidrs),
        "/expires_at": cut.expires_at <= parent.expires_at,
        "/workspace": parent.workspace_pk in {None, reach.workspace[0]},
        "/document": parent.document_pk is None or reach.document[0] is not None,
    }
    text = "This reaches beyond the token that mints."
    faults = [FieldError(pointer, TokenTooWide.code, text) for pointer, holds in sides.items() if not holds]
    if faults:
        raise TokenTooWide(errors=faults)
