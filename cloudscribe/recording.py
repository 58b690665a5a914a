"""Settings of the record: how the trail is sealed and what field diffs are taken of.

cloudscribe.settings takes them over as they are.
"""

from __future__ import annotations

from cloudscribe.lib import env

__all__ = ["AUDITLOG_CID_GETTER", "AUDITLOG_INCLUDE_ALL_MODELS", "SEAL_INTERVAL"]

AUDITLOG_INCLUDE_ALL_MODELS = False
AUDITLOG_CID_GETTER = "audit.auditlog.request_id"

SEAL_INTERVAL = env.seconds("CLOUDSCRIBE_SEAL_INTERVAL", 1, "How often new events of the trail are sealed.")
