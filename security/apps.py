"""Security: what stands between the network and the views."""

from __future__ import annotations

from django.apps import AppConfig


class SecurityConfig(AppConfig):
    """Floor 3."""

    name = "security"
    verbose_name = "Security"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from security import checks  # noqa: PLC0415 (settings are complete only now)

        checks.register()
