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
from documents.etags import ExpectedRevision
from documents.importing.files import SourceFolder
from documents.importing.linking import with_links
from documents.importing.planning import PlannedDocument
from documents.importing.reading import Problem
from documents.models import Blob, Document, ImportSource, Workspace
from documents.policies import Action, require
from documents.positions import position_between
from documents.services.documents import NewDocument, document_insert
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
    files: Sequence[NewFile] = ()

    @property
    def changed(self) -> bool:
        return self.source is not None and bytes(self.source.sha256) != self.digest


def documents_import(
    *,
    actor: Actor,
    workspace: Workspace,
    planned: Sequence[PlannedDocument],
    folder: SourceFolder | None = None,
    dry_run: bool = False,
    progress: Callable[[int], object] = int,
) -> Imported:
    """Make or update the documents that files stand for, parents first, in batches of a transaction each.

    What was imported before and didn't change is left alone; what changed is merged with what people wrote
    since. A file whose change conflicts, or whose document lies in the trash, is left out and named. Other
    files of `folder` that the texts link to are attached to the documents that do. `progress` is told how
    many stand. Raises Forbidden, ImportRunning, AttachmentQuotaExceeded, AttachmentInfected.
    """
    with _only_import(workspace):
        result = Imported()
        work = _work_of(workspace, planned, folder, result)
        _import(actor, workspace, work, result, progress, dry_run=dry_run)
        return result


def _import(
    actor: Actor,
    workspace: Workspace,
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
        result.created += _batch_create(actor=actor, workspace=workspace, batch=batch, stored=stored)
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
    workspace: Workspace,
    planned: Sequence[PlannedDocument],
    folder: SourceFolder | None,
    result: Imported,
) -> list[_Work]:
    keys = [document.key for document in planned]
    sources = {
        source.key: source
        for source in ImportSource.objects.filter(workspace=workspace, key__in=keys).select_related(
            "document"
        )
    }
    uids = {key: sources[key].document.uid if key in sources else uuid7() for key in keys}
    known = files_of(source.document_id for source in sources.values())
    work = []
    for document in planned:
        source = sources.get(document.key)
        files = DocumentFiles(folder, known.get(source.document_id, {}) if source else {})
        content, problem = with_links(document.key, document.content, uids, files.address)
        if problem is not None:
            result.problems.append(problem)
        digest = hashlib.sha256(f"{document.title}\0{content}".encode()).digest()
        work.append(_Work(document, uids[document.key], content, digest, source, files.new))
    result.problems += folder.problems if folder else ()
    return work


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
    *, actor: Actor, workspace: Workspace, batch: Sequence[_Work], stored: Mapping[uuid.UUID, Blob]
) -> int:
    workspace_lock(workspace.pk, Strength.ADD)
    actor = actor_renewed(actor)
    require(actor, Action.CREATE, workspace)
    parents = _parents(actor, workspace, batch)
    places = _Places(workspace)
    entries = []
    for item in batch:
        key = item.planned.parent
        document = document_insert(
            actor=actor,
            workspace=workspace,
            parent=parents[key] if key is not None else None,
            new=NewDocument(title=item.planned.title, content=item.content, note=_NOTE),
            position=places.next(parents[key].pk if key is not None else None),
            uid=item.uid,
        ).document
        parents[item.planned.key] = document
        entries.append(_created(actor, workspace, document))
        entries += files_attach(actor=actor, document=document, files=item.files, stored=stored)
    ImportSource.objects.bulk_create(
        ImportSource(
            workspace=workspace,
            key=item.planned.key,
            document=parents[item.planned.key],
            sha256=item.digest,
            revision=1,
        )
        for item in batch
    )
    events_record(entries)
    return len(batch)


def _created(actor: Actor, workspace: Workspace, document: Document) -> Entry:
    changes = {"title": (None, document.title), "revision": (None, 1), "state": (None, document.state)}
    target = Target("document", document.uid, document.title)
    return Entry(actor, "document.created", target, workspace.uid, changes)


def _parents(actor: Actor, workspace: Workspace, batch: Sequence[_Work]) -> dict[str, Document]:
    """The documents that stand above those of the batch and were made before it.

    Raises NotFound for one that the actor no longer sees.
    """
    made = {item.planned.key for item in batch}
    wanted = {item.planned.parent for item in batch if item.planned.parent is not None} - made
    seen = visible_to(Document.objects.filter(trashed_at__isnull=True), actor)
    found = {
        document.import_source.key: document
        for document in seen.filter(
            import_source__workspace=workspace, import_source__key__in=wanted
        ).select_related("import_source")
    }
    if wanted - found.keys():
        raise NotFound(f"The document of {min(wanted - found.keys())}, below which others go, is gone.")
    return found


class _Places:
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
