"""What every management command shares: who acts, exit codes that scripts can trust, and a progress bar."""

from __future__ import annotations

import abc
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from cloudscribe.lib.actor import Actor, acting_as, command_actor
from cloudscribe.lib.context import RequestContext, new_request_id, request_context
from cloudscribe.lib.errors import DomainError

DONE, FOUND_WRONG, USED_WRONGLY = 0, 1, 2


class UsageError(CommandError):
    """The command was used wrongly: exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=USED_WRONGLY)


class FoundWrong(CommandError):
    """The command did its work and found something wrong: exit code 1."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=FOUND_WRONG)


class OperatorCommand(BaseCommand, abc.ABC):
    """A command of the operator: subclasses write `run(actor, **options)`.

    The actor is of kind `command` and carries the command's name into every event. A domain error becomes
    a usage error with its sentence.
    """

    @abc.abstractmethod
    def run(self, actor: Actor, **options: Any) -> None:
        """The command's work."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Name the actor and run."""
        name = type(self).__module__.rpartition(".")[2]
        with connection.cursor() as cursor:
            cursor.execute("SELECT now()")
            (now,) = cursor.fetchone()
        context = RequestContext(new_request_id(), route=f"command {name}")
        with request_context(context), acting_as(command_actor(name, now)) as actor:
            try:
                self.run(actor, **options)
            except DomainError as error:
                faults = "".join(f"\n  {fault.pointer}: {fault.detail}" for fault in error.errors)
                raise UsageError(error.message + faults) from error

    def progress(self, total: int, label: str) -> Progress:
        """A progress bar on the standard error, drawn only where that is a terminal."""
        return Progress(self, total, label)


class Progress:
    """A one-line bar, redrawn at most ten times a second."""

    WIDTH = 30

    def __init__(self, command: OperatorCommand, total: int, label: str) -> None:
        self._stream = command.stderr
        self._terminal = bool(getattr(command.stderr, "isatty", lambda: False)())
        self._total = max(total, 1)
        self._label = label
        self._drawn = 0.0

    def update(self, done: int) -> None:
        """Say that `done` of the total stand."""
        finished = done >= self._total
        if not self._terminal or (not finished and time.monotonic() - self._drawn < 0.1):
            return
        self._drawn = time.monotonic()
        filled = self.WIDTH * min(done, self._total) // self._total
        bar = "#" * filled + "." * (self.WIDTH - filled)
        self._stream.write(f"\r{self._label} [{bar}] {done}/{self._total}", ending="\n" if finished else "")
        self._stream.flush()
