"""What /metrics tells of PostgreSQL: read when it is asked, within bounds, by labels without ids."""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from pytest_django import Settings

from audit.models import Seal
from audit.services import events_seal
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.sweeper import leases_reclaim
from cloudscribe.lib.observability import readings
from cloudscribe.lib.observability.metrics import JOBS
from cloudscribe.lib.observability.readings import Gauge, Reading, Rows
from documents.models import Delivery, Webhook
from security.limits import policies
from security.models import RateLimitPolicy
from tests.accounts.factories import user_make
from tests.audit.test_sealing import record
from tests.conftest import SERVERS
from tests.documents.webhooks import HOOK
from tests.documents.world import World
from tests.fixtures import ApiClient, client_make
from tests.jobs.factories import claimed, job_make
from tests.jobs.kinds import KIND

pytestmark = pytest.mark.django_db(transaction=True)

# What may stand beside a number. All of it comes from our own code or staff's, none of it from a client.
LABELS = {
    *("buffer", "cache", "implementation", "key", "kind", "le", "major", "method", "minor", "outcome"),
    *("patchlevel", "queue", "reading", "reason", "route", "scope", "state", "status", "timer", "version"),
    *("generation",),
}


def page() -> str:
    """What a scraper is answered."""
    response = Client().get("/metrics")
    assert response.status_code == 200
    return response.content.decode()


def samples(name: str) -> list[Sample]:
    """What a scraper reads by the name that queries use, or by all of a pattern.

    No other line is read: by the end of the suite a scrape has tens of thousands.
    """
    lines = "".join(f"{line}\n" for line in page().splitlines() if re.match(rf"(?:{name})[{{ ]", line))
    return [sample for family in text_string_to_metric_families(lines) for sample in family.samples]


def value(name: str, **labels: str) -> float:
    """One number of a scrape."""
    (number,) = [each.value for each in samples(name) if each.labels == labels]
    return float(number)


@pytest.fixture
def added() -> Iterator[dict[str, Reading]]:
    """The readings, to be added to; they are as they were afterwards."""
    before = {each.name: each for each in readings.readings()}
    yield readings._readings
    readings._readings.clear()
    readings._readings.update(before)


def test_queues_by_the_job_table() -> None:
    """Due, delayed, running, abandoned and failed; the oldest counts from when it was due."""
    now = timezone.now()
    waiting = job_make(queue="fast")
    Job.objects.filter(pk=waiting.pk).update(run_at=now - dt.timedelta(minutes=7))
    Job.objects.filter(pk=job_make(queue="fast").pk).update(run_at=now + dt.timedelta(hours=1))
    claimed(queue="slow")
    Job.objects.filter(pk=claimed(queue="slow").pk).update(lease_until=now - dt.timedelta(seconds=1))
    for age in (dt.timedelta(minutes=5), dt.timedelta(hours=2)):
        failed = job_make(queue="slow")
        Job.objects.filter(pk=failed.pk).update(state=JobState.FAILED, finished_at=now - age)
    found = {
        (sample.name.removeprefix("cloudscribe_jobs_"), sample.labels["queue"]): sample.value
        for sample in samples("cloudscribe_jobs_(due|delayed|running|abandoned|failed_last_hour)")
    }
    assert {name for name, _ in found} == {"due", "delayed", "running", "abandoned", "failed_last_hour"}
    assert {key: number for key, number in found.items() if number} == {
        ("due", "fast"): 1,
        ("delayed", "fast"): 1,
        ("running", "slow"): 2,
        ("abandoned", "slow"): 1,
        ("failed_last_hour", "slow"): 1,
    }
    assert 420 <= value("cloudscribe_jobs_oldest_due_seconds", queue="fast") < 480
    assert value("cloudscribe_jobs_oldest_due_seconds", queue="slow") == 0


def test_tries_whose_worker_died_are_counted() -> None:
    """By the sweeper, since the worker can't."""
    counter = JOBS.labels(kind=KIND, outcome="worker_lost")
    before = counter._value.get()
    Job.objects.filter(pk=claimed().pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert leases_reclaim() == 1
    assert counter._value.get() == before + 1


def test_seals_lag_until_they_are_made() -> None:
    """The age of the first unsealed event; nothing once all are under a checkpoint."""
    record(2)
    assert value("cloudscribe_audit_seal_lag_seconds") > 0
    assert value("cloudscribe_audit_tree_size") == 0
    assert events_seal() is not None
    assert value("cloudscribe_audit_seal_lag_seconds") == 0
    assert value("cloudscribe_audit_tree_size") == Seal.objects.get().tree_size == 2
    record()
    assert value("cloudscribe_audit_seal_lag_seconds") > 0


def test_webhooks_by_what_waits_for_them(client_for: Callable[..., ApiClient]) -> None:
    """Late is what may be sent now; what waits for a receiver that rests is not."""
    world = World(client_for)
    path = f"workspaces/{world.workspace}/webhooks/"
    world.ok(world.owner.post(path, {"url": HOOK, "events": ["document.created"]}), 201)
    webhook = Webhook.objects.get()
    now = timezone.now()
    for minutes in (-5, 5):
        due = now + dt.timedelta(minutes=minutes)
        Delivery.objects.create(webhook=webhook, action="document.created", body="{}", next_at=due)
    assert value("cloudscribe_webhook_backlog") == 2
    assert 300 <= value("cloudscribe_webhook_oldest_due_seconds") < 360
    Webhook.objects.update(failures=3, resting_until=now + dt.timedelta(hours=1))
    assert value("cloudscribe_webhook_oldest_due_seconds") == 0
    assert value("cloudscribe_webhooks_failing") == 1


def test_writer_that_stays_open_is_seen() -> None:
    """Also one of another role, by the transactions behind it."""
    with psycopg.connect(SERVERS.superuser_url()) as writer:
        writer.execute("SELECT pg_current_xact_id()")
        record()
        assert value("cloudscribe_database_horizon_transactions") >= 1
    with psycopg.connect(os.environ["DATABASE_URL"]) as writer:
        writer.execute("SELECT pg_current_xact_id()")
        assert value("cloudscribe_database_oldest_writer_seconds") > 0


def test_connections_stand_beside_their_limit() -> None:
    """By state, those of other roles included."""
    found = samples("cloudscribe_database_(connections|connections_limit|bytes)")
    sessions = sum(sample.value for sample in found if sample.name == "cloudscribe_database_connections")
    numbers = {sample.name: sample.value for sample in found}
    assert 1 <= sessions < numbers["cloudscribe_database_connections_limit"]
    assert numbers["cloudscribe_database_bytes"] > 1_000_000


def test_reading_that_takes_too_long_leaves_the_others(added: dict[str, Reading]) -> None:
    """It ends by its time-out, which the scrape tells; what was read stands."""

    def slow() -> Rows:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(30)")
        return []

    first = {"slow": Reading("slow", (), (Gauge("x", "x"),), slow)}
    others = dict(added)
    added.clear()
    added.update(first | others)
    started = time.monotonic()
    found = {sample.labels["reading"]: sample.value for sample in samples("cloudscribe_reading_ok")}
    assert time.monotonic() - started < 10
    assert found == {"slow": 0} | dict.fromkeys(others, 1)


def test_scrape_without_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the processes count is told all the same."""
    monkeypatch.setattr(readings, "_LIMITS", "SELECT no_such_column")
    assert {sample.value for sample in samples("cloudscribe_reading_ok")} == {0}
    told = page()
    assert "cloudscribe_jobs_due" not in told
    assert "# TYPE cloudscribe_http_requests_total" in told


@pytest.fixture
def one_read(own_rules: None) -> Iterator[None]:
    """One read in ten minutes for everybody; the row is as it was afterwards, for what is committed stays."""
    rows = RateLimitPolicy.objects.filter(scope="reads", key="user")
    before = rows.values("requests", "seconds", "enabled").get()
    rows.update(requests=1, seconds=600, enabled=True)
    policies.forget()
    yield
    rows.update(**before)


def test_refusals_by_limits_are_counted(settings: Settings, one_read: None) -> None:
    """By policy: which scope and whose count."""
    settings.RATELIMIT_ENABLE = True
    client = client_make(user_make())
    assert [client.get("me/").status_code for _ in range(2)] == [200, 429]
    assert value("cloudscribe_limit_refusals_total", scope="reads", key="user") >= 1


def test_statements_are_counted_with_their_time() -> None:
    """The count of the histogram is that of the statements."""
    before = value("cloudscribe_database_statement_seconds_count")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert value("cloudscribe_database_statement_seconds_count") > before


def test_labels_hold_no_ids() -> None:
    """Every label is one that is known to be bounded."""
    client_make(user_make()).get("me/")
    labels = {label for sample in samples(r"\w+") for label in sample.labels}
    assert labels <= LABELS
