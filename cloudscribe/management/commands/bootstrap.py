"""`manage.py bootstrap`: what a new installation needs before anybody can sign in."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.conf import settings
from django.core.management import call_command

from accounts.models import User
from accounts.services import admin_create
from cloudscribe.lib import env
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import OperatorCommand
from cloudscribe.management.alone import prepared_alone
from documents.models import Workspace

DEMO_SLUG = "demo"


class Command(OperatorCommand):
    """Make the first administrator and the demo workspace, where there are none yet."""

    help = (
        "Make the first administrator and a demo workspace from this project's own documentation; what is "
        "there is left alone. The last line of the standard output is a JSON object with the "
        "administrator's e-mail and, where one was generated, the password."
    )

    def run(self, actor: Actor, **options: Any) -> None:
        """Idempotent: a second run on a used installation changes nothing."""
        with prepared_alone(self.stderr.write):
            self._make(actor)

    def _make(self, actor: Actor) -> None:
        email = env.text("CLOUDSCRIBE_ADMIN_EMAIL", "admin@example.org", "E-mail of the first administrator.")
        given = env.secret(
            "CLOUDSCRIBE_ADMIN_PASSWORD", "Password of the first administrator; else one is generated."
        )
        generated = None
        if not User.objects.filter(is_superuser=True).exists():
            generated = None if given else secrets.token_urlsafe(15)
            admin_create(actor=actor, email=email, password=given or generated)
        # Judged by itself, so that a start that was cut off between both is made whole by the next one.
        if not Workspace.objects.exists():
            self._demo(email)
        self.stdout.write(json.dumps({"email": email, "password": generated}))

    def _demo(self, owner: str) -> None:
        docs = settings.BASE_DIR / "docs"
        if docs.is_dir():
            call_command("import_documents", str(docs), workspace=DEMO_SLUG, owner=owner, stdout=self.stderr)
