"""The log's name and keys, which change when the database is restored.

A restored database has lost what came after the backup, and will number and seal other events in its place.
Under the same name that would be a log which denies what it had signed. So it is another log, which begins
with all that the backup holds: an outsider's checkpoints up to there are proved consistent with it as ever.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from audit.checkpoints import VerifierKey, verifier_keys
from audit.models import Epoch

_EPOCHS_SQL = """
WITH RECURSIVE known (epoch) AS (
    SELECT max(number) FROM audit_epoch
    UNION ALL
    SELECT (SELECT e.epoch FROM audit_event e WHERE e.epoch < known.epoch ORDER BY e.epoch DESC LIMIT 1)
    FROM known WHERE known.epoch > 1
)
SELECT epoch FROM known WHERE epoch IS NOT NULL
"""


def log_origin(epoch: int) -> str:
    """The log's name since the restore that began that epoch."""
    return settings.AUDIT_ORIGIN if epoch <= 1 else f"{settings.AUDIT_ORIGIN}/{epoch}"


def epoch_now() -> int:
    """The number that a restore raises."""
    return Epoch.objects.values_list("number", flat=True).get()


def log_keys() -> list[VerifierKey]:
    """What checkpoints of the log verify with, under every name that its events are of, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_EPOCHS_SQL)
        return [key for (epoch,) in cursor.fetchall() for key in verifier_keys(log_origin(epoch))]
