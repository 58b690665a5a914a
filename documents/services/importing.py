"""Documents made of files, and brought up to date from them: again and again with the same end."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db.models import Max
from uuid_utils.compat import uuid7

from audit.services import Entry, Target, events_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import BusinessError, DomainError, NotFound
from cloudscribe.lib.postgresql.locks import advisory_lock
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.etags import ExpectedRevision
from documents.exceptions import DocumentTooDeep
from documents.importing.files import SourceFolder
from documents.importing.linking import with_links
from documents.importing.planning import PlannedDocument
from documents.importing.reading import Problem
from documents.models import Blob, Document, ImportSource, Workspace
from documents.positions import position_between
from documents.services.documents import NewDocument, creation_check, document_insert
from documents.services.importing_files import (
    DocumentFiles,
    NewFile,
    files_attach,
    files_of,
    files_store,
)
from documents.services.locking import Strength, actor_renewed, workspace_lock
from documents.services.revising import document_open, document_revise
from documents.visibility import visible_to

# A transaction stays well below the ten seconds in which writers must end: vectors cost 2 ms a kilobyte.
_BATCH_DOCUMENTS = 50
_BATCH_BYTES = 500_000
_NOTE = "Imported"


class ImportRunning(BusinessError):
    """Another import into the same workspace is at work."""

    code = "import_running"
    title = "An import into this workspace is running"
    detail = "Wait until it has ended, then import again."


@dataclasses.dataclass(slots=True)
class Imported:
    """What became of an import: numbers of documents, of files newly attached, and what was left out."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    files: int = 0
    problems: list[Problem] = dataclasses.field(default_factory=list)

    @property
    def total(self) -> int:
        """Documents that stand for a file."""
        return self.created + self.updated + self.unchanged


@dataclasses.dataclass(frozen=True, slots=True)
class _Work:
    """A planned document with its links made, the digest of what it says, and its source where it has one."""

    planned: PlannedDocument
    uid: uuid.UUID
    content: str
    digest: bytes
    source: ImportSource | None
    files: Sequence[NewFile]
    # Under which its source is or will be known.
    source_key: str

    @property
    def changed(self) -> bool:
        return self.source is not None and bytes(self.source.sha256) != self.digest


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """Where an import goes, and the ids of its documents by their keys, the new ones among them."""

    workspace: Workspace
    parent: Document | None
    uids: dict[str, uuid.UUID] = dataclasses.field(default_factory=dict)

    def source_key(self, key: str) -> str:
        """Under which a file is known: no path begins with a slash, so what goes elsewhere is another."""
        return f"/{self.parent.uid}/{key}" if self.parent else key


def documents_import(
    *,
    actor: Actor,
    workspace: Workspace,
    planned: Sequence[PlannedDocument],
    parent: Document | None = None,
    folder: SourceFolder | None = None,
    dry_run: bool = False,
    progress: Callable[[int], object] = int,
) -> Imported:
    """Make or update the documents that files stand for, parents first, in batches of a transaction each.

    They go to the top of the workspace, or below `parent`. What was imported to the same place before and
    didn't change is left alone; what changed is merged with what people wrote since; what the actor doesn't
    see counts as never imported. A file whose change conflicts, or whose document lies in the trash, is left
    out and named. Other files of `folder` that the texts link to are attached to the documents that do.
    `progress` is told how many stand. Raises Forbidden, NotFound, DocumentTrashed, DocumentArchived,
    DocumentTooDeep, WorkspaceBusy, ImportRunning, AttachmentQuotaExceeded, AttachmentInfected.
    """
    with _only_import(workspace):
        result = Imported()
        place = _Place(workspace, parent)
        work = _work_of(actor, place, planned, folder, result)
        _import(actor, place, work, result, progress, dry_run=dry_run)
        return result


def _import(
    actor: Actor,
    place: _Place,
    work: Sequence[_Work],
    result: Imported,
    progress: Callable[[int], object],
    *,
    dry_run: bool,
) -> None:
    result.files = sum(len(item.files) for item in work)
    result.unchanged = sum(1 for item in work if item.source is not None and not item.changed)
    fresh = [item for item in work if item.source is None]
    changed = [item for item in work if item.changed]
    if dry_run:
        result.created, result.updated = len(fresh), len(changed)
        return
    progress(result.unchanged)
    for batch in _batches(fresh):
        stored = files_store(actor=actor, files=[file for item in batch for file in item.files])
        result.created += _batch_create(actor=actor, place=place, batch=batch, stored=stored)
        progress(result.total)
    for item in changed:
        problem = _update(actor, item)
        if problem is None:
            result.updated += 1
        else:
            result.problems.append(problem)
        progress(result.total)


@contextmanager
def _only_import(workspace: Workspace) -> Iterator[None]:
    """Keep others out: two imports at once would link to documents that neither makes."""
    with advisory_lock(f"documents.import:{workspace.pk}") as held:
        if not held:
            raise ImportRunning
        yield


def _work_of(
    actor: Actor,
    place: _Place,
    planned: Sequence[PlannedDocument],
    folder: SourceFolder | None,
    result: Imported,
) -> list[_Work]:
    sources, free = _sources_of(actor, place, [document.key for document in planned])
    for document in planned:
        source = sources.get(document.key)
        place.uids[document.key] = source.document.uid if source else uuid7()
    known = files_of(source.document_id for source in sources.values())
    work = []
    for document in planned:
        source = sources.get(document.key)
        files = DocumentFiles(folder, known.get(source.document_id, {}) if source else {})
        content, problem = with_links(document.key, document.content, place.uids, files.address)
        if problem is not None:
            result.problems.append(problem)
        digest = hashlib.sha256(f"{document.title}\0{content}".encode()).digest()
        uid, key = place.uids[document.key], free.get(document.key, "")
        work.append(_Work(document, uid, content, digest, source, files.new, key))
    result.problems += folder.problems if folder else ()
    return work


def _sources_of(
    actor: Actor, place: _Place, keys: Sequence[str]
) -> tuple[dict[str, ImportSource], dict[str, str]]:
    """What was imported of these files, by their keys; and under which key each of the others will be known.

    A document that is hidden from the actor, or went to another workspace, is none of the import's: its
    source stays as it is, and the actor gets one of their own beside it. So nothing tells that it is there.
    """
    own = f"//{actor.uid}"
    by_key = {place.source_key(key): key for key in keys}
    wanted = [*by_key, *(own + key for key in by_key)]
    rows = ImportSource.objects.filter(workspace=place.workspace, key__in=wanted).select_related("document")
    taken = {row.key: row for row in rows}
    here = Document.objects.filter(workspace=place.workspace, import_source__in=taken.values())
    seen = set(visible_to(here, actor).values_list("pk", flat=True)) if taken else set()
    found, free = {}, {}
    for source_key, key in by_key.items():
        candidates = [taken.get(source_key), taken.get(own + source_key)]
        source = next((row for row in candidates if row and row.document_id in seen), None)
        if source is not None:
            found[key] = source
        else:
            free[key] = own + source_key if source_key in taken else source_key
    return found, free


def _batches(work: Sequence[_Work]) -> Iterator[list[_Work]]:
    batch: list[_Work] = []
    size = 0
    for item in work:
        if batch and (len(batch) >= _BATCH_DOCUMENTS or size + len(item.content) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item.content)
    if batch:
        yield batch


@transactional
def _batch_create(
    *, actor: Actor, place: _Place, batch: Sequence[_Work], stored: Mapping[uuid.UUID, Blob]
) -> int:
    workspace = place.workspace
    workspace_lock(workspace.pk, Strength.ADD)
    actor = actor_renewed(actor)
    parents = _parents(actor, place, batch)
    positions = _Positions(workspace)
    entries = []
    for item in batch:
        parent = parents[item.planned.parent]
        if parent is not None and parent.depth >= limits.DEPTH:
            raise DocumentTooDeep
        document = document_insert(
            actor=actor,
            workspace=workspace,
            parent=parent,
            new=NewDocument(title=item.planned.title, content=item.content, note=_NOTE),
            position=positions.next(parent.pk if parent is not None else None),
            uid=item.uid,
        ).document
        parents[item.planned.key] = document
        entries.append(_created(actor, workspace, document))
        entries += files_attach(actor=actor, document=document, files=item.files, stored=stored)
    _sources_write(place, batch, parents)
    events_record(entries)
    return len(batch)


def _sources_write(place: _Place, batch: Sequence[_Work], made: Mapping[str | None, Document | None]) -> None:
    """Note what became of the files; an own source whose document is hidden by now is another's no more."""
    ImportSource.objects.bulk_create(
        (
            ImportSource(
                workspace=place.workspace,
                key=item.source_key,
                document=made[item.planned.key],
                sha256=item.digest,
                revision=1,
            )
            for item in batch
        ),
        update_conflicts=True,
        unique_fields=["workspace", "key"],
        update_fields=["document", "sha256", "revision"],
    )


def _created(actor: Actor, workspace: Workspace, document: Document) -> Entry:
    changes = {"title": (None, document.title), "revision": (None, 1), "state": (None, document.state)}
    target = Target("document", document.uid, document.title)
    return Entry(actor, "document.created", target, workspace.uid, changes)


def _parents(actor: Actor, place: _Place, batch: Sequence[_Work]) -> dict[str | None, Document | None]:
    """The documents above those of the batch that were made before it, as they are now, by their keys.

    Under None what the whole import goes below. Raises NotFound for one that the actor no longer sees, and
    what `creation_check` raises.
    """
    made = {item.planned.key for item in batch}
    wanted = {item.planned.parent for item in batch} - made
    uids = {place.uids[key]: key for key in wanted if key is not None}
    seen = visible_to(Document.objects.filter(trashed_at__isnull=True), actor)
    found: dict[str | None, Document | None] = {
        uids[document.uid]: document for document in seen.filter(uid__in=list(uids))
    }
    if wanted - found.keys() - {None}:
        gone = min(key for key in wanted - found.keys() if key is not None)
        raise NotFound(f"The document of {gone}, below which others go, is gone.")
    if None in wanted:
        found[None] = Document.objects.filter(pk=place.parent.pk).first() if place.parent else None
        if place.parent is not None and found[None] is None:
            raise NotFound
    for parent in found.values():
        creation_check(actor, place.workspace, parent)
    return found


class _Positions:
    """Positions behind the last child of each parent, read once a batch."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._last: dict[int | None, str | None] = {}

    def next(self, parent: int | None) -> str:
        if parent not in self._last:
            siblings = Document.objects.filter(workspace=self._workspace, parent=parent)
            self._last[parent] = siblings.aggregate(last=Max("position"))["last"]
        position = self._last[parent] = position_between(self._last[parent], None)
        return position


def _update(actor: Actor, item: _Work) -> Problem | None:
    try:
        stored = files_store(actor=actor, files=item.files)
        _document_reimport(actor=actor, item=item, stored=stored)
    except DomainError as error:
        return Problem(item.planned.key, f"{error.title}: {error.message}")
    return None


@transactional
def _document_reimport(*, actor: Actor, item: _Work, stored: Mapping[uuid.UUID, Blob]) -> None:
    """Merge a changed file into its document: its base is the revision that the last import made."""
    source = item.source
    if source is None:
        return
    opened = document_open(actor, source.document)
    document = opened.document
    events_record(files_attach(actor=opened.actor, document=document, files=item.files, stored=stored))
    edited = document_revise(
        opened,
        {"title": item.planned.title, "content": item.content},
        ExpectedRevision(opened.epoch, source.revision),
        merge=True,
        note=_NOTE,
    )
    source.sha256 = item.digest
    source.revision = edited.document.revision
    source.save(update_fields=["sha256", "revision"])
