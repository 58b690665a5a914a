"""Creating once, however often the request arrives (draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from rest_framework.request import Request
from rest_framework.response import Response

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotAuthenticated, NotFound
from cloudscribe.lib.gate import UPLOADS
from cloudscribe.lib.renderers import ORJSONRenderer, dump_json
from cloudscribe.lib.transactions import transactional
from security.exceptions import IdempotencyKeyBusy, IdempotencyKeyReused, InvalidIdempotencyKey
from security.models import IdempotencyKey

LIFETIME = dt.timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")
_KEPT_HEADERS = ("Content-Type", "ETag", "Location")
_CREATED = frozenset({HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
_NONCE_BYTES = 12

Handler = Callable[[], HttpResponseBase]


@dataclasses.dataclass(frozen=True, slots=True)
class _Claim:
    """One request under one key."""

    key: str = dataclasses.field(repr=False)
    key_hash: bytes
    request_hash: bytes
    actor_uid: Any
    route: str

    def cipher(self) -> AESGCM:
        """The cipher of the kept body; its key comes from the client's, which the database doesn't hold."""
        derive = HKDF(hashes.SHA256(), length=32, salt=self.key_hash, info=b"idempotency-body")
        return AESGCM(derive.derive(self.key.encode()))


class IdempotencyGuard:
    """Runs a creating handler at most once per (actor, key); see `run`."""

    def run(self, request: Request, actor: Actor, route: str, handler: Handler) -> HttpResponseBase:
        """The handler's answer, or the kept one of the first request with this key.

        Raises InvalidIdempotencyKey, IdempotencyKeyBusy (the first is still at work), IdempotencyKeyReused
        (for another body) and NotFound where the first answer's object is hidden from the actor now. A
        refused creation leaves nothing behind, so the key can be used again.
        """
        claim = _claim(request, actor, route)
        kept, response = _answer(claim=claim, handler=handler)
        if kept is None:
            return response
        if kept.request_hash != claim.request_hash:
            raise IdempotencyKeyReused
        _refuse_hidden(request, kept.headers.get("Location"))
        return _replay(claim, kept)


def answer_is_kept(request: Request, actor: Actor) -> bool:
    """Whether the guard has an answer under the request's key already, so that no handler will run.

    For what is costly to prepare before the guard; whether the answer is to the same request it looks itself.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return False
    return IdempotencyKey.objects.filter(key_hash=_key_hash(actor, key), expires_at__gt=Now()).exists()


def _key_hash(actor: Actor, key: str) -> bytes:
    return hashlib.sha256(f"{actor.uid}\0{key}".encode()).digest()


def _claim(request: Request, actor: Actor, route: str) -> _Claim:
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if not _KEY.fullmatch(key):
        raise InvalidIdempotencyKey
    if actor.uid is None:
        raise NotAuthenticated
    # `request.data` is read and checked here, before any transaction opens.
    body = orjson.dumps(_hashable(request.data), option=orjson.OPT_SORT_KEYS)
    asked = b"\0".join([request.get_full_path().encode(), _kind(str(request.content_type)).encode(), body])
    return _Claim(key, _key_hash(actor, key), hashlib.sha256(asked).digest(), actor.uid, route)


def _kind(content_type: str) -> str:
    """The body's type; that of a form without its boundary, which clients make up anew each time."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind if kind == UPLOADS else content_type


def _hashable(data: Any) -> Any:
    """The parsed body as JSON; of an upload its name, size and content's hash."""
    if hasattr(data, "lists"):
        return {name: [_hashable(item) for item in items] for name, items in data.lists()}
    if hasattr(data, "chunks"):
        digest = hashlib.sha256()
        for chunk in data.chunks():
            digest.update(chunk)
        data.seek(0)
        return [data.name, data.size, digest.hexdigest()]
    return data


@transactional
def _answer(*, claim: _Claim, handler: Handler) -> tuple[IdempotencyKey | None, HttpResponseBase]:
    """The kept answer, or a fresh one that is kept by the same transaction as what it created."""
    with connection.cursor() as cursor:
        number = int.from_bytes(claim.key_hash[:8], signed=True)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise IdempotencyKeyBusy
    kept = IdempotencyKey.objects.filter(key_hash=claim.key_hash, expires_at__gt=Now()).first()
    if kept is not None:
        kept.request_hash = bytes(kept.request_hash)
        return kept, HttpResponse()
    response = handler()
    if response.status_code in _CREATED:
        _keep(claim, response)
    return None, response


def _keep(claim: _Claim, response: HttpResponseBase) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    if isinstance(response, Response):
        # Not rendered yet: its Content-Type is still Django's default.
        headers["Content-Type"] = ORJSONRenderer.media_type
        body = b"" if response.data is None else dump_json(response.data)
    else:
        body = getattr(response, "content", b"")
    nonce = secrets.token_bytes(_NONCE_BYTES)
    IdempotencyKey.objects.filter(key_hash=claim.key_hash).delete()  # one whose day is over
    IdempotencyKey.objects.create(
        key_hash=claim.key_hash,
        actor_uid=claim.actor_uid,
        route=claim.route[:200],
        request_hash=claim.request_hash,
        status=response.status_code,
        headers=headers,
        body=nonce + claim.cipher().encrypt(nonce, body, claim.request_hash),
        expires_at=Now() + LIFETIME,
    )


def _replay(claim: _Claim, kept: IdempotencyKey) -> HttpResponse:
    sealed = bytes(kept.body)
    body = claim.cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], claim.request_hash)
    return HttpResponse(body, status=kept.status, headers={**kept.headers, "Idempotency-Replayed": "true"})


def _refuse_hidden(request: Request, location: str | None) -> None:
    """Raise NotFound where the created object can't be read by the actor any more: a GET of it decides."""
    if not location:
        return
    path = urlsplit(location).path
    try:
        match = resolve(path)
    except Resolver404:
        return
    probe = copy.copy(request._request)  # noqa: SLF001 (a GET with the same credentials)
    probe.method = "GET"
    probe.path = probe.path_info = path
    probe.META = {
        name: value
        for name, value in request.META.items()
        if name not in {"CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_IF_NONE_MATCH", "QUERY_STRING"}
    }
    probe.GET = HttpRequest().GET
    answer = match.func(probe, *match.args, **match.kwargs)
    if answer.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.FORBIDDEN}:
        raise NotFound
