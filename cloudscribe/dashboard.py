"""The first page of the admin: how the system is doing, at a glance."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.core.cache import caches
from django.db import connection
from django.http import HttpRequest
from django.urls import reverse

from audit.models import Event
from cloudscribe.lib.breaker import redis_call
from security.models import ReadOnly

# One statement: the numbers of one moment, and one round trip. Many documents are the planner's estimate, as
# an exact count of a big table costs more than the whole page; of few it may know nothing yet.
NUMBERS = """
SELECT
  (SELECT count(*) FROM accounts_user WHERE is_active) AS people,
  (SELECT count(*) FROM accounts_session WHERE revoked_at IS NULL AND expires_at > now()
     AND last_used_at + idle_lifetime > now()) AS sessions,
  (SELECT count(*) FROM documents_workspace) AS workspaces,
  (SELECT greatest(reltuples::bigint,
                   (SELECT count(*) FROM (SELECT FROM documents_document LIMIT 10000) AS few))
     FROM pg_class WHERE oid = 'documents_document'::regclass) AS documents,
  (SELECT count(*) FROM jobs_job WHERE state = 'queued' AND queue = 'fast') AS fast,
  (SELECT count(*) FROM jobs_job WHERE state = 'queued' AND queue = 'slow') AS slow,
  (SELECT count(*) FROM jobs_job WHERE state = 'running') AS running,
  (SELECT count(*) FROM jobs_job WHERE state = 'succeeded'
     AND finished_at > now() - interval '1 hour') AS done,
  (SELECT count(*) FROM jobs_job WHERE state = 'failed'
     AND finished_at > now() - interval '24 hours') AS failed,
  (SELECT coalesce(extract(epoch FROM now() - min(run_at)), 0)::int FROM jobs_job
     WHERE state = 'queued' AND run_at <= now()) AS oldest
"""
SLOW_START_SECONDS = 30
LATEST_EVENTS = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """One number of the page, with where to look closer and whether it wants attention."""

    label: str
    value: str
    link: str
    alarming: bool = False


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the index page shows to its context.

    `cards`; `read_only` where the installation is frozen; the newest `events` for who may read the trail.
    """
    context["read_only"] = ReadOnly.objects.first()
    context["cards"] = _cards(request)
    if request.user.has_perm("audit.view_event"):
        context["events"] = Event.objects.select_related("detail").order_by("-sequence")[:LATEST_EVENTS]
    return context


def _cards(request: HttpRequest) -> list[Card]:
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS)
        people, sessions, workspaces, documents, fast, slow, running, done, failed, oldest = cursor.fetchone()
    jobs = reverse("admin:jobs_job_changelist")
    cards = [
        ("accounts.view_user", Card("People", f"{people:,}", reverse("admin:accounts_user_changelist"))),
        (
            "accounts.view_session",
            Card("Signed in", f"{sessions:,}", reverse("admin:accounts_session_changelist")),
        ),
        (
            "documents.view_workspace",
            Card("Workspaces", f"{workspaces:,}", reverse("admin:documents_workspace_changelist")),
        ),
        (
            "documents.view_document",
            Card("Documents, about", f"{documents:,}", reverse("admin:documents_document_changelist")),
        ),
        (
            "jobs.view_job",
            Card("Jobs waiting", f"{fast:,} fast, {slow:,} slow", f"{jobs}?state__exact=queued"),
        ),
        ("jobs.view_job", Card("Jobs running", f"{running:,}", f"{jobs}?state__exact=running")),
        ("jobs.view_job", Card("Done in an hour", f"{done:,}", f"{jobs}?state__exact=succeeded")),
        ("jobs.view_job", Card("Failed in a day", f"{failed:,}", f"{jobs}?state__exact=failed", failed > 0)),
        (
            "jobs.view_job",
            Card(
                "Oldest due job", f"{oldest:,} s", f"{jobs}?state__exact=queued", oldest > SLOW_START_SECONDS
            ),
        ),
    ]
    shown = [card for permission, card in cards if request.user.has_perm(permission)]
    redis = redis_call(lambda: caches["default"].get("dashboard", "answers"), default=None)
    return [*shown, Card("Redis", "answers" if redis else "away", "", alarming=not redis)]
