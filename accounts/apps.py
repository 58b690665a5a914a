"""Accounts: who people are and how they sign in."""

from __future__ import annotations

from django.apps import AppConfig, apps

_ROLES_DEPEND_ON = ("accounts", "audit", "documents", "jobs", "security")


class AccountsConfig(AppConfig):
    """Floor 4."""

    name = "accounts"
    verbose_name = "Accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect once the models are there."""
        from accounts import checks, receivers  # noqa: PLC0415 (models are there only now)

        checks.register()
        receivers.connect([apps.get_app_config(label) for label in _ROLES_DEPEND_ON])
