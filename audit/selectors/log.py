"""The log's name and keys, which change when the database is restored.

A restored database has lost what came after the backup, and will number and seal other events in its place.
Under the same name that would be a log which denies what it had signed. So it is another log, which begins
with all that the backup holds: an outsider's checkpoints up to there are proved consistent with it as ever.
"""

from __future__ import annotations

from django.conf import settings

from audit.checkpoints import VerifierKey, verifier_keys
from audit.models import Epoch

# The script that it ends has no search path.
EPOCH_RAISE_SQL = "UPDATE public.audit_epoch SET number = number + 1;"


def log_origin(epoch: int) -> str:
    """The log's name since that restore, the first of which makes it 2."""
    return settings.AUDIT_ORIGIN if epoch <= 1 else f"{settings.AUDIT_ORIGIN}/{epoch}"


def epoch_now() -> int:
    """The number that a restore raises."""
    return Epoch.objects.values_list("number", flat=True).get()


def log_keys() -> list[VerifierKey]:
    """What checkpoints of the log verify with, under every name that it has had, the newest first."""
    return [key for epoch in range(epoch_now(), 0, -1) for key in verifier_keys(log_origin(epoch))]
