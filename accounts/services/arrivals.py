"""Telling people of sign-ins that aren't like theirs of before."""

from __future__ import annotations

import ipaddress

from accounts.models import Session
from accounts.notifications import SIGN_IN_NEW
from accounts.services.notifications import News, notify
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.postgresql.base import prepared_rows

# Who has one address usually has others of its block.
_BLOCKS = {4: 24, 6: 48}
# A device is known without the numbers in its name: a browser that was updated is the same one.
_KNOWN = """
SELECT EXISTS (SELECT 1 FROM accounts_session WHERE user_id = %(user)s AND id < %(session)s),
       EXISTS (SELECT 1 FROM accounts_session
               WHERE user_id = %(user)s AND id < %(session)s
                 AND regexp_replace(device, '[0-9.]+', '', 'g')
                   = regexp_replace(%(device)s, '[0-9.]+', '', 'g')
                 AND (address <<= %(network)s::inet OR address IS NULL AND %(network)s::inet IS NULL))
"""


def arrival_tell(*, actor: Actor, session: Session) -> None:
    """Tell a session's person that it began on a device and in a network that no earlier one was on.

    In the transaction that makes it. The first session of all is no news.
    """
    wanted = {
        "user": session.user_id,
        "session": session.pk,
        "device": session.device,
        "network": _network(session.address),
    }
    ((has_earlier, is_known),) = prepared_rows(_KNOWN, wanted)
    if is_known or not has_earlier:
        return
    facts = {"name": session.device or "an unnamed device", "address": session.address or "here"}
    news = News(SIGN_IN_NEW, target_type="session", target_uid=session.uid, facts=facts)
    notify(actor=actor, users=[session.user_id], news=news)


def _network(address: str | None) -> str | None:
    if not address:
        return None
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((ip, _BLOCKS[ip.version]), strict=False))
