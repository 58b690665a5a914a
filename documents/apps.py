"""The documents app: workspaces, documents, their access and their history."""

from __future__ import annotations

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Floor 5, the product."""

    name = "documents"
    verbose_name = "Documents"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Answer for accounts where things are, and have django-auditlog describe what staff edit.

        Documents and grants are told by their services.
        """
        from auditlog.registry import auditlog  # noqa: PLC0415 (models are loaded only now)

        from documents import (  # noqa: PLC0415 (as above)
            checks,
            exports,
            handover,
            invitees,
            mails,
            notices,
            places,
            receivers,
            teams,
        )
        from documents.models import Workspace  # noqa: PLC0415 (as above)

        auditlog.register(Workspace, exclude_fields=["busy_job", "created_at", "updated_at"])
        checks.register()
        exports.connect()
        handover.connect()
        invitees.connect()
        mails.connect()
        notices.connect()
        places.connect()
        receivers.connect()
        teams.connect()
