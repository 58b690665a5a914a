"""RQ's own pages on its queues, for superusers: which bells hang, who works, what could not be answered.

What they delete, stop or empty are bells. Jobs are rows: what is due is rung for again within seconds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import rq.serializers
from django.contrib import messages
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_rq import stats_views
from django_rq.settings import get_queues_list
from django_rq.urls import get_admin_urlpatterns
from rq.exceptions import InvalidJobOperation, NoSuchJobError

from cloudscribe.jobs.bell import bells
from cloudscribe.jobs.services import queue_told
from cloudscribe.lib.admin import StaffAdmin, staff_actor
from cloudscribe.lib.breaker import redis_call
from cloudscribe.lib.errors import ServiceUnavailable
from cloudscribe.lib.refusals import refuse

View = Callable[..., HttpResponseBase]

# Some of the pages read without naming a serializer, and RQ's own default would run what it finds in Redis.
rq.serializers.PickleSerializer = rq.serializers.JSONSerializer  # type: ignore[assignment]

_PREFIX = "django_rq_"
_HOME = f"admin:{_PREFIX}home"
# Of rq-scheduler, a package that isn't here.
_ABSENT = f"{_PREFIX}scheduler_jobs"
# What a POST to a page does, by the page; the others only ask back.
_CHANGES = {
    "clear_queue": "emptied",
    "delete_failed_jobs": "failed_deleted",
    "delete_job": "bells_deleted",
    "enqueue_job": "bells_requeued",
    "requeue_all": "failed_requeued",
    "requeue_job_view": "bells_requeued",
    "stop_job": "bells_stopped",
}
_CHOICES = {"delete": "bells_deleted", "requeue": "bells_requeued", "stop": "bells_stopped"}
# A page shows no more; what was forged beyond that is not written down one by one.
_MOST_BELLS = 100
_LONGEST_ID = 64


class QueuesAdmin(StaffAdmin):
    """The place of django-rq's pages among the others: behind the same door, and for superusers alone."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Nobody else sees the link."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The permission that django-rq brings along opens nothing."""
        return bool(request.user.is_active and request.user.is_superuser)

    def get_urls(self) -> list[URLPattern]:
        """Its pages, each behind our door; of the numbers for machines those without a token of their own."""
        pages = get_admin_urlpatterns(name_prefix=_PREFIX, view_wrapper=self._page)
        numbers = [
            ("stats.json", stats_views.stats_json, f"{_PREFIX}home_json"),
            ("metrics", stats_views.prometheus_metrics, f"{_PREFIX}metrics"),
        ]
        return [
            path("", self._page(stats_views.stats), name="django_rq_dashboard_changelist"),
            *(path(address, self._page(view), name=name) for address, view, name in numbers),
            *(page for page in pages if page.name != _ABSENT),
        ]

    def _page(self, view: View) -> View:
        @functools.wraps(view)
        def page(request: HttpRequest, **names: Any) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise Http404
            request.current_app = self.admin_site.name
            return _answer(request, view, names)

        inside: View = self.admin_site.admin_view(page)
        return inside


def _answer(request: HttpRequest, view: View, names: dict[str, Any]) -> HttpResponseBase:
    """The page, or what it is instead where Redis or the bell it is about is gone."""
    queue = _queue(names)
    change, chosen = _change(request, view, names)
    if change:
        if bells(queue) is None:
            return _away(request)
        queue_told(actor=staff_actor(), queue=queue, change=change, bells=chosen)
    try:
        answer = redis_call(lambda: view(request, **names), default=None)
    except NoSuchJobError as error:
        raise Http404 from error
    except InvalidJobOperation as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse(_HOME))
    return _away(request) if answer is None else _at_home(request, answer)


def _queue(names: dict[str, Any]) -> str:
    """The name of the queue, of the first where the page is about none; Http404 for a number of none."""
    number = names.get("queue_index", names.get("connection_index", 0))
    queues = get_queues_list()
    if number >= len(queues):
        raise Http404
    return str(queues[number]["name"])


def _change(request: HttpRequest, view: View, names: dict[str, Any]) -> tuple[str, list[str]]:
    """What the request does to which bells; an empty name where it only looks."""
    if request.method != "POST":
        return "", []
    chosen = [names["job_id"]] if "job_id" in names else request.POST.getlist("job_ids")
    if view.__name__ == "actions":
        change = _CHOICES.get(request.POST.get("action", ""), "") if chosen else ""
    else:
        change = _CHANGES.get(view.__name__, "")
    return change, [bell[:_LONGEST_ID] for bell in chosen[:_MOST_BELLS]]


def _away(request: HttpRequest) -> HttpResponseBase:
    text = "Redis doesn't answer, and the queues' bells are in it. Jobs go on without: see the page Jobs."
    return refuse(ServiceUnavailable(text), request)


def _at_home(request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
    """The answer; django-rq sends people back wherever they say that they came from."""
    back = answer.headers.get("Location")
    hosts = {request.get_host()}
    if back and not url_has_allowed_host_and_scheme(back, hosts, require_https=request.is_secure()):
        return HttpResponseRedirect(reverse(_HOME))
    return answer
