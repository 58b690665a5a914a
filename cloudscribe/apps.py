"""The composition root as a Django app, for its management commands."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class CloudScribeConfig(AppConfig):
    """Holds no models."""

    name = "cloudscribe"
    label = "cloudscribe"
    verbose_name = "CloudScribe"

    def ready(self) -> None:
        """Have the statements of every process counted, whatever it is for, and traced where that is set."""
        from cloudscribe.lib.observability import queries  # noqa: PLC0415 (needs the settings)

        queries.install()
        if settings.OTEL_ENDPOINT:
            # An extra, which costs nothing where it isn't asked for.
            from cloudscribe.lib.observability import tracing  # noqa: PLC0415

            tracing.start(settings.RELEASE, settings.PROCESS_KIND)
