"""Writing by a share link: the body alone, merged as everybody's edits are, with the link as the author."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cloudscribe.lib.errors import DomainError, NotFound
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.etags import ExpectedRevision
from documents.exceptions import DocumentTrashed, EditConflict, OperationNotApplicable
from documents.link_secrets import LinkNames
from documents.merge.fields import BODY
from documents.models import Document
from documents.operations import Operation, operated
from documents.selectors.links import HeldLink
from documents.services.link_visits import Visitor, link_use
from documents.services.revising import Changes, Edited, Follow, document_open, document_revise

_CONFLICT_TAIL = b"conflict"


@transactional
def shared_content_write(
    *,
    held: HeldLink,
    document: Document,
    content: str | Sequence[Operation],
    expected: ExpectedRevision | None,
    merge: bool,
    visitor: Visitor | None,
    note: str = "",
) -> Edited:
    """Make `content`, in which keys stand for ids, the next revision of the body; see `document_update`.

    Or do operations to the body as the link shows it; see `document_operate`. A write outside of a visit, by
    a `visitor`, is a use of its own. Refusals tell no more than the link shows.
    """
    names = held.names
    changes: Changes = (
        {BODY: names.unmasked(content)} if isinstance(content, str) else _operating(content, names)
    )
    with _refusals_told_to_strangers(held, document):
        opened = document_open(held.actor, document)
        edited = document_revise(opened, changes, expected, merge=merge, note=names.unmasked(note))
    if visitor is not None:
        # After the document, as who revokes the link locks both in this order.
        link_use(held=held, visitor=visitor)
    return edited


def _operating(operations: Sequence[Operation], names: LinkNames) -> Follow:
    """On the text with its keys: what is found and how often would else tell of ids, letter by letter."""

    def changes(fields: Mapping[str, Any], read: Mapping[str, Any] | None) -> dict[str, Any]:
        shown = names.masked(fields[BODY])
        was = names.masked(read[BODY]) if read else None
        done = operated(shown, operations, max_bytes=limits.BODY_BYTES, read=was)
        return {BODY: names.unmasked(done)} if done != shown else {}

    return changes


@contextmanager
def _refusals_told_to_strangers(held: HeldLink, document: Document) -> Iterator[None]:
    """Take numbers, names, ids and every field but the body out of what a refusal tells."""
    try:
        yield
    except DocumentTrashed:
        raise NotFound from None
    except EditConflict as error:
        head = error.extra["current"]["revision"]
        etag = held.names.etag(document.uid, held.epoch, head, _CONFLICT_TAIL)
        raise EditConflict(extra=_conflict(error.extra, held.names, etag), headers={"ETag": etag}) from None
    except OperationNotApplicable:
        raise
    except DomainError as error:
        plain = type(error).detail or type(error).title + "."
        error.message, error.extra = plain, {}
        raise


def _conflict(extra: Mapping[str, Any], names: LinkNames, etag: str) -> dict[str, Any]:
    """The sides of the body and where they meet, enough to build the resolved text."""
    sides = {side: {BODY: names.masked(extra[side][BODY])} for side in ("base", "yours", "current", "merged")}
    sides["current"]["etag"] = etag
    return {
        **sides,
        "conflicts": [_masked(conflict, names) for conflict in extra["conflicts"]],
    }


def _masked(value: Any, names: LinkNames) -> Any:
    if isinstance(value, str):
        return names.masked(value)
    if isinstance(value, Mapping):
        return {name: _masked(inner, names) for name, inner in value.items()}
    return [_masked(inner, names) for inner in value] if isinstance(value, list) else value
