"""Middleware of Django's own that only a part of the site needs."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

Handler = Callable[[HttpRequest], HttpResponse]


class AdminOnlyMiddleware:
    """Run `settings.ADMIN_MIDDLEWARE` for paths of the admin and nothing of it for the others.

    Sessions, CSRF and messages cost an API request more than its queries do, and mean nothing to it.
    """

    PREFIX = "/admin/"

    def __init__(self, get_response: Handler) -> None:
        self.plain = get_response
        self.full = get_response
        self._view_hooks: list[Callable[..., HttpResponse | None]] = []
        for name in reversed(settings.ADMIN_MIDDLEWARE):
            layer = import_string(name)(self.full)
            if hook := getattr(layer, "process_view", None):
                self._view_hooks.insert(0, hook)
            self.full = layer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request through the admin's layers or straight on."""
        if request.path_info.startswith(self.PREFIX):
            return self.full(request)
        return self.plain(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        """The layers' own `process_view` hooks (CSRF has one), for paths of the admin."""
        if request.path_info.startswith(self.PREFIX):
            for hook in self._view_hooks:
                if response := hook(request, *view):
                    return response
        return None
