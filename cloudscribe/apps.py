"""The composition root as a Django app, for its management commands."""

from __future__ import annotations

from django.apps import AppConfig


class CloudScribeConfig(AppConfig):
    """Holds no models."""

    name = "cloudscribe"
    label = "cloudscribe"
    verbose_name = "CloudScribe"

    def ready(self) -> None:
        """Have the statements of every process counted, whatever it is for."""
        from cloudscribe.lib.observability import queries  # noqa: PLC0415 (needs the settings)

        queries.install()
