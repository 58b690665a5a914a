"""News of accounts, for the floor above."""

from __future__ import annotations

from django.dispatch import Signal

# With `user` and `actor`, inside the transaction in which an account with a proven address comes into being.
user_joined = Signal()
