"""What in the trash is due to go."""

from __future__ import annotations

import datetime as dt

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Now

from documents.models import Document
from documents.selectors.holds import held


def trash_due() -> QuerySet[Document]:
    """Roots of trashed trees that have lain there longer than their workspace keeps them, oldest first.

    What a legal hold stands on, or on a part of it, or on what is above it, is never due.
    """
    kept = F("workspace__trash_days") * Value(dt.timedelta(days=1))
    rows = Document.objects.filter(~held(), trash_root=F("pk"), trashed_at__lt=Now() - kept)
    return rows.filter(workspace__busy_job__isnull=True).select_related("workspace").order_by("trashed_at")
