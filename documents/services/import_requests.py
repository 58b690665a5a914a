"""Imports that are asked for by the API: the upload is kept in the storage, a job reads it."""

from __future__ import annotations

import dataclasses
import enum
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from audit.services import Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.storage import storage_trouble, temporary_folder
from cloudscribe.lib.transactions import transactional
from documents.exceptions import ImportDelayed, ImportRefused, WorkspaceBusy
from documents.importing.files import SourceFolder
from documents.importing.planning import plan_documents
from documents.importing.reading import SUFFIXES, Problem, read_tree
from documents.importing.unpacking import ZIP_STARTS, ArchiveRefused, archive_unpack
from documents.models import Blob, Document, Workspace
from documents.queues import DOCUMENTS_IMPORT
from documents.selectors.visible import document_visible, workspace_visible
from documents.services.blobs import blob_content, blob_take
from documents.services.documents import creation_check
from documents.services.importing import Imported, ImportRunning, documents_import
from documents.services.locking import Strength, actor_renewed, workspace_lock

_PROBLEMS = 100


class UploadKind(enum.StrEnum):
    """What an import is made of."""

    ZIP = "zip"
    MARKDOWN = "markdown"


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """An upload in the storage: its content, what it is, and its name made harmless."""

    blob: Blob
    kind: UploadKind
    name: str


def upload_kind(file: BinaryIO, name: str) -> UploadKind | None:
    """What a seekable file is, a zip by its bytes and Markdown by its name; None for anything else."""
    file.seek(0)
    start = file.read(len(ZIP_STARTS[0]))
    file.seek(0)
    if start in ZIP_STARTS:
        return UploadKind.ZIP
    return UploadKind.MARKDOWN if name.lower().endswith(SUFFIXES) else None


@transactional
def import_request(
    *, actor: Actor, workspace: Workspace, parent: Document | None, source: Source, dry_run: bool
) -> Job:
    """Ask for the job that makes documents of an upload, at the top of the workspace or below `parent`.

    Raises Forbidden, NotFound, InvalidInput, DocumentTrashed, DocumentArchived, DocumentTooDeep,
    WorkspaceBusy, AttachmentInfected, ServiceUnavailable where the upload is gone again.
    """
    workspace_lock(workspace.pk, Strength.ADD)
    actor = actor_renewed(actor)
    creation_check(actor, workspace, document_visible(actor, parent.pk) if parent else None)
    payload = {
        "workspace": workspace.pk,
        "parent": parent.pk if parent else None,
        "blob": blob_take(source.blob.pk).pk,
        "kind": source.kind.value,
        "name": source.name,
        "dry_run": dry_run,
    }
    job = job_enqueue(actor=actor, kind=DOCUMENTS_IMPORT, payload=payload, queue="slow")
    facts = {
        "job": str(job.uid),
        "parent": str(parent.uid) if parent else None,
        "sha256": source.blob.digest,
        "size": source.blob.size,
        "dry_run": dry_run,
    }
    event_record(
        actor=actor,
        action="import.requested",
        target=Target("workspace", workspace.uid, workspace.name),
        workspace_uid=workspace.uid,
        facts=facts,
    )
    return job


def import_work(
    *, actor: Actor, payload: Mapping[str, Any], progress: Callable[[int, int], object]
) -> dict[str, Any]:
    """Do what a job of `import_request` was asked, under the rights of now; its result.

    Raises ImportRefused where nothing of it can be imported, ImportDelayed where the workspace is at work,
    and what `documents_import` raises, StorageFull and StorageUnavailable.
    """
    workspace, parent = _place(actor, payload)
    dry_run = bool(payload["dry_run"])
    with _unpacked(payload) as root:
        tree = read_tree(root)
        planned, problems = plan_documents(tree, above=parent.depth if parent else 0)
        problems = [*tree.problems, *problems]
        if not planned and not problems:
            raise ImportRefused("There is no Markdown file in it.")
        progress(0, len(planned))
        try:
            result = documents_import(
                actor=actor,
                workspace=workspace,
                planned=planned,
                parent=parent,
                folder=SourceFolder(root, most_bytes=settings.MAX_UPLOAD_BYTES),
                dry_run=dry_run,
                progress=lambda done: progress(done, len(planned)),
            )
        except (ImportRunning, WorkspaceBusy) as error:
            raise ImportDelayed from error
    return _result(result, [*problems, *result.problems], dry_run=dry_run)


def _place(actor: Actor, payload: Mapping[str, Any]) -> tuple[Workspace, Document | None]:
    """Where to, if documents may still be made there; who is granted the parent alone sees that alone."""
    if payload["parent"] is None:
        workspace, parent = workspace_visible(actor, payload["workspace"]), None
    else:
        parent = document_visible(actor, payload["parent"], "workspace")
        workspace = parent.workspace
        if workspace.pk != payload["workspace"]:
            raise NotFound
    creation_check(actor, workspace, parent)
    return workspace, parent


def _result(imported: Imported, problems: list[Problem], *, dry_run: bool) -> dict[str, Any]:
    return {
        "documents": {
            "created": imported.created,
            "updated": imported.updated,
            "unchanged": imported.unchanged,
        },
        "files": imported.files,
        "problems": [{"path": problem.path, "reason": problem.reason} for problem in problems[:_PROBLEMS]],
        "dry_run": dry_run,
    }


@contextmanager
def _unpacked(payload: Mapping[str, Any]) -> Iterator[Path]:
    """The upload as a folder of its own on the disk, gone at the end."""
    blob = Blob.objects.filter(pk=payload["blob"], removing=False).first()
    if blob is None:
        raise ImportRefused("The upload is kept no longer. Send it again.")
    with temporary_folder() as root:
        with storage_trouble(), blob_content(blob) as file:
            _unpack(file, payload, root)
        yield root


def _unpack(file: BinaryIO, payload: Mapping[str, Any], root: Path) -> None:
    if payload["kind"] == UploadKind.MARKDOWN:
        with (root / payload["name"]).open("xb") as copy:
            shutil.copyfileobj(file, copy)
        return
    try:
        archive_unpack(file, root, most_bytes=settings.IMPORT_BYTES)
    except ArchiveRefused as error:
        raise ImportRefused(str(error)) from error
