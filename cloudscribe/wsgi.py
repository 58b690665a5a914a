"""The WSGI application that gunicorn serves, with every route loaded."""

import os

from django.core.cache import close_caches
from django.core.signals import request_finished
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudscribe.settings")

application = get_wsgi_application()
# Django would import the routes at the first request: once in each worker, while that request waits.
get_resolver().check()
# Each answer would ask each cache to close, which django-redis keeps open whatever is asked.
request_finished.disconnect(close_caches)
