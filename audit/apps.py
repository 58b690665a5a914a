"""The audit app: who did what, when and by which credential."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Connects the receivers of news from the floors below."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect once the models are there."""
        from audit import receivers  # noqa: PLC0415 (needs the models)

        receivers.connect(self)
