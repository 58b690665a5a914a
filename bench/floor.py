"""F3, the floor: a bare Django project with the 7 default middlewares and one view that answers 3 KB of JSON.

It is what any Django answer of that size costs at least; ratios against it can be compared between machines.
"""

from __future__ import annotations

import secrets

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

_DOCUMENT = {"title": "Floor", "content": "0123456789abcdef " * 176}


def document(_request: HttpRequest) -> JsonResponse:
    """3 KB of JSON without a query, a right or a header of its own."""
    return JsonResponse(_DOCUMENT)


urlpatterns = [path("document/", document)]

settings.configure(
    SECRET_KEY=secrets.token_urlsafe(48),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)
django.setup()
application = get_wsgi_application()
