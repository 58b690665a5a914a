"""The first page of the admin tells how background work is doing."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.contrib import admin
from django.http import HttpRequest

from cloudscribe.dashboard import Card, overview
from cloudscribe.jobs.claims import job_fail, job_succeed
from tests.jobs.factories import back_date, claimed, job_make, operator

pytestmark = pytest.mark.django_db


def cards(*permissions: str) -> dict[str, Card]:
    """What somebody with these permissions is shown, by label."""
    user = SimpleNamespace(has_perm=lambda permission: permission in permissions)
    context: dict[str, Any] = overview(cast("HttpRequest", SimpleNamespace(user=user)), {})
    return {card.label: card for card in context["cards"]}


def test_queues_throughput_failures_and_the_oldest_at_a_glance() -> None:
    """Each queue by itself; what ended long ago counts no more; what waits too long and failures alarm."""
    waiting = job_make(queue="slow")
    job_make()
    back_date(waiting, 90, "run_at")
    claimed()
    for hours in (0, 2):
        done = claimed()
        job_succeed(job=done, result=None)
        back_date(done, hours * 3600, "finished_at")
    job_fail(actor=operator(), job=claimed(), code="internal", error="It broke.")
    shown = cards("jobs.view_job")
    assert shown["Jobs waiting"].value == "1 fast, 1 slow"
    assert shown["Jobs running"].value == "1"
    assert shown["Done in an hour"].value == "1"
    assert (shown["Failed in a day"].value, shown["Failed in a day"].alarming) == ("1", True)
    assert shown["Oldest due job"].value in {"90 s", "91 s"}
    assert shown["Oldest due job"].alarming


def test_documents_are_counted_before_the_planner_knows_of_them(client_for: Any) -> None:
    """A new installation has some, and nothing has been analysed yet."""
    owner = client_for()
    room = owner.post("workspaces/", {"name": "World"}).json()["id"]
    for title in ("One", "Two", "Three"):
        assert owner.post("documents/", {"workspace": room, "title": title}).status_code == 201
    assert cards("documents.view_document")["Documents, about"].value == "3"


def test_names_of_many_are_english() -> None:
    """Django puts an s behind each name that says nothing else."""
    names = [str(model._meta.verbose_name_plural) for model in admin.site._registry]
    assert "identities" in names
    assert [name for name in names if re.search("[^aeiou]ys$", name)] == []


def test_numbers_of_jobs_are_for_who_may_see_jobs() -> None:
    """Whoever may see people alone is told nothing of jobs."""
    assert set(cards("accounts.view_user")) == {"People", "Redis"}
