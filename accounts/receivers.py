"""News that accounts listens to."""

from __future__ import annotations

from typing import Any

from auditlog.registry import auditlog
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_migrate
from django.http import HttpRequest

from accounts.actors import actor_of_job
from accounts.middleware import SESSION_KEY
from accounts.models import Team, TotpDevice, User
from accounts.roles import roles_setup
from accounts.services import session_revoke
from accounts.totp import SEALED_FOR
from cloudscribe.jobs.ports import actor_rebuilder
from cloudscribe.lib.actor import current_actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.sealed import sealed_field


def connect(configs: list[AppConfig]) -> None:
    """Listen, fill the ports of the floors below, register for the field diff; once all models are there."""
    actor_rebuilder.provide(actor_of_job)
    user_logged_in.connect(_staff_signed_in, dispatch_uid="accounts.staff_signed_in")
    user_logged_out.connect(_staff_signed_out, dispatch_uid="accounts.staff_signed_out")
    for config in configs:
        # After each app: only then are that app's permissions there.
        post_migrate.connect(_migrated, sender=config, dispatch_uid=f"accounts.roles.{config.label}")
    sealed_field(model=TotpDevice, field="secret", purpose=SEALED_FOR, context=lambda row: row.uid.bytes)
    # What hangs on a person has events of its own, and each would be asked for in a statement of its own.
    hanging = [field.name for field in User._meta.get_fields() if field.one_to_one]  # noqa: SLF001 (documented)
    auditlog.register(User, exclude_fields=["password", "email_key", "created_at", "updated_at", *hanging])
    auditlog.register(Team, exclude_fields=["created_at", "updated_at"])


def _staff_signed_in(sender: type, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    uid = getattr(user, "admin_session", None)
    if uid is not None:
        request.session[SESSION_KEY] = str(uid)


def _staff_signed_out(sender: type, request: HttpRequest, **kwargs: Any) -> None:
    actor = current_actor()
    if actor is None or actor.credential_uid is None or SESSION_KEY not in request.session:
        return
    try:
        session_revoke(actor=actor, session=actor.credential_uid, reason="signed_out")
    except NotFound:
        return  # ended already, which is why Django's is being ended now


def _migrated(sender: AppConfig, using: str, **kwargs: Any) -> None:
    roles_setup()
