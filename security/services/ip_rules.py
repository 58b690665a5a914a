"""The IP rules: made, changed and removed, each change with its event."""

from __future__ import annotations

import copy
import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from audit.diff import model_changes
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor, ActorKind
from cloudscribe.lib.context import current_context
from cloudscribe.lib.errors import InvalidInput, NotFound
from cloudscribe.lib.transactions import transactional
from security.addresses import Network
from security.exceptions import IPRuleExists, LocksYouOut, NetworkTooWide
from security.ip_rules import clock_offset, index_read, parse_network
from security.models import IPRule, Offender

RULE_FIELDS = ("network", "effect", "origin", "reason", "expires_at")
CHANGEABLE = ("reason", "expires_at")
# A block wider than this hits whoever shares a provider; whoever means it says so.
WIDEST = {4: 16, 6: 32}
# How long a rule that has run out is still shown, and an offender remembered.
KEPT_AFTER_EXPIRY = dt.timedelta(days=30)


@transactional
def ip_rule_create(
    *,
    actor: Actor,
    network: str,
    effect: str = IPRule.Effect.BLOCK,
    reason: str = "",
    expires_at: dt.datetime | None = None,
    force: bool = False,
) -> IPRule:
    """Let a network in or keep it out; every worker follows within seconds.

    Raises InvalidInput (no network, an expiry in the past), IPRuleExists, and without `force` NetworkTooWide
    and LocksYouOut. A rule of the same network and effect that has run out makes way.
    """
    parsed = _parsed(network)
    _require_future(actor, expires_at)
    if not force:
        _refuse_width(parsed, effect)
    same = IPRule.objects.select_for_update(no_key=True).filter(network=str(parsed), effect=effect)
    standing = same.first()
    if standing is not None:
        if standing.expires_at is None or standing.expires_at > actor.now:
            raise IPRuleExists(extra={"rule": str(standing.uid)})
        rule_delete(actor, standing)
    row = IPRule.objects.create(
        network=str(parsed),
        effect=effect,
        origin=_origin(actor),
        reason=reason,
        expires_at=expires_at,
        created_by_uid=actor.uid,
    )
    _refuse_lockout(actor, force=force)
    row.refresh_from_db(fields=["created_at", "updated_at"])
    rule_event(actor, "created", row, model_changes(None, row, RULE_FIELDS))
    return row


@transactional
def ip_rule_update(
    *, actor: Actor, rule: uuid.UUID, changes: Mapping[str, Any], force: bool = False
) -> IPRule:
    """Change a rule's reason or expiry; another network or effect is another rule.

    Raises NotFound, InvalidInput for an expiry in the past, and LocksYouOut without `force`.
    """
    row = _locked(rule)
    before = copy.copy(row)
    for field in CHANGEABLE:
        setattr(row, field, changes.get(field, getattr(row, field)))
    changed = model_changes(before, row, CHANGEABLE)
    if "expires_at" in changed:
        _require_future(actor, row.expires_at)
    if changed:
        row.updated_at = Now()
        row.save(update_fields=[*changed, "updated_at"])
        _refuse_lockout(actor, force=force)
        row.refresh_from_db(fields=["updated_at"])
        rule_event(actor, "updated", row, changed)
    return row


@transactional
def ip_rule_remove(*, actor: Actor, rule: uuid.UUID, force: bool = False) -> None:
    """Take a rule away; raises NotFound, and LocksYouOut where it alone let the actor in, without `force`."""
    rule_delete(actor, _locked(rule))
    _refuse_lockout(actor, force=force)


@transactional
def ip_rules_purge() -> int:
    """Delete what ran out a month ago, offenders too; gives the number of rules."""
    Offender.objects.filter(updated_at__lt=Now() - KEPT_AFTER_EXPIRY).delete()
    deleted, _ = IPRule.objects.filter(expires_at__lt=Now() - KEPT_AFTER_EXPIRY).delete()
    return deleted


def rule_event(
    actor: Actor, change: str, row: IPRule, changes: Mapping[str, Any], facts: Mapping[str, Any] | None = None
) -> None:
    """Write `ip_rule.<change>`, within the caller's transaction."""
    event_record(
        actor=actor,
        action=f"ip_rule.{change}",
        target=Target.of("ip_rule", row, str(row)),
        changes=changes,
        facts=facts,
    )


def _locked(uid: uuid.UUID) -> IPRule:
    row = IPRule.objects.select_for_update(no_key=True).filter(uid=uid).first()
    if row is None:
        raise NotFound
    return row


def rule_delete(actor: Actor, row: IPRule) -> None:
    """Delete a locked row and write `ip_rule.removed`, within the caller's transaction."""
    row.delete()
    rule_event(actor, "removed", row, model_changes(row, None, RULE_FIELDS))


def _parsed(text: str) -> Network:
    try:
        return parse_network(text)
    except ValueError:
        raise InvalidInput.field("/network", "invalid_network", "This is no address and no CIDR.") from None


def _require_future(actor: Actor, expires_at: dt.datetime | None) -> None:
    if expires_at is not None and expires_at <= actor.now:
        raise InvalidInput.field("/expires_at", "in_the_past", "The rule would be over before it began.")


def _refuse_width(network: Network, effect: str) -> None:
    widest = WIDEST[network.version]
    if effect == IPRule.Effect.BLOCK and network.prefixlen < widest:
        raise NetworkTooWide(f"{network} is wider than /{widest}. Say `force` if you mean it.")


def _refuse_lockout(actor: Actor, *, force: bool) -> None:
    """Judged by the rows as this transaction has made them, the same way as at the door."""
    address = current_context().address
    if force or not address:
        return
    if index_read(clock_offset(actor.now)).blocks(address):
        raise LocksYouOut(f"It would keep out {address}, from where you act. Say `force` if you mean it.")


def _origin(actor: Actor) -> IPRule.Origin:
    return IPRule.Origin.COMMAND if actor.kind == ActorKind.COMMAND else IPRule.Origin.STAFF
