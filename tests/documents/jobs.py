"""Doing, in a test, the jobs that requests ask for."""

from __future__ import annotations

from typing import Any

from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_run
from tests.documents.world import World
from tests.fixtures import ApiClient


def job_done(client: ApiClient, answer: Any) -> dict[str, Any]:
    """The job of a 202, done by a worker, as its owner sees it afterwards."""
    body = World.ok(answer, 202)
    assert answer.headers["Location"].endswith(f"/api/v1/jobs/{body['id']}/")
    autoload()
    job_run("slow", body["id"])
    done: dict[str, Any] = World.ok(client.get(f"jobs/{body['id']}/"))
    return done
