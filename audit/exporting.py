"""The trail as a file: NDJSON that can be verified without us, or CSV that opens in a spreadsheet."""

from __future__ import annotations

import csv
import enum
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from audit.leaves import leaf_data
from audit.models import Event, EventLeaf, Seal
from audit.selectors.events import events_found
from audit.selectors.log import log_keys
from audit.selectors.tree import Tree, event_rows, seal_newest
from audit.showing import event_shown, hash_shown
from cloudscribe.lib.renderers import dump_json

_BATCH = 500
# What a spreadsheet would take for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    *("sequence", "at", "action", "actor_kind", "actor_id", "actor_name", "credential_kind", "credential_id"),
    *("address", "request_id", "target_type", "target_id", "target_name", "workspace", "changes", "reason"),
    *("facts", "count", "erased"),
)

Progress = Callable[[int, int | None], None]


class ExportFormat(enum.StrEnum):
    """How an export is written."""

    CSV = "csv"
    NDJSON = "ndjson"


MEDIA_TYPES = {ExportFormat.CSV: "text/csv", ExportFormat.NDJSON: "application/x-ndjson"}


def events_write(sink: BinaryIO, form: ExportFormat, filters: Mapping[str, Any], progress: Progress) -> int:
    """Write the events that match, oldest first; how many. Each batch is read on its own, by number."""
    lines = _csv_lines(filters) if form is ExportFormat.CSV else _ndjson_lines(filters)
    written = -1  # both begin with a line of their own
    for line in lines:
        sink.write(line)
        written += 1
        if written % _BATCH == 0:
            progress(written, None)
    return written


def _batches(filters: Mapping[str, Any]) -> Iterator[list[Event]]:
    last = 0
    # Whoever writes while this reads must not make it endless.
    newest = events_found(**filters).order_by("-sequence").values_list("sequence", flat=True).first() or 0
    while True:
        rows = events_found(**filters).filter(sequence__gt=last, sequence__lte=newest)
        batch = list(rows.order_by("sequence")[:_BATCH])
        if not batch:
            return
        yield batch
        last = batch[-1].sequence


def _csv_lines(filters: Mapping[str, Any]) -> Iterator[bytes]:
    yield _csv_line(_COLUMNS)
    for batch in _batches(filters):
        for event in batch:
            yield _csv_line(_cells(event_shown(event)))


def _cells(shown: Mapping[str, Any]) -> list[str]:
    actor, credential, target = shown["actor"] or {}, shown["credential"] or {}, shown["target"]
    values = [
        *(shown["sequence"], shown["at"].isoformat(), shown["action"]),
        *(actor.get("kind"), actor.get("id"), actor.get("name")),
        *(credential.get("kind"), credential.get("id"), shown["address"], shown["request_id"]),
        *(target["type"], target["id"], target["name"], shown["workspace"]),
        *(dump_json(shown["changes"]).decode(), shown["reason"], dump_json(shown["facts"]).decode()),
        *(shown["count"], str(shown["erased"]).lower()),
    ]
    return ["" if value is None else _neutral(str(value)) for value in values]


def _neutral(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _csv_line(cells: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _ndjson_lines(filters: Mapping[str, Any]) -> Iterator[bytes]:
    """A line about the log, then one for each event with what proves that it stands in it."""
    seal = seal_newest()
    yield ndjson_head(seal)
    tree = Tree()
    for batch in _batches(filters):
        yield from ndjson_lines(batch, tree, seal)


def ndjson_head(seal: Seal | None) -> bytes:
    """The first line: the checkpoint that the proofs lead to, and the keys that it verifies with."""
    keys = [str(key) for key in log_keys()]
    return dump_json({"checkpoint": seal.note if seal else None, "keys": keys}) + b"\n"


def ndjson_lines(batch: Sequence[Event], tree: Tree, seal: Seal | None) -> Iterator[bytes]:
    """A line for each event, in their order: itself, its leaf, its detail, and its proof for that seal."""
    numbers = [event.sequence for event in batch]
    rows = event_rows(numbers)
    sealed = EventLeaf.objects.filter(sequence__in=numbers, leaf__lt=seal.tree_size if seal else 0)
    leaves = dict(sealed.values_list("sequence", "leaf"))
    for event in batch:
        proof = _proof(tree, leaves.get(event.sequence), seal)
        data = leaf_data(rows[event.sequence]).decode()
        yield dump_json({"event": event_shown(event), "leaf": data, **_detail(event), **proof}) + b"\n"


def _detail(event: Event) -> dict[str, Any]:
    detail = getattr(event, "detail", None)
    return {"detail": detail and {"salt": bytes(detail.salt).hex(), "body": detail.body}}


def _proof(tree: Tree, leaf: int | None, seal: Seal | None) -> dict[str, Any]:
    """Nulls for an event that is younger than the checkpoint."""
    if seal is None or leaf is None:
        return {"leaf_index": None, "hashes": None}
    hashes = [hash_shown(found) for found in tree.inclusion_proof(leaf, seal.tree_size)]
    return {"leaf_index": leaf, "hashes": hashes}
