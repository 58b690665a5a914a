"""What long histories and hostile bodies cost, in CPU of the web process: the database's comes on top."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest
from django.core.cache import caches

from documents.diffs import line_hunks, unified, word_hunks
from documents.models import Document, DocumentBody, Revision, RevisionPayload
from documents.payloads import digest, payload_for
from tests.documents.editing import Page, page_make
from tests.documents.world import World
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db

_WORDS = ["the", "a", "page", "line", "of", "text", "that", "somebody", "wrote", "about", "bread", "salt"]


def sentence(chance: random.Random) -> str:
    """A line of about 40 characters."""
    return " ".join(chance.choices(_WORDS, k=8)) + "\n"


def edits(chance: random.Random, size: int) -> Iterator[str]:
    """A body of so many bytes, edited for ever: lines changed, put in, taken out, here and there."""
    lines = [sentence(chance) for _ in range(size // 40)]
    while True:
        yield "".join(lines)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(lines))
            kind = chance.random()
            if kind < 0.4:
                lines[at] = sentence(chance)
            elif kind < 0.7:
                lines[at:at] = [sentence(chance) for _ in range(chance.randint(1, 5))]
            else:
                del lines[at : at + chance.randint(1, 5)]


def history(page: Page, count: int, size: int) -> Document:
    """Give a document so many revisions of a body of this size; the first is as it was made."""
    document = Document.objects.get(uid=page.id)
    bodies = edits(random.Random(4), size)
    body = last = next(bodies)
    first = Revision.objects.get(document=document)
    RevisionPayload.objects.bulk_create([_payload(first.pk, 1, page.now()["content"], body)])
    for number in range(2, count + 1):
        shared = {"document": document, "number": number, "parent": number - 1, "base": number - 1}
        last, body = body, next(bodies)
        row = Revision(sha256=digest(last), size=len(last), meta=first.meta, author=first.author, **shared)
        row.save()
        if number < count:
            _payload(row.pk, number, last, body).save(force_insert=True)
    Document.objects.filter(pk=document.pk).update(revision=count)
    DocumentBody.objects.filter(document=document).update(content=last, sha256=digest(last), size=len(last))
    return document


def _payload(pk: int, number: int, body: str, newer: str) -> RevisionPayload:
    made = payload_for(number, body, newer)
    return RevisionPayload(revision_id=pk, base_number=made.base_number, payload=made.data)


def spent(action: Callable[[], object]) -> float:
    """Seconds of this thread's CPU."""
    began = time.thread_time()
    action()
    return time.thread_time() - began


def test_blame_of_a_thousand_revisions(client_for: Callable[..., ApiClient]) -> None:
    """Of 100 KB: under 2 s cold, 50 ms warm and after another edit."""
    caches["default"].clear()
    page = page_make(client_for)
    history(page, 1_000, 100_000)

    def ask() -> None:
        assert b'"complete":true' in page.author.get(f"{page.path}blame/").content

    cold, warm = spent(ask), min(spent(ask) for _ in range(5))
    now = page.author.get(page.path)
    World.ok(page.edit(etag=now.headers["ETag"], content=now.json()["content"] + "more\n"))
    edited = spent(ask)
    print(f"\nblame: {cold:.2f} s cold, {warm * 1e3:.0f} ms warm, {edited * 1e3:.0f} ms after an edit")  # noqa: T201
    assert cold < 2
    assert warm < 0.05


def test_diff_of_two_bodies_of_100_kb() -> None:
    """Under 100 ms, in each of the formats, far apart or near."""
    bodies = edits(random.Random(5), 100_000)
    old = next(bodies)
    for apart in (1, 50, 1_000):
        for _ in range(apart):
            new = next(bodies)
        times = [
            min(spent(lambda new=new, make=make: make(old, new)) for _ in range(5))  # type: ignore[misc]
            for make in (lambda a, b: unified(a, b, "a", "b"), line_hunks, word_hunks)
        ]
        print(f"\n{apart} edits apart: " + " ".join(f"{t * 1e3:.0f} ms" for t in times))  # noqa: T201
        assert max(times) < 0.1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\nb\n" * 500_000, "b\na\na\n" * 340_000),
        ("\n" * 2_000_000, "\n" * 1_900_000),
        ("x " * 1_000_000, "y " * 1_000_000),
        ("x y z w " * 250_000, "w z y x " * 250_000),
        ("".join(f"{n % 7}\n" for n in range(99_000)), "".join(f"{n * n % 11}\n" for n in range(99_000))),
        ("".join(f"{n}\n" for n in range(250_000)), "".join(f"{n}\n" for n in range(250_000, 0, -1))),
    ],
    ids=["alike", "empty", "one line", "one line of words", "few kinds", "reversed"],
)
def test_diff_of_hostile_bodies_ends_soon(old: str, new: str) -> None:
    """2 MB of whatever: seconds at most."""
    assert spent(lambda: word_hunks(old, new)) < 6
    assert spent(lambda: unified(old, new, "a", "b")) < 6
