"""The staff's site: Unfold's theme over Django's admin, signed in through the same service as the API."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from unfold.sites import UnfoldAdminSite


class AdminConfig(DjangoAdminConfig):
    """django.contrib.admin with the staff's site as the default one."""

    default_site = "cloudscribe.admin_site.StaffSite"


class StaffSite(UnfoldAdminSite):
    """The admin as staff see it."""

    site_header = site_title = "CloudScribe"
    index_title = "Overview"
