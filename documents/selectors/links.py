"""Reads of share links: by their document for who manages it, by their secret for who holds one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import ipaddress
import uuid
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from audit.models import Epoch
from cloudscribe.lib.actor import AccessKey, Actor, ActorKind, CredentialKind, Limit
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from documents.link_secrets import LinkNames, link_secret_hash
from documents.models import Document, LinkState, LinkVisit, ShareLink, Workspace
from documents.roles import LINK_BITS, Role
from security.addresses import parse_address

NAME = "Share link"

_VISITED_SQL = """SELECT EXISTS (SELECT FROM documents_linkvisit
WHERE link_id = %(link)s AND address <<= %(network)s::inet)"""


def _rows_with_now() -> QuerySet[Any]:
    """Links with the database's `clock` and `epoch`."""
    epoch = Coalesce(Subquery(Epoch.objects.order_by("-number").values("number")[:1]), 0)
    return ShareLink.objects.select_related("document__workspace").annotate(clock=Now(), epoch=epoch)


_BY_UID = CompiledQuery(lambda uid: _rows_with_now().filter(uid=uid), uid=uuid.UUID)
_BY_SECRET = CompiledQuery(lambda digest: _rows_with_now().filter(secret_hash=digest), digest=bytes)


@dataclasses.dataclass(frozen=True, slots=True)
class HeldLink:
    """A link as whoever shows its secret holds it: not revoked, not run out; maybe spent.

    `actor` acts by it, `names` are what it calls things.
    """

    link: ShareLink
    document: Document
    actor: Actor
    names: LinkNames
    spent: bool

    @property
    def workspace(self) -> Workspace:
        """The room of the document that it shares."""
        return self.document.workspace

    @property
    def role(self) -> Role:
        """What its holder may do."""
        return _role(self.link, self.workspace)

    @property
    def epoch(self) -> int:
        """The epoch of the database, which a restore raises."""
        return self.actor.access_key.epoch if self.actor.access_key else 0


def links_of(document: Document) -> QuerySet[ShareLink]:
    """The links of a document, with who made them."""
    return ShareLink.objects.filter(document=document).select_related("created_by", "document__workspace")


def links_in(rows: QuerySet[ShareLink], state: LinkState, lifetime_days: int | None) -> QuerySet[ShareLink]:
    """Those of one state, by the database's clock; says in SQL what `ShareLink.state_at` does."""
    revoked = Q(revoked_at__isnull=False)
    if state is LinkState.REVOKED:
        return rows.filter(revoked)
    rows = rows.exclude(revoked)
    expired = Q(expires_at__isnull=False, expires_at__lte=Now())
    if lifetime_days is not None:
        expired |= Q(updated_at__lte=Now() - dt.timedelta(days=lifetime_days))
    if state is LinkState.EXPIRED:
        return rows.filter(expired)
    spent = Q(max_uses__isnull=False, use_count__gte=F("max_uses"))
    rows = rows.exclude(expired)
    return rows.filter(spent) if state is LinkState.SPENT else rows.exclude(spent)


def visits_of(link: ShareLink) -> QuerySet[LinkVisit]:
    """The visits of a link that are still kept."""
    return LinkVisit.objects.filter(link=link)


def link_held(secret: str) -> HeldLink:
    """The link of a secret; raises NotFound for one that opens nothing, whatever the reason."""
    digest = link_secret_hash(secret)
    if digest is None:
        raise NotFound
    return _held(_BY_SECRET.first(digest=digest), LinkNames(secret))


def link_actor_renewed(actor: Actor) -> Actor:
    """Who acts by a link, as the link is now; raises NotFound where it opens nothing any more.

    That it was used up meanwhile is no reason: this is one of the uses.
    """
    if actor.credential_uid is None:
        raise NotFound
    return link_actor(actor.credential_uid)


def link_actor(uid: uuid.UUID) -> Actor:
    """Who acts by the link of this id; raises NotFound where it opens nothing."""
    return _actor(_living(_BY_UID.first(uid=uid)))


def _held(found: Any, names: LinkNames) -> HeldLink:
    row = _living(found)
    spent = row.state_at(row.clock, row.document.workspace.link_lifetime_days) is LinkState.SPENT
    return HeldLink(row, row.document, _actor(row), names, spent)


def _living(row: Any) -> Any:
    """The row of a link, unless nothing is to be seen by it."""
    if row is None or row.document.is_trashed or not row.document.workspace.links_allowed:
        raise NotFound
    state = row.state_at(row.clock, row.document.workspace.link_lifetime_days)
    if state in {LinkState.REVOKED, LinkState.EXPIRED}:
        raise NotFound
    return row


def _actor(row: Any) -> Actor:
    """A link has no person: its rights are its limit."""
    return Actor(
        kind=ActorKind.LINK,
        uid=row.uid,
        pk=None,
        name=NAME,
        credential_kind=CredentialKind.LINK,
        credential_uid=row.uid,
        now=row.clock,
        access_key=AccessKey(0, 0, row.epoch, settled=False),
        scopes=frozenset(),
        limit=Limit(
            workspace_pk=row.document.workspace_id,
            document_pk=row.document_id,
            whole_subtree=row.include_children,
            actions=LINK_BITS[_role(row, row.document.workspace)],
        ),
    )


def _role(link: ShareLink, workspace: Workspace) -> Role:
    """The role of the link, as far as the workspace allows it now."""
    role = Role(link.role)
    return Role.COMMENTER if role is Role.EDITOR and not workspace.edit_links_allowed else role


def link_visited_from(link: ShareLink, address: str) -> bool:
    """Whether somebody at this address, of IPv6 in its /64, has opened the link before."""
    parsed = parse_address(address)
    if parsed is None:
        return False
    network = ipaddress.ip_network((parsed, 64 if parsed.version == 6 else 32), strict=False)
    with connection.cursor() as cursor:
        cursor.execute(_VISITED_SQL, {"link": link.pk, "network": str(network)})
        return bool(cursor.fetchone()[0])
