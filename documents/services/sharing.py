"""Writing by a share link: the body alone, merged as everybody's edits are, with the link as the author."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cloudscribe.lib.errors import DomainError, NotFound
from cloudscribe.lib.transactions import transactional
from documents.etags import ExpectedRevision
from documents.exceptions import DocumentTrashed, EditConflict
from documents.link_secrets import LinkNames
from documents.merge.fields import BODY
from documents.models import Document
from documents.selectors.links import HeldLink
from documents.services.link_visits import Visitor, link_use
from documents.services.revising import Edited, document_open, document_revise

_CONFLICT_TAIL = b"conflict"


@transactional
def shared_content_write(
    *,
    held: HeldLink,
    document: Document,
    content: str,
    expected: ExpectedRevision | None,
    merge: bool,
    visitor: Visitor | None,
) -> Edited:
    """Make `content`, in which keys stand for ids, the next revision of the body; see `document_update`.

    A write outside of a visit, by a `visitor`, is a use of its own. Refusals tell no more than the link
    shows.
    """
    with _refusals_told_to_strangers(held, document):
        opened = document_open(held.actor, document)
        changes = {BODY: held.names.unmasked(content)}
        edited = document_revise(opened, changes, expected, merge=merge, note="")
    if visitor is not None:
        # After the document, as who revokes the link locks both in this order.
        link_use(held=held, visitor=visitor)
    return edited


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
