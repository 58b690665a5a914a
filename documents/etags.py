"""The entity tags of documents: `"<epoch>-<revision>.<tail>"`, strong.

The tail is a hash of everything in the answer that the revision doesn't fix. `If-Match` looks at epoch and
revision alone: a grant or a move doesn't spoil somebody's edit. Clients treat the tag as opaque.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.conditional import IfMatch
from cloudscribe.lib.errors import PreconditionFailed
from documents.models import Document

_TAG = re.compile(r'"?(\d{1,9})-(\d{1,9})\.[A-Za-z0-9_-]+"?')


@dataclasses.dataclass(frozen=True, slots=True)
class ExpectedRevision:
    """The revision that a client edited from, and the epoch in which it read it."""

    epoch: int
    revision: int


# What a tag that is none of ours names. Not an error at once: who may not write is told that first.
_NO_VERSION = ExpectedRevision(epoch=-1, revision=0)


def document_etag(epoch: int, revision: int, tail: bytes) -> str:
    """The tag, in quotes, over `tail`: the answer without what the revision fixes."""
    digest = base64.urlsafe_b64encode(hashlib.blake2b(tail, digest_size=9).digest()).decode()
    return f'"{epoch}-{revision}.{digest}"'


def parse_expected(text: str) -> ExpectedRevision | None:
    """Epoch and revision of a tag, quoted or not; None for a tag that is not of this form."""
    match = _TAG.fullmatch(text.strip())
    return ExpectedRevision(int(match[1]), int(match[2])) if match else None


def expected_revision(if_match: IfMatch | None, document: Document, epoch: int) -> ExpectedRevision | None:
    """What the client expects: of several tags the one that is current, else the first that can be read.

    None where no If-Match was sent; a version that never was where no tag is one of ours.
    """
    if if_match is None:
        return None
    read = [expected for tag in if_match.tags if (expected := parse_expected(tag)) is not None]
    current = ExpectedRevision(epoch, document.revision)
    return current if current in read else next(iter(read), _NO_VERSION)


def expected_check(expected: ExpectedRevision | None, document: Document, actor: Actor) -> None:
    """Raise PreconditionFailed where the locked document is at another revision; for what is not merged."""
    if expected is None:
        return
    epoch = actor.access_key.epoch if actor.access_key else 0
    if expected != ExpectedRevision(epoch, document.revision):
        raise PreconditionFailed(extra={"revision": document.revision})
