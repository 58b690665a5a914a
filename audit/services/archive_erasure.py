"""Erasing what archives hold of a person: each that holds something is written anew, and its leaves stay."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.db.models.functions import Now

from audit.archive_files import archive_check, archive_opened, archive_rewrite, archive_store
from audit.models import Archive
from audit.selectors.archives import archives_newest
from audit.services.archiving import archiving_alone
from audit.services.erasure import PERSON_ERASED
from audit.services.events import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.storage import file_remove, temporary_file
from cloudscribe.lib.transactions import transactional


def archives_erase(
    *, actor: Actor, person: uuid.UUID, progress: Callable[[int], None], reason: str = ""
) -> int:
    """Remove the details of every archived event that concerns a deleted person; how many.

    As `person_details_erase` does with what is in the database: who may, asks the caller, and one event for
    each archive lists the numbers. Safe to run again, which also removes the files that a crash left. Raises
    NotArchived while somebody archives, BadArchive for a file that isn't what was recorded, StorageFull and
    StorageUnavailable.
    """
    if not Archive.objects.exists():
        return 0
    erased = 0
    with archiving_alone():
        for done, archive in enumerate(archives_newest(), 1):
            erased += _erase(actor, archive, person, reason)
            progress(done)
        newest = {archive.pk for archive in archives_newest()}
        for old in Archive.objects.exclude(pk__in=newest):
            file_remove(old.path)
    return erased


def _erase(actor: Actor, archive: Archive, person: uuid.UUID, reason: str) -> int:
    with archive_opened(archive) as source, temporary_file() as sink:
        gone = archive_rewrite(source, sink, person)
        if not gone:
            return 0
        version = Archive.objects.filter(first_sequence=archive.first_sequence).count()
        span = f"{archive.first_sequence}-{archive.last_sequence}"
        successor = Archive(
            first_sequence=archive.first_sequence,
            last_sequence=archive.last_sequence,
            events=archive.events,
            erased=archive.erased + len(gone),
            tree_size=archive.tree_size,
            path=f"audit/events-{span}-{version}.ndjson.gz",
        )
        archive_store(successor, sink)
    archive_check(successor)
    _archive_replace(actor=actor, archive=successor, person=person, gone=gone, reason=reason)
    return len(gone)


@transactional
def _archive_replace(
    *, actor: Actor, archive: Archive, person: uuid.UUID, gone: list[int], reason: str
) -> None:
    archive.archived_at = Now()
    archive.save()
    facts = {"sequences": gone, "first_sequence": archive.first_sequence, "sha256": archive.sha256.hex()}
    event_record(
        actor=actor, action=PERSON_ERASED, target=Target("user", person, ""), reason=reason, facts=facts
    )
