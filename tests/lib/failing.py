"""An application in a process of its own, whose one route fails with what nobody elsewhere may read.

Run as a program it sends itself a request, prints the request's id and waits until all is reported.
"""

from __future__ import annotations

import io
import sys
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

SECRETS = ("ann@example.org", "in-the-body", "in-the-path", "in-the-query", "in-the-header", "in-a-local")


def fail(request: HttpRequest, secret: str) -> HttpResponse:
    """Break a constraint, whose message tells the value, after having read the body."""
    local = "in-a-local" + secret
    assert request.body
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'ann@example.org', %s", [local])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany("INSERT INTO auth_group (name) VALUES (%s)", [["ann@example.org"]] * 2)
    return HttpResponse()


def answer(request: HttpRequest, secret: str) -> HttpResponse:
    """Ask the database something and say so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'ann@example.org', %s", ["in-a-local"])
    return HttpResponse("done")


urlpatterns = [path("fail/<secret>/", fail), path("answer/<secret>/", answer)]


def main(kind: str) -> None:
    """One request to `fail` or `answer`, by WSGI as a server sends it."""
    settings.ROOT_URLCONF = "tests.lib.failing"
    settings.ALLOWED_HOSTS = ["*"]
    application = get_wsgi_application()
    body = b'{"note": "in-the-body"}'
    environment: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/{kind}/in-the-path/",
        "QUERY_STRING": "token=in-the-query",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_AUTHORIZATION": "Bearer in-the-header",
        "HTTP_TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "HTTP_COOKIE": "a=in-the-header",
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environment)
    told: list[Any] = []
    b"".join(application(environment, lambda *head: told.append(head)))
    (status, headers, *_), *_ = told
    sys.stderr.write(f"{status.split()[0]} {dict(headers)['X-Request-ID']}\n")


if __name__ == "__main__":
    main(sys.argv[1])
