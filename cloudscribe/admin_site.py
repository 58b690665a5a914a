"""The staff's site: Unfold's theme over Django's admin, signed in through the same service as the API."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    """django.contrib.admin with the staff's site as the default one."""

    default_site = "cloudscribe.staff_site.StaffSite"
