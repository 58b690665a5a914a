"""The staff's site: Unfold's theme over Django's admin, signed in through the same service as the API."""

from __future__ import annotations

from django.conf import settings
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig


class AdminConfig(SimpleAdminConfig):
    """django.contrib.admin with the staff's site as the default one."""

    default_site = "cloudscribe.staff_site.StaffSite"

    def ready(self) -> None:
        """Find the apps' pages, but where no page is ever asked for: they take a third of the imports."""
        super().ready()
        if settings.PROCESS_KIND != "job":
            autodiscover()
