"""News from the floor of everything; upper apps receive it."""

from __future__ import annotations

from django.dispatch import Signal

# Sent for each authenticated 403, after any rollback, with `actor: Actor`, `route: str` and `code: str`.
access_denied = Signal()
