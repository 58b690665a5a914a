"""Linking one's account with an identity at an OpenID Connect provider, and taking that away."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.actors import person_held, person_pk, session_uid
from accounts.exceptions import IdentityTaken, LastWayIn
from accounts.models import Ceremony, Identity, Passkey
from accounts.notifications import IDENTITY_LINKED, IDENTITY_UNLINKED
from accounts.oidc import Stranger
from accounts.services.mail import mail_request
from accounts.services.notifications import News, notify
from accounts.services.oidc import Departure, departure, identity_note, returned
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional


def identity_link_start(*, actor: Actor) -> Departure:
    """Begin to link the actor's account, for the session at hand; raises NotFound, OidcUnavailable."""
    return departure(kind=Ceremony.Kind.OIDC_LINK, user_pk=person_pk(actor), session=session_uid(actor))


def identity_link(*, actor: Actor, state: str, binding: str, code: str) -> Identity:
    """Link whom the provider stands for with the actor's account; its owner is told by mail.

    Linked already, nothing changes. Raises IdentityTaken (by another account), NotFound, InvalidOidcState,
    OidcRefused, OidcUnavailable.
    """
    stranger = returned(
        kind=Ceremony.Kind.OIDC_LINK,
        state=state,
        binding=binding,
        code=code,
        user_pk=person_pk(actor),
        session=session_uid(actor),
    )
    return _linked(actor=actor, stranger=stranger)


@transactional
def _linked(*, actor: Actor, stranger: Stranger) -> Identity:
    user = person_held(actor)
    same = Identity.objects.filter(issuer=stranger.issuer, subject=stranger.subject).first()
    if same is not None and same.user_id != user.pk:
        raise IdentityTaken
    if same is not None:
        return same
    identity = Identity(user=user, issuer=stranger.issuer, subject=stranger.subject, email=stranger.email)
    try:
        with transaction.atomic():
            identity.save(force_insert=True)
    except IntegrityError as error:
        raise IdentityTaken from error
    identity_note(actor, "identity.linked", identity)
    mail_request(actor.now, "identity_linked", user.uid)
    notify(actor=actor, users=[user.pk], news=News(IDENTITY_LINKED))
    identity.refresh_from_db(fields=["created_at"])
    return identity


@transactional
def identity_unlink(*, actor: Actor, identity: uuid.UUID) -> None:
    """Take one of the actor's own identities away; its owner is told by mail.

    Raises NotFound for any other, and LastWayIn where nothing else lets the person in.
    """
    user = person_held(actor)
    row = Identity.objects.filter(user_id=user.pk, uid=identity).first()
    if row is None:
        raise NotFound
    others = Identity.objects.filter(user_id=user.pk, issuer=settings.OIDC_ISSUER).exclude(pk=row.pk)
    stays = user.has_usable_password() or Passkey.objects.filter(user_id=user.pk).exists() or others.exists()
    # An identity at a provider that is no longer ours lets nobody in.
    if row.issuer == settings.OIDC_ISSUER and not stays:
        raise LastWayIn
    row.delete()
    identity_note(actor, "identity.unlinked", row)
    mail_request(actor.now, "identity_unlinked", user.uid)
    notify(actor=actor, users=[user.pk], news=News(IDENTITY_UNLINKED))
