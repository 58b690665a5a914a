"""The writes of security, by noun."""

from __future__ import annotations

from security.services.idempotency import idempotency_keys_purge
from security.services.ip_rules import ip_rule_create, ip_rule_remove, ip_rule_update, ip_rules_purge
from security.services.limits import rate_limit_update
from security.services.offenders import offences_record
from security.services.read_only import read_only_end, read_only_start

__all__ = [
    "idempotency_keys_purge",
    "ip_rule_create",
    "ip_rule_remove",
    "ip_rule_update",
    "ip_rules_purge",
    "offences_record",
    "rate_limit_update",
    "read_only_end",
    "read_only_start",
]
