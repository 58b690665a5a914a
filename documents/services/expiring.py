"""Old bodies go as a workspace's policy says: payloads alone, and nothing that others need."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import structlog

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.exceptions import WorkspaceBusy
from documents.expiring import Plan, plan_of
from documents.models import Document, DocumentBody, Revision, RevisionPayload
from documents.payloads import Payload, PayloadDamaged, payload_against, payload_alone
from documents.selectors.editing import document_locked
from documents.selectors.holds import document_is_held
from documents.selectors.retention import documents_expiring, payloads_stored
from documents.selectors.revisions import revision_snapshot
from documents.services.locking import Strength, workspace_lock

log = structlog.get_logger(__name__)

# What one transaction does at most: it holds up edits of the document and what adds to its workspace.
_MOST = 1_000
_MOST_REPACKED = 20
_DOCUMENTS = 200
_UNBOUND = 2**31


@dataclasses.dataclass(slots=True)
class Expired:
    """How many bodies went, of how many documents."""

    revisions: int = 0
    documents: int = 0


def revisions_expire(*, actor: Actor, progress: Callable[[int], None]) -> Expired:
    """Remove what every workspace keeps no longer, each piece in a transaction of its own.

    What a job has reserved, a hold keeps or can't be rebuilt is left for another time.
    """
    total = Expired()
    for pk in _candidates(actor):
        try:
            gone = _document(actor, pk)
        except (NotFound, WorkspaceBusy):
            continue
        except PayloadDamaged:
            log.exception("revision_payload_damaged", document=pk)
            continue
        total.revisions += gone
        total.documents += gone > 0
        progress(total.revisions)
    return total


def revisions_expiring(*, actor: Actor) -> Expired:
    """What `revisions_expire` would remove by now, counted without a lock."""
    total = Expired()
    for pk in _candidates(actor):
        document = Document.objects.filter(pk=pk).first()
        if document is None or document_is_held(document):
            continue
        gone = len(_plan(actor, document, _UNBOUND).removed)
        total.revisions += gone
        total.documents += gone > 0
    return total


def _candidates(actor: Actor) -> Iterator[int]:
    after = 0
    while found := documents_expiring(actor.now, after, _DOCUMENTS):
        yield from found
        after = found[-1]


def _document(actor: Actor, pk: int) -> int:
    gone = 0
    while True:
        plan = document_revisions_expire(actor=actor, document_pk=pk)
        gone += len(plan.removed)
        if plan.is_whole:
            return gone


@transactional
def document_revisions_expire(*, actor: Actor, document_pk: int) -> Plan:
    """Remove some of the bodies of a document that its workspace keeps no longer; what was done.

    Never the newest, a named one, or one that a snapshot holds; nothing at all under a legal hold. It is the
    workspace's own rule that acts, so nobody's rights are asked. Raises NotFound, WorkspaceBusy,
    PayloadDamaged.
    """
    room = Document.objects.filter(pk=document_pk).values_list("workspace_id", flat=True).first()
    if room is None:
        raise NotFound
    # Who places a hold or makes a snapshot waits for this lock: they are seen, or find what was left.
    workspace_lock(room, Strength.REWRITE)
    document, body = document_locked(document_pk)
    if document.workspace_id != room or document_is_held(document):
        return Plan([], {}, is_whole=True)
    plan = _plan(actor, document, _MOST, _MOST_REPACKED)
    if plan.removed:
        _replace(document, plan, _repacked(document, body, plan))
        _record(actor, document, plan)
    return plan


def _plan(actor: Actor, document: Document, most: int, most_repacked: int = _UNBOUND) -> Plan:
    stored = payloads_stored(document.pk, actor.now)
    return plan_of(stored, document.revision, most=most, most_repacked=most_repacked)


def _repacked(document: Document, body: DocumentBody, plan: Plan) -> list[Payload]:
    payloads = []
    for number, base in plan.repacked.items():
        content = revision_snapshot(document.pk, number).content
        if base is None:
            payloads.append(payload_alone(number, content))
        else:
            newer = (
                body.content if base == document.revision else revision_snapshot(document.pk, base).content
            )
            payloads.append(payload_against(number, content, base, newer))
    return payloads


def _replace(document: Document, plan: Plan, repacked: list[Payload]) -> None:
    numbers = [*plan.removed, *plan.repacked]
    rows = Revision.objects.filter(document=document, number__in=numbers)
    keys = dict(rows.values_list("number", "pk"))
    RevisionPayload.objects.filter(revision__in=keys.values()).delete()
    RevisionPayload.objects.bulk_create(
        RevisionPayload(revision_id=keys[new.number], base_number=new.base_number, payload=new.data)
        for new in repacked
    )


def _record(actor: Actor, document: Document, plan: Plan) -> None:
    event_record(
        actor=actor,
        action="revision.expired",
        target=Target("document", document.uid, document.title),
        workspace_uid=document.workspace.uid,
        facts={"revisions": len(plan.removed), "first": plan.removed[0], "last": plan.removed[-1]},
    )
