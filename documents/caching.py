"""What of documents is cached, under which key and how long: the only importer of the cache in this app."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import threading
import uuid
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, TypeVar

from cachetools import LRUCache, TTLCache
from django.db import connection

from cloudscribe.lib.actor import AccessKey, Actor, CredentialKind
from cloudscribe.lib.caching import CacheAside, StampedCache, TimedRefresh, WriteBehind
from cloudscribe.lib.stamped_rows import StampedRows
from documents.access_map import AccessMap, Entries
from documents.blaming import Blame, Run
from documents.models import Workspace
from documents.rendering import RENDERER_VERSION, Rendered, TooBusyToRender, longest_wait, render_bounded

V = TypeVar("V")
Question = tuple[str, dict[str, Any]]

# The map's form, a part of the key: processes of two releases never read each other's bits.
_ACCESS_FORM = 1
_ACCESS_LIFETIME = 3_600.0
_ACCESS_ENTRIES = 5_000


def _dump(access: AccessMap) -> Any:
    return [[target, *grant] for target, grants in access.entries.items() for grant in grants]


def _check(stored: Any) -> AccessMap:
    entries: Entries = {}
    for target, bits, expires in stored:
        if (
            not isinstance(target, int)
            or not isinstance(bits, int)
            or not isinstance(expires, int | float | None)
        ):
            raise TypeError("not an access map")
        entries.setdefault(target, []).append((bits, expires))
    return AccessMap(entries)


_access_maps: StampedCache[AccessMap] = StampedCache(
    "access", lifetime=_ACCESS_LIFETIME, size=_ACCESS_ENTRIES, dump=_dump, check=_check
)


def access_key_of(user_pk: int, key: AccessKey) -> tuple[Hashable, ...]:
    """The stamps stay apart and are never added up: 5 + 1 and 6 + 0 are not the same rights."""
    return (_ACCESS_FORM, user_pk, key.user_stamp, key.group_stamps, key.epoch)


def _under_rights(cache: StampedCache[V], user_pk: int, key: AccessKey, load: Callable[[], V]) -> V:
    """What stands under a person's rights, loaded by `load` where no cache has it.

    Stamps that aren't settled stand for the rights of one transaction alone: neither kept nor looked up.
    """
    return cache.get(access_key_of(user_pk, key), load) if key.settled else load()


def access_map(user_pk: int, key: AccessKey, load: Callable[[], AccessMap]) -> AccessMap:
    """What a person was granted as of these stamps."""
    return _under_rights(_access_maps, user_pk, key, load)


def _estimates(name: str, kind: type[V], *, lifetime: float) -> StampedCache[V]:
    """Numbers that only choose among the ways to the same answer."""

    def check(stored: Any) -> V:
        if not isinstance(stored, kind):
            raise TypeError(f"not a number of the cache {name}")
        return stored

    return StampedCache(
        name, lifetime=lifetime, size=_ACCESS_ENTRIES, dump=lambda number: number, check=check
    )


# The one may be as old as the counts that it is made of; what is imported within a minute makes no way slow.
_shares = _estimates("share", float, lifetime=300.0)
_counts_seen = _estimates("seen", int, lifetime=60.0)


def visible_share(user_pk: int, key: AccessKey, load: Callable[[], float]) -> float:
    """About which part of all documents the person sees, 0 to 1."""
    return _under_rights(_shares, user_pk, key, load)


def visible_about(user_pk: int, key: AccessKey, load: Callable[[], int]) -> int:
    """About how many documents the person sees."""
    return _under_rights(_counts_seen, user_pk, key, load)


# Who has walked through the newest in vain, and where: whoever sees none of them walks on only after a while.
_vain_walks: TTLCache[Hashable, bool] = TTLCache(maxsize=_ACCESS_ENTRIES, ttl=60.0)
_vain_lock = threading.Lock()


def walk_is_vain(actor: Actor, room: int | None) -> bool:
    """Whether the newest documents, in a workspace or of all, have just filled no page for this actor."""
    with _vain_lock:
        return (actor.pk, actor.access_key, actor.limit, room) in _vain_walks


def walk_was_vain(actor: Actor, room: int | None) -> None:
    """Remember that they filled none, as far as a list walks."""
    with _vain_lock:
        _vain_walks[actor.pk, actor.access_key, actor.limit, room] = True


# Which key stands behind a workspace's id never changes, so there is nothing to invalidate.
_workspace_keys: LRUCache[uuid.UUID, int] = LRUCache(maxsize=_ACCESS_ENTRIES)
_workspace_lock = threading.Lock()


def workspace_key(uid: uuid.UUID, load: Callable[[], int | None]) -> int | None:
    """The key of a workspace, None where there is none of that id."""
    with _workspace_lock:
        key = _workspace_keys.get(uid)
    if key is None:
        key = load()
        if key is not None:
            with _workspace_lock:
                _workspace_keys[uid] = key
    return key


# Which id a workspace's key stands for changes with a restored database alone, and so does the stamp then.
_workspace_ids: StampedRows[str] = StampedRows(size=_ACCESS_ENTRIES)


def workspace_ids(
    stamp: int | None, keys: Collection[int], load: Callable[[Collection[int]], Mapping[int, str]]
) -> Mapping[int, str]:
    """The ids of workspaces by their keys, as text."""
    return _workspace_ids.get(stamp, keys, load)


# What somebody asked the last time, for what is asked in the same words again: the rights among its values
# are those of then, and nothing of the answer is here.
_questions: LRUCache[Hashable, Question] = LRUCache(maxsize=1_000)
_questions_lock = threading.Lock()


def question_last(asker: Hashable) -> Question | None:
    """The statement and the values that `asker` (who, and by which words) led to before."""
    with _questions_lock:
        return _questions.get(asker)


def question_keep(asker: Hashable, question: Question) -> None:
    """Remember what `asker` led to."""
    with _questions_lock:
        _questions[asker] = question


def question_forget(asker: Hashable) -> None:
    """Remember nothing of `asker`."""
    with _questions_lock:
        _questions.pop(asker, None)


def _check_rendered(stored: Any) -> Rendered:
    rendered = Rendered(**stored)
    if not isinstance(rendered.html, str) or not isinstance(rendered.toc, list):
        raise TypeError("not a rendering")
    return rendered


# The key is the content, so nothing is ever dropped.
_renderings: CacheAside[Rendered] = CacheAside(
    "html",
    lifetime=7 * 86_400.0,
    dump=dataclasses.asdict,
    check=_check_rendered,
    failure=TooBusyToRender,
)


def rendering(sha256: bytes, text: str) -> Rendered:
    """The HTML of a body by its hash, rendered once for all who ask at the same time.

    Raises ServiceUnavailable; where the machine had no time for it, for all who ask in the next ten seconds.
    """
    # Whoever waits does so for longer than whoever renders.
    key = (RENDERER_VERSION, sha256.hex())
    return _renderings.get(key, lambda: render_bounded(text), patience=longest_wait(text))


# The blame's form, a part of the key, as that of access maps.
_BLAME_FORM = 1
# So many revisions back one is looked for that the walk may end at.
_BLAMES_BACK = 100


def _dump_blame(blame: Blame) -> Any:
    runs = [[run.count, run.revision, run.place] for run in blame.runs]
    return [blame.number, blame.oldest, blame.is_ended, list(blame.gaps), runs]


def _check_blame(stored: Any) -> Blame:
    number, oldest, is_ended, gaps, runs = stored
    if not all(isinstance(value, int) for value in (number, oldest, *gaps, *itertools.chain(*runs))):
        raise TypeError("not a blame")
    return Blame(number, oldest, bool(is_ended), tuple(gaps), tuple(Run(*run) for run in runs))


# Revisions never change, so neither does who wrote their lines; a restored database is another epoch.
_blames: CacheAside[Blame] = CacheAside(
    "blame", lifetime=7 * 86_400.0, dump=_dump_blame, check=_check_blame, patience=5.0
)


def blame(document: uuid.UUID, number: int, actor: Actor, trace: Callable[[Blame | None], Blame]) -> Blame:
    """Who wrote the lines of a revision, which the actor was found to see.

    `trace` works it out from a blame of the same revision that hasn't come to its end, from one of an earlier
    revision, or from none. Where it doesn't come to its end it goes on when it is asked for again.
    """
    epoch = actor.access_key.epoch if actor.access_key else 0
    made: list[Blame] = []

    def key(of: int) -> tuple[Hashable, ...]:
        return (_BLAME_FORM, epoch, document, of)

    def build() -> Blame:
        earlier = range(number - 1, max(0, number - 1 - _BLAMES_BACK), -1)
        made.append(trace(_blames.nearest([key(of) for of in earlier])))
        return made[0]

    found = _blames.get(key(number), build)
    if not found.is_ended and not made:
        found = trace(found)
        _blames.put(key(number), found)
    return found


def _load_audited() -> frozenset[str]:
    return frozenset(map(str, Workspace.objects.filter(reads_audited=True).values_list("uid", flat=True)))


# The ids of the workspaces whose reads are put on the record: few, and asked by every read.
audited_rooms: TimedRefresh[frozenset[str]] = TimedRefresh("documents.audited_rooms", _load_audited)

_OPENED_SQL = """
INSERT INTO documents_recentview AS r (user_id, document_id, seen_at)
SELECT o.reader, d.id, o.at
FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[]) AS o(reader, uid, at)
JOIN documents_document d ON d.uid = o.uid JOIN accounts_user u ON u.id = o.reader
ORDER BY o.reader, d.id FOR KEY SHARE OF d
ON CONFLICT (user_id, document_id) DO UPDATE SET seen_at = greatest(r.seen_at, excluded.seen_at)
"""


def _write_opened(opened: dict[tuple[int, str], dt.datetime]) -> None:
    keys = list(opened)
    with connection.cursor() as cursor:
        cursor.execute(
            _OPENED_SQL, [[pk for pk, _ in keys], [uid for _, uid in keys], [opened[key] for key in keys]]
        )


_opened: WriteBehind[tuple[int, str], dt.datetime] = WriteBehind("recent_documents", _write_opened, merge=max)


def document_opened(actor: Actor, uid: uuid.UUID | str) -> None:
    """Note that a person opened a document; what programs read by tokens is none of the person's history.

    At most ten seconds of that are lost with a process.
    """
    if actor.pk is not None and actor.credential_kind is CredentialKind.SESSION:
        _opened.add((actor.pk, str(uid)), actor.now)
