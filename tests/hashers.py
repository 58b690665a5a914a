"""The password hasher of the tests."""

from __future__ import annotations

from accounts.hashers import Argon2idHasher


class QuickHasher(Argon2idHasher):
    """Argon2id that costs next to nothing: the suite signs in some thousand times."""

    time_cost = 1
    memory_cost = 64
