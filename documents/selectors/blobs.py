"""Content of attachments as the database has it, against the storage."""

from __future__ import annotations

from collections.abc import Iterator

from cloudscribe.lib.storage import file_exists
from documents.models import Blob


def blobs_without_a_file() -> Iterator[Blob]:
    """What documents have and the storage hasn't; raises StorageUnavailable."""
    held = Blob.objects.filter(unused_since__isnull=True, removing=False)
    return (blob for blob in held.order_by("pk").iterator(5_000) if not file_exists(blob.path))
