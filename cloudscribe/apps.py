"""The composition root as a Django app, for its management commands."""

from django.apps import AppConfig


class CloudScribeConfig(AppConfig):
    """Holds no models."""

    name = "cloudscribe"
    label = "cloudscribe"
    verbose_name = "CloudScribe"
