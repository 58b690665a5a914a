"""The jobs app: durable background work."""

from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Work that outlives the request which asked for it."""

    name = "cloudscribe.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
