"""What in the trash is due to go."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Now

from documents.models import Document
from documents.selectors.holds import held


def trash_due(job: uuid.UUID | None = None) -> QuerySet[Document]:
    """Roots of trashed trees that have lain there longer than their workspace keeps them, oldest first.

    What a legal hold stands on, or on a part of it, or on what is above it, is never due; nor is anything in
    a workspace that is reserved for another than this `job`.
    """
    kept = F("workspace__trash_days") * Value(dt.timedelta(days=1))
    rows = Document.objects.filter(~held(), trash_root=F("pk"), trashed_at__lt=Now() - kept)
    free = Q(workspace__busy_job__isnull=True)
    if job is not None:
        free |= Q(workspace__busy_job=job)
    return rows.filter(free).select_related("workspace").order_by("trashed_at")
