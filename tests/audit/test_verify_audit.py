"""manage.py verify_audit against those who rewrite the database by hand: what was done is named."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from audit.checkpoints import Checkpoint, checkpoint_signed, verifier_key
from audit.leaves import leaf_data
from audit.merkle import leaf_hash
from audit.models import EventLeaf, Seal
from audit.selectors.tree import event_rows
from audit.services import Entry, Target, events_record, events_seal
from audit.witness import seal_witnessed
from cloudscribe.lib.keyring import KeyRing
from tests.conftest import SERVERS
from tests.jobs.factories import operator

pytestmark = pytest.mark.django_db(transaction=True)

Attacker = psycopg.Connection[Any]


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: pathlib.Path) -> pathlib.Path:
    """A data folder of the test's own."""
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    """PostgreSQL's superuser, whom no trigger stops."""
    with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as found:
        found.execute("SET session_replication_role = replica")
        yield found


def sealed(count: int, *, kept: bool = False) -> list[int]:
    """So many sealed events, by number; `kept`: with their checkpoint beside the database."""
    with transaction.atomic():
        events = events_record([Entry(operator(), "a.b", Target("x", None, "x"), facts={"n": 1})] * count)
    seal = events_seal()
    assert seal is not None
    if kept:
        seal_witnessed(seal)
    return [event.sequence for event in events]


def verify(**options: Any) -> str:
    """What the command says; it found nothing wrong."""
    out = io.StringIO()
    call_command("verify_audit", stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def found(**options: Any) -> str:
    """The first line of what the command says; it found something wrong."""
    out = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("verify_audit", stdout=out, stderr=io.StringIO(), **options)
    assert refused.value.returncode == 1
    return (out.getvalue() or str(refused.value)).partition(" (")[0]


def test_verify_an_untouched_trail() -> None:
    """Exit code 0 and the numbers."""
    sealed(3, kept=True)
    sealed(300, kept=True)
    assert verify().startswith("303 events are what was sealed, by 2 seals and 2 checkpoints")


def test_verify_an_empty_trail() -> None:
    """Nothing sealed, nothing wrong."""
    assert verify().startswith("0 events")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_event SET action = 'c.d' WHERE sequence = %s",
        "UPDATE audit_event SET at = at - interval '1 day' WHERE sequence = %s",
        """UPDATE audit_event SET facts = '{"n": 2}' WHERE sequence = %s""",
        "UPDATE audit_eventdetail SET body = '{}' WHERE sequence = %s",
        "DELETE FROM audit_eventdetail WHERE sequence = %s",
        "UPDATE audit_eventleaf SET hash = sha256('x') WHERE sequence = %s",
    ],
    ids=["action", "backdated", "facts", "detail", "detail-gone", "leaf"],
)
def test_find_an_edit(attacker: Attacker, change: str) -> None:
    """Whatever column was edited, the entry is named."""
    numbers = sealed(5)
    attacker.execute(change.encode(), [numbers[2]])
    assert found() == f"sequence {numbers[2]}: altered"


def test_find_an_edit_with_its_leaf(attacker: Attacker) -> None:
    """Who makes the leaf fit again has another root than was signed; its batch is named."""
    before, batch = sealed(5), sealed(1)
    attacker.execute("UPDATE audit_event SET action = 'c.d' WHERE sequence = %s", [batch[0]])
    _leaf_made_to_fit(attacker, batch[0])
    assert before
    assert found() == f"sequence {batch[0]}: altered"


def test_find_a_deletion(attacker: Attacker) -> None:
    """The leaf is there, the event is not."""
    numbers = sealed(5)
    for table in ("audit_event", "audit_eventdetail"):
        attacker.execute(f"DELETE FROM {table} WHERE sequence = %s".encode(), [numbers[1]])
    assert found() == f"sequence {numbers[1]}: missing"


def test_find_a_deletion_with_its_leaf(attacker: Attacker) -> None:
    """A gap in the leaves is named by the entry that follows it."""
    numbers = sealed(5)
    for table in ("audit_event", "audit_eventdetail", "audit_eventleaf"):
        attacker.execute(f"DELETE FROM {table} WHERE sequence = %s".encode(), [numbers[1]])
    assert found() == f"sequence {numbers[2]}: missing"


def test_gap_is_no_cut(attacker: Attacker) -> None:
    """What follows the gap is whole: one entry is named and no other."""
    numbers = sealed(5)
    attacker.execute("DELETE FROM audit_eventleaf WHERE sequence = %s", [numbers[1]])
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", stdout=out, stderr=io.StringIO())
    assert [line.partition(" (")[0] for line in out.getvalue().splitlines()] == [
        f"sequence {numbers[1]}: missing"
    ]


def test_find_an_insertion(attacker: Attacker) -> None:
    """An event among sealed ones that has no leaf was put in afterwards."""
    numbers = sealed(3)
    (late,) = attacker.execute(
        """INSERT INTO audit_event OVERRIDING SYSTEM VALUE
           SELECT nextval('audit_event_sequence_seq'), (e).epoch, (e).xid - 1, (e).at, (e).actor_kind,
           (e).actor_uid, (e).on_behalf_of, (e).credential_kind, (e).credential_uid, (e).request_id, 'c.d',
           (e).target_type, (e).target_uid, (e).workspace_uid, (e).facts, 1, NULL, (e).detail_hash
           FROM audit_event e WHERE sequence = %s RETURNING sequence""",
        [numbers[0]],
    ).fetchone() or (0,)
    assert found() == f"sequence {late}: altered"


def test_find_a_new_order(attacker: Attacker) -> None:
    """Two events that changed their places in the log are both found, the first is named."""
    numbers = sealed(4)
    attacker.execute(
        """UPDATE audit_eventleaf l SET hash = o.hash FROM audit_eventleaf o
           WHERE (l.sequence, o.sequence) IN ((%(a)s, %(b)s), (%(b)s, %(a)s))""",
        {"a": numbers[1], "b": numbers[2]},
    )
    assert found() == f"sequence {numbers[1]}: altered"


def test_find_a_cut_tail(attacker: Attacker) -> None:
    """The seals say that there were more."""
    numbers = sealed(6)
    for table in ("audit_event", "audit_eventdetail", "audit_eventleaf"):
        attacker.execute(f"DELETE FROM {table} WHERE sequence >= %s".encode(), [numbers[4]])
    assert found() == f"sequence {numbers[4]}: cut"


def test_find_a_cut_tail_with_its_seal(attacker: Attacker) -> None:
    """Where the seal went along, the checkpoint beside the database says so."""
    numbers, tail = sealed(4, kept=True), sealed(3, kept=True)
    for table in ("audit_event", "audit_eventdetail", "audit_eventleaf"):
        attacker.execute(f"DELETE FROM {table} WHERE sequence >= %s".encode(), [tail[0]])
    attacker.execute("DELETE FROM audit_seal WHERE tree_size > %s", [len(numbers)])
    assert found() == f"sequence {tail[0]}: cut"


def test_find_a_tail_that_was_cut_and_sealed_again(attacker: Attacker) -> None:
    """Another log of the same length under a good signature is not the one that was witnessed."""
    numbers, tail = sealed(4, kept=True), sealed(2, kept=True)
    for table in ("audit_event", "audit_eventdetail", "audit_eventleaf"):
        attacker.execute(f"DELETE FROM {table} WHERE sequence >= %s".encode(), [tail[0]])
    attacker.execute("DELETE FROM audit_seal WHERE tree_size > %s", [len(numbers)])
    again = sealed(2)
    assert found() == f"sequence {again[0]}: altered"


def test_find_a_fork_shown_to_two_readers(attacker: Attacker, tmp_path: pathlib.Path) -> None:
    """Whoever was shown another branch brings its checkpoint, and the log doesn't go on from it."""
    sealed(4)
    shown = tmp_path / "shown"
    seal = Seal.objects.latest("tree_size")
    shown.write_text(checkpoint_signed(Checkpoint(_origin(), seal.tree_size, bytes(range(32)))))
    first = EventLeaf.objects.earliest("leaf").sequence
    assert found(checkpoint=[shown]) == f"sequence {first}: altered"


def test_accept_an_older_checkpoint(tmp_path: pathlib.Path) -> None:
    """One that the log goes on from is fine, however old it is."""
    sealed(4)
    old = tmp_path / "old"
    old.write_text(Seal.objects.latest("tree_size").note)
    sealed(5)
    assert verify(checkpoint=[old])


def test_find_an_old_checkpoint_replayed_as_the_newest(attacker: Attacker) -> None:
    """A seal that shows an earlier note is not what was signed for its size."""
    sealed(4)
    old = Seal.objects.latest("tree_size").note
    later = sealed(3)
    attacker.execute("UPDATE audit_seal SET note = %s WHERE tree_size = 7", [old])
    assert found() == f"sequence {later[0]}: altered"


def test_find_a_swapped_key(attacker: Attacker, settings: Any) -> None:
    """A log that was signed anew with a key of the attacker's own is refused."""
    numbers = sealed(3)
    good = settings.KEY_RING
    seal = Seal.objects.latest("tree_size")
    settings.KEY_RING = KeyRing.fresh(seal.sealed_at)
    forged = checkpoint_signed(Checkpoint(_origin(), seal.tree_size, bytes(seal.root)))
    settings.KEY_RING = good
    attacker.execute("UPDATE audit_seal SET note = %s", [forged])
    assert found() == f"sequence {numbers[0]}: altered"


def test_trust_only_the_key_that_is_named(settings: Any) -> None:
    """Who kept a verifier key trusts no other, not even the ring's."""
    numbers = sealed(3)
    own = str(verifier_key(settings.KEY_RING.active_kid, _origin()))
    assert verify(key=[own])
    settings.KEY_RING = settings.KEY_RING.rotated(Seal.objects.latest("tree_size").sealed_at)
    other = str(verifier_key(settings.KEY_RING.active_kid, _origin()))
    assert found(key=[other]) == f"sequence {numbers[0]}: altered"


def test_verify_seals_of_a_key_that_left_the_ring(settings: Any) -> None:
    """The public key was kept beside the database when it signed."""
    sealed(3, kept=True)
    settings.KEY_RING = KeyRing.fresh(Seal.objects.latest("tree_size").sealed_at)
    sealed(2, kept=True)
    assert verify().startswith("5 events")


def test_refuse_a_checkpoint_that_nobody_signed(tmp_path: pathlib.Path) -> None:
    """A forged note is no evidence of anything."""
    sealed(2)
    forged = tmp_path / "forged"
    forged.write_text(Seal.objects.latest("tree_size").note.replace("\n2\n", "\n3\n"))
    assert "doesn't verify" in found(checkpoint=[forged])


def test_erased_details_are_no_fault(attacker: Attacker) -> None:
    """What a sealed erasure lists is counted as erased."""
    numbers = sealed(4)
    with transaction.atomic():
        erasure = Entry(
            operator(), "person.erased", Target("user", None, ""), facts={"sequences": numbers[:2]}
        )
        events_record([erasure])
    events_seal()
    attacker.execute("DELETE FROM audit_eventdetail WHERE sequence = ANY(%s)", [numbers[:2]])
    assert verify().endswith("of 2 the personal part was erased.\n")


def _origin() -> str:
    return Seal.objects.latest("tree_size").note.partition("\n")[0]


def _leaf_made_to_fit(attacker: Attacker, sequence: int) -> None:
    hashed = leaf_hash(leaf_data(event_rows([sequence])[sequence]))
    attacker.execute("UPDATE audit_eventleaf SET hash = %s WHERE sequence = %s", [hashed, sequence])
