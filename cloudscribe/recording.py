"""Settings of the record: how the trail is sealed and what field diffs are taken of.

cloudscribe.settings takes them over as they are.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from cloudscribe.lib import env

__all__ = ["AUDITLOG_CID_GETTER", "AUDITLOG_INCLUDE_ALL_MODELS", "AUDIT_RETENTION", "SEAL_INTERVAL"]

AUDITLOG_INCLUDE_ALL_MODELS = False
AUDITLOG_CID_GETTER = "audit.auditlog.request_id"

SEAL_INTERVAL = env.seconds("CLOUDSCRIBE_SEAL_INTERVAL", 1, "How often new events of the trail are sealed.")
AUDIT_RETENTION = env.integer(
    "CLOUDSCRIBE_AUDIT_RETENTION",
    0,
    "Seconds, a day at least, for which events stay in the database; `archive_audit` moves older ones, a "
    "million at a time, to files. 0 is for ever.",
)
# Who follows the trail (webhooks, watchers, the change feed) is never a day behind.
if 0 < AUDIT_RETENTION < 86_400:
    raise ImproperlyConfigured("CLOUDSCRIBE_AUDIT_RETENTION is 0 or at least 86400 s.")
