"""What holders of share links do to get in: the password, the visit, the use that it counts as.

A visit is what follows one opening within an hour; its holder shows a pass, which says that the password was
right and the use was counted. An opening without one is a use.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hmac
import re
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from accounts.exceptions import SignInLimited
from accounts.passwords import password_matches
from accounts.services.limiter import attempt_fail, attempt_forgive, attempt_open
from audit.denials import denial_record
from audit.services import Target
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.exceptions import LinkPasswordLimited, LinkPasswordRequired
from documents.models import LinkVisit, ShareLink
from documents.selectors.links import HeldLink, link_held, link_visited_from

LONGEST_PASSWORD = 128
_PASS = re.compile(r"([^.\s]{1,64})\.([0-9]{1,12})\.([0-9a-f]{64})", re.ASCII)

# One statement, so that of two who open a link for the last time one finds it spent.
_USE_SQL = """
WITH used AS (
    UPDATE documents_sharelink l
    SET use_count = use_count + 1, last_used_at = statement_timestamp()
    FROM documents_document d JOIN documents_workspace w ON w.id = d.workspace_id
    WHERE l.id = %(link)s AND d.id = l.document_id AND d.trashed_at IS NULL AND w.links_allowed
      AND l.revoked_at IS NULL AND (l.expires_at IS NULL OR l.expires_at > statement_timestamp())
      AND (l.max_uses IS NULL OR l.use_count < l.max_uses)
    RETURNING l.id
)
INSERT INTO documents_linkvisit (link_id, at, address, device)
SELECT id, statement_timestamp(), nullif(%(address)s, '')::inet, %(device)s FROM used RETURNING id
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Visitor:
    """Who comes by a link: from which address, by what program."""

    address: str
    device: str


@transactional
def link_use(*, held: HeldLink, visitor: Visitor) -> None:
    """Count one use of a link and note the visit; raises NotFound where the last one is taken."""
    values: dict[str, Any] = {"link": held.link.pk, "address": visitor.address, "device": visitor.device}
    with connection.cursor() as cursor:
        cursor.execute(_USE_SQL, values)
        if cursor.fetchone() is None:
            raise NotFound


def link_enter(*, secret: str, shown: str, password: str | None, address: str) -> tuple[HeldLink, bool]:
    """The link of a secret, for whoever shows the pass of a visit or knows the password; and if in a visit.

    Raises NotFound for one that opens nothing, or nothing more; see `link_unlock`.
    """
    held = link_held(secret)
    if visit_goes_on(held, shown):
        return held, True
    if held.spent:
        raise NotFound
    link_unlock(held=held, password=password, address=address)
    return held, False


def link_unlock(*, held: HeldLink, password: str | None, address: str) -> None:
    """Let in who knows the password of a link that has one.

    Raises LinkPasswordRequired for none or a wrong one, LinkPasswordLimited where that was tried too often:
    limited per link and address as sign-in is. The hash is computed outside of any transaction.
    """
    link = held.link
    if not link.password:
        return
    if not password or len(password) > LONGEST_PASSWORD:
        raise LinkPasswordRequired
    known = link_visited_from(link, address)
    try:
        attempt = attempt_open(email_key=f"link:{link.uid}", address=address, known=known)
    except SignInLimited as error:
        raise LinkPasswordLimited(error.headers["Retry-After"]) from error
    if password_matches(password, link.password):
        attempt_forgive(attempt)
        return
    attempt_fail(attempt)
    target = Target("link", link.uid, held.document.title)
    code = LinkPasswordRequired.code
    denial_record(actor=None, action="link.refused", target=target, route="share link", code=code)
    raise LinkPasswordRequired("The password is wrong.")


def visit_pass(held: HeldLink) -> str:
    """What shows within the next hour that its holder has opened the link."""
    issued = int(held.actor.now.timestamp())
    kid = settings.KEY_RING.active_kid
    return f"{kid}.{issued}.{_tag(held.link, kid, issued)}"


def visit_goes_on(held: HeldLink, text: str) -> bool:
    """Whether a pass holds: of this link, under its password of now, and no older than a visit lasts."""
    match = _PASS.fullmatch(text)
    if match is None or match[1] not in settings.KEY_RING.keys:
        return False
    issued = int(match[2])
    age = held.actor.now.timestamp() - issued
    if not -1 <= age < settings.LINK_VISIT_LIFETIME:
        return False
    return hmac.compare_digest(match[3], _tag(held.link, match[1], issued))


@transactional
def link_visits_purge() -> int:
    """Forget visits that are older than they are kept for; how many."""
    kept = dt.timedelta(seconds=settings.LINK_VISIT_RETENTION)
    return LinkVisit.objects.filter(at__lt=Now() - kept).delete()[0]


def _tag(link: ShareLink, kid: str, issued: int) -> str:
    text = f"{link.uid.hex}.{issued}.{link.password}"
    return hmac.digest(settings.KEY_RING.derive("link-visit", kid), text.encode(), "sha256").hex()
