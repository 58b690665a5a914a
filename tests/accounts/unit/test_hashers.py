"""The cost of a password's hash, which the suite itself does without."""

from __future__ import annotations

from accounts.hashers import Argon2idHasher


def test_hash_is_argon2id_with_19_mib_and_two_passes() -> None:
    """What installations use; dearer is fine, cheaper is not."""
    encoded = Argon2idHasher().encode("correct-horse", "salt-of-16-bytes")
    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
