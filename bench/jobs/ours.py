"""CloudScribe as a side; imported once Django is set up."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from bench.jobs.workers import KIND
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import command_actor


class Ours:
    """A row in a transaction, and a bell after it."""

    name = "CloudScribe"
    worker = "rqworkers"

    def __init__(self) -> None:
        """Ask as the operator, whose jobs need no person."""
        self._actor = command_actor("bench", timezone.now())

    def ask(self, path: str) -> None:
        """As a service does."""
        with transaction.atomic():
            job_enqueue(actor=self._actor, kind=KIND, payload={"path": path})

    def close(self) -> None:
        """Nothing is held."""
