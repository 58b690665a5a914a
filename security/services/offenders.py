"""Temporary blocks of addresses that go on after being refused, longer each time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from audit.diff import model_changes
from cloudscribe.lib.actor import Actor, acting_as, command_actor
from cloudscribe.lib.transactions import transactional
from security.ip_rules import clock_offset, index_read, parse_network
from security.models import IPRule, Offender
from security.services.ip_rules import RULE_FIELDS, rule_delete, rule_event

FIRST_BLOCK = dt.timedelta(minutes=15)
LONGEST_BLOCK = dt.timedelta(hours=24)
# From here on every block is the longest.
_MOST_BLOCKS = 20
_REASON = "Went on after being refused again and again."

# One statement for all who were refused lately. The exponent is bounded: beyond it a float can't say how
# little is left.
_SCORE = """
INSERT INTO security_offender AS o (network, score, blocks, updated_at)
SELECT network, score, 0, statement_timestamp()
FROM unnest(%s::text[], %s::float8[]) AS found(network, score) ORDER BY network
ON CONFLICT (network) DO UPDATE SET
    score = excluded.score + o.score * power(0.5::float8, least(
        extract(epoch FROM excluded.updated_at - o.updated_at) / 3600, 500)::float8),
    updated_at = excluded.updated_at
RETURNING id, network, score, blocks, blocked_at, updated_at
"""


class _Scored(NamedTuple):
    pk: int
    network: str
    score: float
    blocks: int
    blocked_at: dt.datetime | None
    now: dt.datetime


@transactional
def offences_record(*, offences: Mapping[str, float]) -> int:
    """Add to the scores of these addresses (of IPv6: networks) and block who has reached the limit.

    A score halves with each hour. A block lasts 15 minutes, twice as long with each block of the last days,
    a day at most. Whom a rule lets in is never blocked. Gives the number of blocks made.
    """
    found = {str(parse_network(address)): score for address, score in offences.items()}
    with connection.cursor() as cursor:
        cursor.execute(_SCORE, [list(found), list(found.values())])
        scored = [_Scored(*row) for row in cursor.fetchall()]
    return sum(_block(row) for row in scored if row.score >= settings.AUTOBLOCK_SCORE)


def _block(offender: _Scored) -> bool:
    address = parse_network(offender.network).network_address
    effect = index_read(clock_offset(offender.now)).effect(address)
    if effect == IPRule.Effect.ALLOW:
        return False
    if effect == IPRule.Effect.BLOCK:
        # Refusals from before every worker knew of the block must not make the next one longer.
        Offender.objects.filter(pk=offender.pk).update(score=0)
        return False
    past = (offender.now - offender.blocked_at).days if offender.blocked_at else 0
    blocks = min(max(0, offender.blocks - past), _MOST_BLOCKS)
    expires_at = offender.now + min(LONGEST_BLOCK, FIRST_BLOCK * 2**blocks)
    # The next block takes as many refusals anew.
    Offender.objects.filter(pk=offender.pk).update(score=0, blocks=blocks + 1, blocked_at=offender.now)
    actor = command_actor("automatic block", offender.now)
    with acting_as(actor):
        _rule_make(
            actor, offender.network, expires_at, {"score": round(offender.score), "blocks": blocks + 1}
        )
    return True


def _rule_make(actor: Actor, network: str, expires_at: dt.datetime, facts: Mapping[str, int]) -> None:
    over = IPRule.objects.select_for_update(no_key=True).filter(network=network, effect=IPRule.Effect.BLOCK)
    for row in over:
        rule_delete(actor, row)
    row = IPRule.objects.create(
        network=network,
        effect=IPRule.Effect.BLOCK,
        origin=IPRule.Origin.AUTOMATIC,
        reason=_REASON,
        # Its end is reckoned from then: by the clock of this statement the block would be shorter than said.
        created_at=actor.now,
        expires_at=expires_at,
    )
    rule_event(actor, "created", row, model_changes(None, row, RULE_FIELDS), facts)
