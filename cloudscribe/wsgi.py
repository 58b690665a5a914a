"""The WSGI application that gunicorn serves, with every route loaded."""

import gc
import os

from django.conf import settings
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections, reset_queries
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudscribe.settings")

# What is imported stays: to look through it for garbage takes a fifth of the time to start, and doing so in
# each worker would copy the pages that they share.
gc.disable()
application = get_wsgi_application()
# Django would import the routes at the first request: once in each worker, while that request waits.
get_resolver().check()
gc.freeze()
gc.enable()
# Each answer would ask each cache to close, which django-redis keeps open whatever is asked.
request_finished.disconnect(close_caches)


def close_old_connection(**_: object) -> None:
    """As Django's `close_old_connections`, for the one database: to look for more takes longer."""
    connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()


for signal in (request_started, request_finished):
    signal.disconnect(close_old_connections)
    signal.connect(close_old_connection)
# What it would empty is filled in debug mode alone.
if not settings.DEBUG:
    request_started.disconnect(reset_queries)
