"""The staff's site itself, apart from its configuration, which is loaded before there are models."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.sites import AdminSite
from django.contrib.auth.views import PasswordChangeView
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse_lazy
from unfold.sites import UnfoldAdminSite

from accounts.admin_sign_in import StaffPasswordForm
from cloudscribe.lib.errors import TooManyRequests

_HITS = 100


class StaffSite(UnfoldAdminSite):
    """The admin as staff see it."""

    site_header = site_title = "CloudScribe"
    index_title = "Overview"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page is given; those of RQ know another theme and get what they lack in this one."""
        context: dict[str, Any] = super().each_context(request)
        match = request.resolver_match
        if match and (match.url_name or "").startswith("django_rq_"):
            context["styles"] = [*context["styles"], static("jobs/queues.css")]
            context["scripts"] = [*context["scripts"], static("jobs/queues.js")]
        return context

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """The form; over the limit with the status and the wait that machines look at."""
        answer: HttpResponseBase = super().login(request, extra_context)
        form = (getattr(answer, "context_data", None) or {}).get("form")
        refusal = getattr(form, "refusal", None)
        if isinstance(refusal, TooManyRequests):
            answer.status_code = refusal.status
            for name, value in refusal.headers.items():
                answer.headers[name] = value
        return answer

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """The own password, by a form that calls the service; the framework's writes the hash by itself."""
        view = PasswordChangeView.as_view(
            form_class=StaffPasswordForm,
            success_url=reverse_lazy("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        request.current_app = self.name
        return view(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """The pages whose names hold the term; Unfold's own caches what has no JSON form."""
        term = request.GET.get("s", "").lower()
        if not term:
            return HttpResponse()
        hits = self._search_apps(AdminSite.get_app_list(self, request), term)
        paginator = Paginator(hits, _HITS)
        page = paginator.get_page(request.GET.get("page"))
        context = {
            "page_obj": paginator,
            "results": page,
            "page_counter": (page.number - 1) * _HITS,
            "execution_time": 0,
            "command_show_history": False,
        }
        template = "unfold/helpers/search_results.html"
        return TemplateResponse(request, template, context, headers={"HX-Trigger": "search"})
