"""The composition root as a Django app, for its management commands."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


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
            _trace()


def _trace() -> None:
    """Load what makes traces, an extra; raises ImproperlyConfigured where it isn't installed."""
    try:
        from cloudscribe.lib.observability import tracing  # noqa: PLC0415 (costs nothing where it isn't set)
    except ImportError as error:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set: install requirements/otel.txt, too."
        ) from error
    tracing.start(settings.RELEASE, settings.PROCESS_KIND)
