"""Which bodies go, and that all others can be rebuilt by ways that are no longer than before."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from documents.expiring import Stored, plan_of
from documents.payloads import (
    KEYFRAME_EVERY,
    Payload,
    digest,
    payload_against,
    payload_alone,
    payload_for,
    rebuild,
)


def chain_of(stored: dict[int, Payload], number: int) -> list[Payload]:
    """The payloads that a body is rebuilt from, newest first."""
    chain = []
    at: int | None = number
    while at is not None and at in stored:
        chain.append(stored[at])
        at = stored[at].base_number
    return chain[::-1]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 90), st.data())
def test_plan_keeps_every_body_that_stays(head: int, data: st.DataObject) -> None:
    """In pieces of any size, whatever has to stay."""
    bodies = {number: f"body {number}\n" * (number % 7) for number in range(1, head + 1)}
    stored = {number: payload_for(number, bodies[number], bodies[number + 1]) for number in range(1, head)}
    kept = data.draw(st.sets(st.integers(1, head)))
    most, most_repacked = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 5))
    before = {number: len(chain_of(stored, number)) for number in stored}
    for _ in range(200):
        rows = [Stored(number, stored[number].base_number, number in kept) for number in sorted(stored)]
        plan = plan_of(rows, head, most=most, most_repacked=most_repacked)
        assert len(plan.removed) <= most
        for number, base in plan.repacked.items():
            body = bodies[number]
            stored[number] = (
                payload_alone(number, body)
                if base is None
                else payload_against(number, body, base, bodies[base])
            )
        stored = {number: payload for number, payload in stored.items() if number not in plan.removed}
        for number in stored:
            chain = chain_of(stored, number)
            assert rebuild(chain, bodies[head], digest(bodies[number])) == bodies[number]
            assert len(chain) <= min(before[number], KEYFRAME_EVERY)
        if plan.is_whole:
            break
    assert set(stored) == kept - {head}


def test_plan_with_nothing_to_remove_is_idle() -> None:
    """All have to stay."""
    plan = plan_of([Stored(1, 2, is_kept=True), Stored(2, 3, is_kept=True)], 3, most=9, most_repacked=9)
    assert (plan.removed, plan.repacked, plan.is_whole) == ([], {}, True)
