"""How old bodies are stored and rebuilt."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import payloads
from documents.payloads import PayloadDamaged, digest, pack, payload_for, rebuild, unpack


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_pack_is_undone_by_unpack(body: bytes, successor: bytes) -> None:
    """Any body comes back from any successor."""
    assert unpack(pack(body, successor), successor) == body


@given(st.text(alphabet="ab\n", max_size=60), st.text(alphabet="ab\n", max_size=60))
def test_pack_overlapping_ends_are_counted_once(body: str, successor: str) -> None:
    """Where the shared beginning and end would overlap, nothing is taken twice."""
    assert unpack(pack(body.encode(), successor.encode()), successor.encode()) == body.encode()


@given(st.lists(st.text(max_size=80), min_size=2, max_size=50), st.data())
def test_rebuild_gives_any_revision(bodies: list[str], data: st.DataObject) -> None:
    """From the head or the nearest keyframe back to any number."""
    stored = {
        number: payload_for(number, body, bodies[number]) for number, body in enumerate(bodies[:-1], start=1)
    }
    number = data.draw(st.integers(1, len(bodies) - 1))
    chain = [stored[number]]
    while chain[-1].base_number in stored:
        chain.append(stored[chain[-1].base_number])
    assert rebuild(reversed(chain), bodies[-1], digest(bodies[number - 1])) == bodies[number - 1]
    assert len(chain) <= payloads.KEYFRAME_EVERY


def test_rebuild_wrong_successor_is_noticed() -> None:
    """A body that isn't the one that was stored is never handed out."""
    body, successor = "one two three", "one 2 three"
    payload = payload_for(1, body, successor)
    with pytest.raises(PayloadDamaged):
        rebuild([payload], "one X three", digest(body))


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x02" + bytes(8), b"\x01" + b"\xff" * 8, b"\x01" + bytes(8) + b"junk"]
)
def test_unpack_damaged_bytes_are_refused(data: bytes) -> None:
    """Damage is an error of its own kind, whatever zlib thinks of it."""
    with pytest.raises(PayloadDamaged):
        unpack(data, b"successor")


def test_pack_small_edit_in_a_large_body_is_small() -> None:
    """Beyond deflate's window too: what is stored is the edit, not the body."""
    body = os.urandom(500_000).hex()
    edited = body[:400_000] + "an edit" + body[400_050:]
    assert len(payload_for(1, body, edited).data) < 150
