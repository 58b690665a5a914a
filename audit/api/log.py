"""The log that seals the trail: `audit/seals/`, `audit/checkpoint/`, proofs and the keys that verify."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from audit.api.serializers import (
    ConsistencyOutput,
    ConsistencyQuery,
    InclusionOutput,
    ProofQuery,
    SealOutput,
    VerifierKeysOutput,
)
from audit.leaves import leaf_data
from audit.models import Seal
from audit.selectors.log import epoch_now, log_keys, log_origin
from audit.selectors.tree import Tree, leaf_of, seal_newest
from audit.showing import hash_shown
from cloudscribe.lib.conditional import if_none_match, make_etag
from cloudscribe.lib.errors import FieldError, InvalidInput, NotFound
from cloudscribe.lib.permissions import HasPermission
from cloudscribe.lib.viewsets import ServiceViewSet


class SignedNote(BaseRenderer):
    """A checkpoint as it is signed."""

    media_type = "text/plain"
    format = "text"
    charset = "utf-8"

    def render(self, data: Any, *_: Any) -> bytes:
        """The text as it is."""
        return str(data).encode()


class LogViewSet(ServiceViewSet):
    """The Merkle tree over the events, and what proves that it only grows."""

    permission_classes = [HasPermission("audit.view_event")]
    queryset = Seal.objects.all()
    serializers: ClassVar = {
        "list": SealOutput,
        "proof": InclusionOutput,
        "consistency": ConsistencyOutput,
        "keys": VerifierKeysOutput,
    }
    queries: ClassVar = {"proof": ProofQuery, "consistency": ConsistencyQuery}
    scope_map: ClassVar = dict.fromkeys(("list", "checkpoint", "proof", "consistency", "keys"), "audit:read")
    problems: ClassVar = {"proof": (404, 409), "checkpoint": (404,), "consistency": (404,)}
    default_ordering = "-tree_size"
    rate_scope = "reads"
    tag = "Audit"

    def get_renderers(self) -> list[BaseRenderer]:
        """JSON, and of the checkpoint its text."""
        return [SignedNote()] if self.action == "checkpoint" else super().get_renderers()

    def list(self, request: Request) -> HttpResponseBase:
        """The seals, newest first: each batch of events with the root behind it."""
        return self.paged(Seal.objects.all())

    @extend_schema(responses={(200, "text/plain"): str})
    def checkpoint(self, request: Request) -> HttpResponseBase:
        """The newest checkpoint, signed: a C2SP signed note of a tlog-checkpoint."""
        seal = _newest()
        etag = make_etag("checkpoint", seal.note)
        if if_none_match(request, etag):
            return self._with_headers(HttpResponse(status=304), etag, None)
        answer = HttpResponse(seal.note, content_type="text/plain; charset=utf-8")
        return self._with_headers(answer, etag, None)

    def proof(self, request: Request, sequence: int) -> HttpResponseBase:
        """That an event stands in the log: its leaf's data, and the hashes from there up to a root.

        Hashes are in Base64, and the leaf is null where it lies in an archive.
        The proof is for the newest checkpoint, or for the tree of `tree_size` leaves.
        """
        (leaf, row), newest = leaf_of(sequence), _newest()
        size = self.query().get("tree_size", newest.tree_size)
        if not leaf.leaf < size <= newest.tree_size:
            raise InvalidInput.field("?tree_size", "not_in_tree", "No tree of that size holds the event.")
        tree = Tree()
        seal = newest if size == newest.tree_size else Seal.objects.filter(tree_size=size).first()
        return self.respond(
            {
                "sequence": sequence,
                "leaf_index": leaf.leaf,
                "tree_size": size,
                "leaf": leaf_data(row).decode() if row else None,
                "leaf_hash": hash_shown(leaf.hash),
                "hashes": [hash_shown(found) for found in tree.inclusion_proof(leaf.leaf, size)],
                "root": hash_shown(tree.root(size)),
                "checkpoint": seal.note if seal else None,
            }
        )

    def consistency(self, request: Request) -> HttpResponseBase:
        """That the log of `to` leaves goes on from what it was at `from`: nothing was changed or cut."""
        sizes = self.query()
        newest = _newest().tree_size
        old, new = sizes["from"], sizes.get("to", newest)
        faults = [
            FieldError(f"?{name}", "not_a_tree_size", "The log has never had that size.")
            for name, wrong in (("from", old > newest), ("to", new > newest))
            if wrong
        ]
        if not faults and old > new:
            faults = [FieldError("?from", "out_of_order", "It must not be above `to`.")]
        if faults:
            raise InvalidInput(errors=faults)
        tree = Tree()
        return self.respond(
            {
                "from": old,
                "to": new,
                "from_root": hash_shown(tree.root(old)),
                "to_root": hash_shown(tree.root(new)),
                "hashes": [hash_shown(found) for found in tree.consistency_proof(old, new)],
            }
        )

    def keys(self, request: Request) -> HttpResponseBase:
        """The keys that checkpoints verify with, the active one first; keep one of them elsewhere."""
        keys = [str(key) for key in log_keys()]
        return self.respond({"origin": log_origin(epoch_now()), "keys": keys})


def _newest() -> Seal:
    seal = seal_newest()
    if seal is None:
        raise NotFound
    return seal
