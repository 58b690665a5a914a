"""audit/seals/, audit/checkpoint/, audit/events/{sequence}/proof/, audit/consistency/, audit/keys/."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from audit import merkle
from audit.checkpoints import VerifierKey, checkpoint_read
from audit.models import Seal
from audit.services import Entry, Target, events_record, events_seal
from tests.accounts.factories import user_make
from tests.jobs.factories import operator

ClientFor = Callable[..., Any]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def auditor(client_for: ClientFor) -> Any:
    """A client of somebody in the role of auditors."""
    return client_for(user_make(role="auditor"))


def sealed(count: int) -> Seal:
    """The seal of so many new events, and of whatever was before."""
    with transaction.atomic():
        events_record([Entry(operator(), "a.b", Target("x", None, "x"))] * count)
    seal = events_seal()
    assert seal is not None
    return seal


def test_list_seals_newest_first(auditor: Any) -> None:
    """Every field of the contract."""
    first, second = sealed(2), sealed(3)
    results = auditor.get("audit/seals/").json()["results"]
    assert [row["tree_size"] for row in results] == [second.tree_size, first.tree_size]
    assert results[0] == {
        "tree_size": second.tree_size,
        "first_leaf": first.tree_size,
        "last_leaf": second.tree_size - 1,
        "first_sequence": second.first_sequence,
        "last_sequence": second.last_sequence,
        "root": base64.b64encode(bytes(second.root)).decode(),
        "sealed_at": results[0]["sealed_at"],
    }


def test_read_checkpoint_as_a_signed_note(auditor: Any) -> None:
    """The newest note, as text, verifies with the key that the log names."""
    seal = sealed(2)
    answer = auditor.get("audit/checkpoint/")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    key = VerifierKey.parse(auditor.get("audit/keys/").json()["keys"][0])
    found = checkpoint_read(answer.content.decode(), [key])
    assert (found.size, found.root) == (seal.tree_size, bytes(seal.root))


def test_read_checkpoint_before_the_first(auditor: Any) -> None:
    """A log that was never sealed has none."""
    assert auditor.get("audit/checkpoint/").status_code == 404


def test_proof_leads_from_the_event_to_the_root(auditor: Any) -> None:
    """Leaf, path and checkpoint agree, and the leaf says what the event's own route says."""
    seal = sealed(300)
    body = auditor.get(f"audit/events/{seal.first_sequence}/proof/").json()
    leaf = merkle.leaf_hash(body["leaf"].encode())
    path = [base64.b64decode(found) for found in body["hashes"]]
    root = merkle.root_by_inclusion(leaf, body["leaf_index"], body["tree_size"], path)
    assert root == checkpoint_read(body["checkpoint"]).root
    event = auditor.get(f"audit/events/{seal.first_sequence}/").json()
    data = json.loads(body["leaf"])
    assert (data["sequence"], data["action"], data["facts"]) == (
        event["sequence"],
        event["action"],
        event["facts"],
    )
    assert len(hashlib.sha256().hexdigest()) == len(data["detail_hash"])


def test_proof_in_an_earlier_tree(auditor: Any) -> None:
    """Who holds an older checkpoint gets the proof for that one."""
    first = sealed(5)
    sealed(7)
    answer = auditor.get(f"audit/events/{first.last_sequence}/proof/?tree_size={first.tree_size}").json()
    assert answer["checkpoint"] == first.note
    assert base64.b64decode(answer["root"]) == bytes(first.root)


def test_proof_of_an_event_that_is_not_sealed(auditor: Any) -> None:
    """A young event answers 409 and when to come back."""
    with transaction.atomic():
        (event,) = events_record([Entry(operator(), "a.b", Target("x", None, "x"))])
    answer = auditor.get(f"audit/events/{event.sequence}/proof/")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_sealed")
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize("size", ["0", "x", "99999999", "-1"])
def test_proof_for_a_size_that_never_was(auditor: Any, size: str) -> None:
    """The parameter is named."""
    seal = sealed(2)
    answer = auditor.get(f"audit/events/{seal.last_sequence}/proof/?tree_size={size}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "?tree_size")


def test_proof_of_an_event_that_never_was(auditor: Any) -> None:
    """404 as for every number that is none."""
    sealed(1)
    assert auditor.get("audit/events/999999999/proof/").status_code == 404


def test_consistency_of_any_two_sizes(auditor: Any) -> None:
    """The proof shows that the later tree goes on from the earlier one."""
    first, second = sealed(6), sealed(290)
    body = auditor.get(f"audit/consistency/?from={first.tree_size}&to={second.tree_size}").json()
    roots = base64.b64decode(body["from_root"]), base64.b64decode(body["to_root"])
    assert roots == (bytes(first.root), bytes(second.root))
    path = [base64.b64decode(found) for found in body["hashes"]]
    assert merkle.is_consistent(body["from"], body["to"], *roots, path)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "?from"),
        ("from=0", "?from"),
        ("from=1&to=999999", "?to"),
        ("from=999999", "?from"),
        ("from=3&to=2", "?from"),
    ],
)
def test_consistency_of_sizes_that_are_none(auditor: Any, query: str, pointer: str) -> None:
    """Each fault names its parameter."""
    sealed(5)
    answer = auditor.get(f"audit/consistency/?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_proof_costs_the_same_in_a_larger_log(
    auditor: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Session, permission, event, leaf, seal; two stored levels of the tree."""
    seal = sealed(600)
    with django_assert_num_queries(8):
        auditor.get(f"audit/events/{seal.first_sequence}/proof/")
