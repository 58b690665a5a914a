"""Security: what stands between the network and the views."""

from __future__ import annotations

from django.apps import AppConfig


class SecurityConfig(AppConfig):
    """Floor 3."""

    name = "security"
    verbose_name = "Security"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and the limits for the field diffs of what staff edit."""
        from auditlog.registry import auditlog  # noqa: PLC0415 (models are loaded only now)

        from security import checks  # noqa: PLC0415 (settings are complete only now)
        from security.models import IPRule, RateLimitPolicy  # noqa: PLC0415

        checks.register()
        for model in (IPRule, RateLimitPolicy):
            auditlog.register(model, exclude_fields=["created_at", "updated_at"])
