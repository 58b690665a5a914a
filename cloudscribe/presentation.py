"""Settings of what clients and people meet: the API's frame and schema, the pages' policy, the admin's theme.

No operator sets any of these; cloudscribe.settings takes them over as they are.
"""

from __future__ import annotations

from typing import Any

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
# Pages of others: Alpine.js in the admin's theme evaluates its attributes, both set inline styles.
CSP_WIDER = {
    "/admin/": {"script-src": ["'unsafe-eval'"], "style-src": ["'unsafe-inline'"]},
    "/api/docs/": {"style-src": ["'unsafe-inline'"], "worker-src": ["'self'", "blob:"]},
}

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["cloudscribe.lib.permissions.Denied"],
    "DEFAULT_PARSER_CLASSES": ["cloudscribe.lib.gate.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["cloudscribe.lib.renderers.ORJSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["security.throttling.PolicyThrottle"],
    "DEFAULT_PAGINATION_CLASS": "cloudscribe.lib.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "cloudscribe.lib.schema.OperationSchema",
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "cloudscribe.lib.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "DATETIME_FORMAT": None,  # times reach the renderer as they are, which writes all of them alike
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "CloudScribe",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "DESCRIPTION": "A self-hosted, API-first document platform: workspaces of Markdown documents that "
    "teams edit at the same time without losing a word.",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["cloudscribe.lib.permissions.Public"],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_PATCH": False,  # what a PATCH takes is a serializer of its own
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "cloudscribe.lib.schema_health.add",
        "cloudscribe.lib.schema_components.complete",
    ],
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "CloudScribe",
    "SITE_HEADER": "CloudScribe",
    "SITE_SUBHEADER": "Staff",
    "DASHBOARD_CALLBACK": "cloudscribe.dashboard.overview",
    "LOGIN": {"image": None, "redirect_after": None, "form": "accounts.admin_sign_in.StaffSignInForm"},
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    # None, in place of one that browsers ask for in vain.
    "SITE_FAVICONS": [{"rel": "icon", "href": "data:,"}],
}
