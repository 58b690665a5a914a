"""The secrets of share links, and the names under which a link shows what it shares. Pure: no query.

Whoever holds a link learns no id, so documents and files get keys that mean something within that link alone.
A key is the id encrypted by AES-SIV (RFC 5297) under a key made from the link's secret: the same each time,
readable for nobody without the secret, and nothing has to be stored or searched for it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import uuid
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from cloudscribe.lib.conditional import IfMatch
from documents.addresses import SHORT_ID, document_named, short_id
from documents.etags import ExpectedRevision

PREFIX = "csl_"
KEY_LENGTH = 43
_BYTES = 32
_FORM = re.compile(r"csl_[A-Za-z0-9_-]{43}", re.ASCII)
_KEY = re.compile(rf"[A-Za-z0-9_-]{{{KEY_LENGTH}}}", re.ASCII)
# Where a text names a document or a file by its id: `cs://<id>`, `documents/<id>`, `attachments/<id>`.
_NAMES = r"(?P<kind>(?i:cs://|documents/|attachments/))"
_ID = re.compile(_NAMES + r"(?P<id>(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))(?![\w-])", re.ASCII)
_KEYED = re.compile(_NAMES + rf"(?P<key>[A-Za-z0-9_-]{{{KEY_LENGTH}}})(?![\w-])", re.ASCII)
# The addresses that people pass on, `/d/{slug}-{short id}`, hold the id in other digits.
_SHORT = re.compile(rf"(/d/(?:[a-z0-9-]*-)?)({SHORT_ID})(?![\w-])", re.ASCII)
_SHORT_KEYED = re.compile(rf"(/d/(?:[a-z0-9-]*?-)??)([A-Za-z0-9_-]{{{KEY_LENGTH}}})(?![\w-])", re.ASCII)
_COMMENT, _DOCUMENT, _FILE, _TAG, _THREAD = b"comment", b"document", b"file", b"tag", b"thread"


def link_secret_make() -> str:
    """A fresh secret of 256 random bits, to be shown once."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def link_secret_hash(secret: str) -> bytes | None:
    """What is stored of a secret, None for what can't be one.

    Plain SHA-256: there is nothing to guess in 256 random bits, so a slow hash would protect nothing.
    """
    return hashlib.sha256(secret.encode()).digest() if _FORM.fullmatch(secret) else None


class Masked(NamedTuple):
    """A text as a link shows it, and each id that it names: where it stands, and where its key does."""

    text: str
    spans: list[tuple[int, int, int, int]]

    def real(self, start: int, end: int) -> tuple[int, int]:
        """A stretch of the shown text in the true one; a key that it cuts through is taken whole."""
        low, high, shift_low, shift_high = start, end, 0, 0
        for at, stop, key_at, key_stop in self.spans:
            if key_at < start < key_stop:
                low, shift_low = key_at, at - key_at
            elif key_stop <= start:
                shift_low = stop - key_stop
            if key_at < end < key_stop:
                high, shift_high = key_stop, stop - key_stop
            elif key_stop <= end:
                shift_high = stop - key_stop
        return low + shift_low, high + shift_high


class LinkNames:
    """What one link calls documents, files and revisions."""

    def __init__(self, secret: str) -> None:
        """`secret` is the link's."""
        key = hmac.digest(secret.encode(), b"what a share link calls things", "sha256")
        self._cipher = AESSIV(key)

    def document_key(self, uid: uuid.UUID) -> str:
        """The key of a document."""
        return self._sealed(uid.bytes, _DOCUMENT)

    def file_key(self, uid: uuid.UUID) -> str:
        """The key of an attachment."""
        return self._sealed(uid.bytes, _FILE)

    def thread_key(self, uid: uuid.UUID) -> str:
        """The key of a thread."""
        return self._sealed(uid.bytes, _THREAD)

    def comment_key(self, uid: uuid.UUID) -> str:
        """The key of a comment."""
        return self._sealed(uid.bytes, _COMMENT)

    def thread_uid(self, key: str) -> uuid.UUID | None:
        """The thread of a key, None for what is no key of this link."""
        return self._uid(key, _THREAD)

    def document_uid(self, key: str) -> uuid.UUID | None:
        """The document of a key, None for what is no key of this link."""
        return self._uid(key, _DOCUMENT)

    def file_uid(self, key: str) -> uuid.UUID | None:
        """The attachment of a key, None for what is no key of this link."""
        return self._uid(key, _FILE)

    def masked(self, text: str) -> str:
        """The text with keys in place of the ids of documents and attachments that it names."""
        text = _SHORT.sub(self._mask_short, text)
        return _ID.sub(self._mask, text)

    def masked_whole(self, text: str) -> Masked:
        """As `masked`, with where everything stands."""
        pieces: list[str] = []
        spans: list[tuple[int, int, int, int]] = []
        at = length = 0
        for start, end, key in self._ids(text):
            pieces += [text[at:start], key]
            length += start - at
            spans.append((start, end, length, length + len(key)))
            at, length = end, length + len(key)
        return Masked("".join([*pieces, text[at:]]), spans)

    def masked_part(self, text: str, start: int, end: int) -> str:
        """A part of a text, masked; an id that is cut off at its end or beginning is left out."""
        pieces: list[str] = []
        at = start
        for first, last, key in self._ids(text):
            if last <= start or first >= end:
                continue
            pieces.append(text[at : max(at, first)])
            if start <= first and last <= end:
                pieces.append(key)
            at = last
        return "".join([*pieces, text[at:end]])

    def unmasked(self, text: str) -> str:
        """The inverse of `masked`; what is no key of this link stays."""
        text = _SHORT_KEYED.sub(self._unmask_short, text)
        return _KEYED.sub(self._unmask, text)

    def etag(self, uid: uuid.UUID, epoch: int, revision: int, tail: bytes) -> str:
        """The entity tag, in quotes, of a document's revision; how many there were is not told."""
        digest = base64.urlsafe_b64encode(hashlib.blake2b(tail, digest_size=9).digest()).decode()
        state = epoch.to_bytes(8) + revision.to_bytes(8)
        return f'"{self._sealed(state, _TAG + uid.bytes)}.{digest}"'

    def expected(self, uid: uuid.UUID, tag: str) -> ExpectedRevision | None:
        """Epoch and revision of a tag, None for one that isn't this link's for this document."""
        state = self._opened(tag.strip('"').partition(".")[0], _TAG + uid.bytes)
        if state is None:
            return None
        return ExpectedRevision(int.from_bytes(state[:8]), int.from_bytes(state[8:]))

    def known_tags(self, uid: uuid.UUID, if_match: IfMatch | None) -> IfMatch | None:
        """If-Match with this link's tags alone, in the form of the signed-in routes.

        Those of other makes are left out: by them the number of revisions could be guessed.
        """
        if if_match is None:
            return None
        read = [self.expected(uid, tag) for tag in if_match.tags]
        return IfMatch(tuple(f"{own.epoch}-{own.revision}.link" for own in read if own))

    def _ids(self, text: str) -> list[tuple[int, int, str]]:
        """Where ids stand that `masked` takes out, and their keys, in order."""
        found = [
            (match.start(2), match.end(2), self.document_key(uid))
            for match in _SHORT.finditer(text)
            if (uid := document_named(match[2])) is not None
        ]
        for match in _ID.finditer(text):
            name = self.file_key if _names_file(match) else self.document_key
            found.append((match.start("id"), match.end("id"), name(uuid.UUID(match["id"]))))
        apart: list[tuple[int, int, str]] = []
        for span in sorted(found):
            if not apart or span[0] >= apart[-1][1]:
                apart.append(span)
        return apart

    def _mask(self, found: re.Match[str]) -> str:
        name = self.file_key if _names_file(found) else self.document_key
        return found["kind"] + name(uuid.UUID(found["id"]))

    def _unmask(self, found: re.Match[str]) -> str:
        opened = self.file_uid if _names_file(found) else self.document_uid
        uid = opened(found["key"])
        return found[0] if uid is None else f"{found['kind']}{uid}"

    def _mask_short(self, found: re.Match[str]) -> str:
        uid = document_named(found[2])
        return found[0] if uid is None else found[1] + self.document_key(uid)

    def _unmask_short(self, found: re.Match[str]) -> str:
        uid = self.document_uid(found[2])
        return found[0] if uid is None else found[1] + short_id(uid)

    def _uid(self, key: str, purpose: bytes) -> uuid.UUID | None:
        opened = self._opened(key, purpose)
        return uuid.UUID(bytes=opened) if opened else None

    def _sealed(self, data: bytes, purpose: bytes) -> str:
        sealed = self._cipher.encrypt(data, [purpose])
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def _opened(self, key: str, purpose: bytes) -> bytes | None:
        if not _KEY.fullmatch(key):
            return None
        try:
            return self._cipher.decrypt(base64.urlsafe_b64decode(key + "="), [purpose])
        except (InvalidTag, binascii.Error, ValueError):
            return None


def _names_file(found: re.Match[str]) -> bool:
    return found["kind"].lower() == "attachments/"
