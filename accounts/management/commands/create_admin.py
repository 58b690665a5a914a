"""`manage.py create_admin`: an administrator, made or raised."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.management.base import CommandParser

from accounts.exceptions import SecondFactorMissing
from accounts.models import User
from accounts.services import admin_create
from accounts.services.factor_policy import factors_reset
from cloudscribe.lib import env
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import OperatorCommand, UsageError
from cloudscribe.lib.emails import canonical_email, email_checked


class Command(OperatorCommand):
    """Make a verified superuser in the role `administrator`, or raise an existing user to one."""

    help = (
        "Make a verified administrator, or raise an existing user to one; a second run changes nothing. "
        "E-mail and password come from the options, from CLOUDSCRIBE_ADMIN_EMAIL and "
        "CLOUDSCRIBE_ADMIN_PASSWORD, or are asked for."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Who."""
        parser.add_argument("--email", help="e-mail address to sign in with")
        parser.add_argument("--name", default="", help="name as others see it")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from a pipe")
        parser.add_argument("--keep-password", action="store_true", help="leave an existing user's password")
        parser.add_argument(
            "--reset-second-factor",
            action="store_true",
            help="take an existing user's second factors away, for who lost them with nobody left to ask",
        )

    def run(self, actor: Actor, **options: Any) -> None:
        """Ask for what isn't given."""
        email = options["email"] or env.raw("CLOUDSCRIBE_ADMIN_EMAIL") or self._ask("E-mail: ", input)
        if not User.objects.filter(email_key=canonical_email(email)).exists():
            try:
                email = email_checked(email)
            except ValueError:
                raise UsageError(f"{email} is no e-mail address.") from None
        password = None if options["keep_password"] else self._password(from_pipe=options["password_stdin"])
        user, created = admin_create(actor=actor, email=email, password=password, name=options["name"])
        self.stdout.write(f"{user.email} is {'a new' if created else 'an'} administrator.")
        if options["reset_second_factor"]:
            try:
                factors_reset(actor=actor, user=user.uid, reason="at the shell")
            except SecondFactorMissing as error:
                self.stdout.write(error.message)

    def _password(self, *, from_pipe: bool) -> str:
        if from_pipe:
            return sys.stdin.readline().rstrip("\n")
        return env.raw("CLOUDSCRIBE_ADMIN_PASSWORD") or self._ask("Password: ", getpass.getpass)

    def _ask(self, question: str, ask: Any) -> str:
        if not sys.stdin.isatty():
            raise UsageError("Give --email and CLOUDSCRIBE_ADMIN_PASSWORD, or run it at a terminal.")
        return str(ask(question))
