"""Every route: the API under /api/v1/, health and metrics, the schema and its pages, the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    # What is asked most stands first: each pattern before it costs every request a look.
    path("api/v1/", include("documents.api.urls")),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("cloudscribe.jobs.api.urls")),
    path("api/v1/", include("audit.api.urls")),
    path("api/v1/", include("security.api.urls")),
    path("api/", include("cloudscribe.lib.schema_urls")),
    path("", include("cloudscribe.lib.observability.urls")),
    path("d/", include("documents.api.addresses")),
    path("s/", include("documents.shared_pages")),
    path("account/", include("accounts.pages")),
    path("account/", include("documents.pages")),
    path("admin/", admin.site.urls),
]
handler400 = "cloudscribe.lib.refusals.bad_request"
handler403 = "cloudscribe.lib.refusals.forbidden"
handler404 = "cloudscribe.lib.refusals.not_found"
handler500 = "cloudscribe.lib.refusals.server_error"
