"""The public pages of share links, `/s/{secret}/`: for people, without scripts and without an account.

The cookie is the pass of a visit (`documents.services.link_visits`), for the pages of this link alone.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods

from accounts.devices import device_of
from cloudscribe.lib.actor import set_actor
from cloudscribe.lib.errors import DomainError, NotFound, TooManyRequests
from cloudscribe.lib.refusals import refuse
from documents.api.serving import blob_answer
from documents.exceptions import LinkPasswordLimited, LinkPasswordRequired
from documents.models import Document
from documents.selectors.links import HeldLink
from documents.selectors.shared import (
    shared_above,
    shared_among,
    shared_children,
    shared_document,
    shared_file,
    shared_files,
    shared_rendering,
)
from documents.selectors.shared_comments import PAGE_THREADS, shared_talk_shown
from documents.services.link_visits import LONGEST_PASSWORD, Visitor, link_enter, link_use, visit_pass
from documents.shared_html import contents_of, documents_linked, page_html
from security.throttling import usage_of

R = TypeVar("R", bound=HttpResponseBase)

COOKIE = "link_visit"


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, secret: str, key: str | None = None) -> HttpResponseBase:
    """A shared document to read; asks for the password where there is one."""
    try:
        _count_request(request)
        held, within = _enter(request, secret)
        if request.method == "POST":
            return _finished(_opened(request, held, secret, _back(request)))
        document = shared_document(held, key)
        response = render(request, "shared/page.html", _shown(held, document, secret))
        if not within and request.method == "GET":
            _opened(request, held, secret, response)
    except DomainError as error:
        response = _refused(request, error)
    return _finished(response)


@require_http_methods(["GET", "HEAD"])
def file(request: HttpRequest, secret: str, key: str) -> HttpResponseBase:
    """A file of a shared document."""
    response: HttpResponseBase
    try:
        _count_request(request)
        held, within = _enter(request, secret)
        row = shared_file(held, key)
        response = blob_answer(request, row.blob, row.name)
        if not within and request.method == "GET" and response.status_code != HTTPStatus.NOT_MODIFIED:
            _opened(request, held, secret, response)
    except DomainError as error:
        response = _refused(request, error)
    return _finished(response)


def _count_request(request: HttpRequest) -> None:
    """The general limits, which the API's views ask by themselves."""
    usage = usage_of(request, "writes" if request.method == "POST" else "reads", None)
    if usage is not None and usage.exceeded:
        wait = str(usage.resets_in)
        raise TooManyRequests(f"Come back in {wait} s.", headers={"Retry-After": wait})


def _enter(request: HttpRequest, secret: str) -> tuple[HeldLink, bool]:
    # One more than the longest, which is wrong whatever it is.
    password = request.POST.get("password", "")[: LONGEST_PASSWORD + 1] if request.method == "POST" else None
    shown = request.COOKIES.get(COOKIE, "")[:200]
    held, within = link_enter(
        secret=secret, shown=shown, password=password, address=_visitor(request).address
    )
    set_actor(held.actor)
    return held, within


def _opened(request: HttpRequest, held: HeldLink, secret: str, response: R) -> R:
    """Count the use and let the browser show for the rest of the visit that it is."""
    link_use(held=held, visitor=_visitor(request))
    response.set_cookie(
        COOKIE,
        visit_pass(held),
        max_age=int(settings.LINK_VISIT_LIFETIME),
        path=f"/s/{secret}/",
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _visitor(request: HttpRequest) -> Visitor:
    return Visitor(request.META.get("REMOTE_ADDR", ""), device_of(request))


def _back(request: HttpRequest) -> HttpResponse:
    """To the same page by GET, so that going back or reloading sends no password again."""
    return HttpResponseRedirect(request.path, status=HTTPStatus.SEE_OTHER)


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    if isinstance(error, NotFound):
        return render(request, "shared/missing.html", status=error.status)
    if isinstance(error, LinkPasswordRequired | LinkPasswordLimited):
        tried = request.method == "POST" or isinstance(error, LinkPasswordLimited)
        values = {"error": error.message if tried else ""}
        response = render(request, "shared/password.html", values, status=error.status)
        for name, value in error.headers.items():
            response.headers[name] = value
        return response
    return refuse(error, request)


def _finished(response: R) -> R:
    """What holds for each answer: nothing is kept, nobody is told where it was."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    # Django's own line about a refusal would tell the path, and with it the secret.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 (as in lib.refusals)
    return response


def _shown(held: HeldLink, document: Document, secret: str) -> dict[str, Any]:
    names, base = held.names, f"/s/{secret}/"
    rendered = shared_rendering(document)
    reached = shared_among(held, documents_linked(rendered.html))

    def address(uid: Any) -> str:
        return base if uid == held.document.uid else f"{base}d/{names.document_key(uid)}/"

    def file_address(uid: Any) -> str:
        return f"{base}f/{names.file_key(uid)}/"

    def place(row: Document) -> dict[str, str]:
        return {"href": address(row.uid), "title": row.title, "icon": row.icon}

    html = page_html(rendered.html, lambda uid: address(uid) if uid in reached else None, file_address)
    named = bool(rendered.toc) and rendered.toc[0]["level"] == 1 and html.lstrip().startswith("<h1")
    return {
        "title": document.title,
        "icon": document.icon,
        "language": document.language,
        "html": names.masked(html),
        "empty": not rendered.html.strip(),
        "show_title": not named,
        "toc": contents_of(rendered.toc),
        "above": [place(row) for row in shared_above(held, document)],
        "children": [place(row) for row in shared_children(held, document)],
        "files": [
            {"href": file_address(row.uid), "title": row.name, "size": row.blob.size}
            for row in shared_files(document)
        ],
        "talk": shared_talk_shown(held, document),
        "most_threads": PAGE_THREADS,
    }


urlpatterns = [
    path("<str:secret>/", page),
    path("<str:secret>/d/<str:key>/", page),
    path("<str:secret>/f/<str:key>/", file),
]
