"""Noting who goes on after being refused; what comes of it is for `services.offenders`.

Nothing of it is on the way of a request that is answered: a refusal adds a number to a buffer, which the
timer thread writes.
"""

from __future__ import annotations

import operator

from django.conf import settings

from cloudscribe.lib.caching import WriteBehind
from security.addresses import address_block, is_trusted, parse_address, parse_proxies
from security.services.offenders import offences_record

REFUSAL, REFUSED_GUESS = 1.0, 5.0


def _write(found: dict[str, float]) -> None:
    offences_record(offences=found)


offences: WriteBehind[str, float] = WriteBehind("security.offences", _write, merge=operator.add, every=2.0)


def offence_note(address: str, *, guess: bool) -> None:
    """A limit refused a stranger at `address`, a try at a credential where `guess` says so.

    This machine and trusted proxies, who stand for others, are never noted.
    """
    if not settings.AUTOBLOCK_SCORE:
        return
    found = parse_address(address)
    if found is None or found.is_loopback:
        return
    proxies, _ = parse_proxies(settings.TRUSTED_PROXIES)
    if not is_trusted(found, proxies, unix=False):
        offences.add(address_block(str(found)), REFUSED_GUESS if guess else REFUSAL)
