"""The kinds of jobs of security, by name."""

from __future__ import annotations

IDEMPOTENCY_PURGE = "security.idempotency_purge"
IP_RULES_PURGE = "security.ip_rules_purge"
