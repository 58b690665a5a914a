"""Service accounts: programs that are granted access like people and sign in by tokens alone."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from accounts.actors import service_actor
from accounts.models import ServiceAccount, Token, User
from accounts.ports import places
from accounts.powers import powers_now, powers_required
from accounts.selectors import MANAGE_SERVICES, services_managed, user_tokens_live
from accounts.services.tokens import Minted, TokenCut, token_mint, token_revoke, tokens_end
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, NotFound
from cloudscribe.lib.transactions import transactional

# A name that can never be in the DNS (RFC 2606): no mail reaches a program.
_MAIL_DOMAIN = "service.invalid"


@transactional
def service_account_create(
    *, actor: Actor, name: str, description: str = "", workspace: uuid.UUID | None = None
) -> User:
    """Make a service account of a workspace (its owners) or of the platform (by permission).

    It holds no right until somebody grants it one. Raises NotFound for a hidden workspace, Forbidden.
    """
    place = None
    if workspace is None:
        powers_required(actor, MANAGE_SERVICES)
    elif not places.ask.may_make_services(actor, workspace):
        raise Forbidden("Only owners of the workspace make service accounts for it.")
    else:
        place = places.ask.workspace(actor, workspace)
    uid = uuid7()
    user = User.objects.create_user(f"{uid}@{_MAIL_DOMAIN}", None, uid=uid, kind=User.Kind.SERVICE, name=name)
    ServiceAccount.objects.create(
        user=user,
        description=description,
        workspace_pk=place.pk if place else None,
        workspace_uid=place.uid if place else None,
        created_by_id=actor.pk,
    )
    event_record(
        actor=actor,
        action="service_account.created",
        target=Target("service_account", uid, name),
        workspace_uid=workspace,
        changes={"name": (None, name), "description": (None, description)},
    )
    return user


@transactional
def service_account_delete(*, actor: Actor, account: uuid.UUID) -> None:
    """Take a service account away: from the next request on none of its tokens works, nor comes back.

    Its user row stays, for what it wrote names it. Raises NotFound, and LastOwner where a workspace would
    have no owner left.
    """
    found = _managed(actor, account)
    # Workspaces and documents are locked before users: that is the one order.
    places.ask.forsake(actor, found)
    user = _locked(actor, account)
    tokens_end(actor=actor, user_pk=user.pk, reason="account_deleted")
    workspace = user.service.workspace_uid
    user.service.delete()
    user.groups.clear()
    User.objects.filter(pk=user.pk).update(is_active=False, updated_at=Now())
    event_record(
        actor=actor,
        action="service_account.deleted",
        target=Target("service_account", user.uid, user.name),
        workspace_uid=workspace,
    )


@transactional
def service_token_create(*, actor: Actor, account: uuid.UUID, cut: TokenCut) -> Minted:
    """Mint a token of a service account; one of a workspace's account never reaches beyond the workspace.

    By whoever may make such an account: a workspace's owners, or for the platform's the permission's holders,
    who have no right on what people let a workspace's own accounts see. Raises what `token_create` does.
    """
    user = _managed(actor, account)
    service = user.service
    within = None
    if service.workspace_uid is not None:
        if service.workspace_pk not in places.ask.owned(actor):
            raise Forbidden("Only owners of the workspace mint tokens for its service accounts.")
        within = service.workspace_pk, service.workspace_uid
    # Its places are found by its own eyes: what it doesn't see no token of it can be for.
    return token_mint(actor=actor, user_pk=user.pk, seer=service_actor(user), cut=cut, within=within)


@transactional
def service_token_revoke(*, actor: Actor, account: uuid.UUID, token: uuid.UUID) -> None:
    """End a token of a service account and all that it minted. Raises NotFound."""
    row: Token | None = user_tokens_live(_managed(actor, account).pk).filter(uid=token).first()
    if row is None:
        raise NotFound
    token_revoke(actor=actor, token=row)


def _managed(actor: Actor, account: uuid.UUID) -> Any:
    """The account's user, if the actor manages it; raises NotFound."""
    every = powers_now(actor).hold(MANAGE_SERVICES)
    user = services_managed(actor, every=every).filter(uid=account).first()
    if user is None:
        raise NotFound
    return user


def _locked(actor: Actor, account: uuid.UUID) -> Any:
    # Locked without its service's row, which an outer join would bring.
    if not User.objects.select_for_update(no_key=True).filter(uid=account).first():
        raise NotFound
    return _managed(actor, account)
