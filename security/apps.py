"""Security: what stands between the network and the views."""

from __future__ import annotations

from django.apps import AppConfig


class SecurityConfig(AppConfig):
    """Floor 3."""

    name = "security"
    verbose_name = "Security"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, what staff edit for its field diffs, and who says that jobs have to wait."""
        from auditlog.registry import auditlog  # noqa: PLC0415 (models are loaded only now)

        from cloudscribe.jobs.ports import work_is_held  # noqa: PLC0415 (likewise)
        from security import checks  # noqa: PLC0415 (settings are complete only now)
        from security.models import IPRule, RateLimitPolicy  # noqa: PLC0415
        from security.read_only import is_frozen  # noqa: PLC0415

        checks.register()
        work_is_held.provide(is_frozen)
        for model in (IPRule, RateLimitPolicy):
            auditlog.register(model, exclude_fields=["created_at", "updated_at"])
