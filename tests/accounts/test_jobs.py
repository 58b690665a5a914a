"""The jobs of accounts: mails and the purge."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db.models import F

from accounts.jobs import send_mail
from accounts.models import Ceremony, PasswordReset, Registration, Session, SignInFailure
from accounts.services.expiry import expired_purge
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.run import JobRun
from cloudscribe.jobs.runner import job_run
from cloudscribe.lib.actor import command_actor
from tests.accounts.factories import PASSWORD, user_make

pytestmark = pytest.mark.django_db


def run_newest() -> Any:
    """Do the newest mail job as a worker does it, once more where it is done."""
    job = Job.objects.filter(kind="mail.send").latest("id")
    if job.state != JobState.QUEUED:
        return send_mail(JobRun(job, command_actor("tests", job.created_at)))
    job_run(job.queue, str(job.uid))
    job.refresh_from_db()
    return job.result


def test_mail_is_sent_to_the_registered_address(anonymous: Any, mailoutbox: list[Any]) -> None:
    """One mail, with an id of its own that a second try repeats."""
    anonymous.post("auth/register/", {"email": "ann@example.org", "password": PASSWORD, "name": "Ann"})
    assert run_newest() == {"sent": True}
    assert run_newest() == {"sent": True}
    assert [mail.to for mail in mailoutbox] == [["ann@example.org"]] * 2
    assert len({mail.extra_headers["Message-ID"] for mail in mailoutbox}) == 1


def test_mail_of_a_reused_session_names_the_device(
    client_for: Any, anonymous: Any, mailoutbox: list[Any]
) -> None:
    """Whoever's session was copied is told which."""
    token = client_for(user_make("ann@example.org")).credentials.refresh
    following = anonymous.post("auth/refresh/", {"refresh": token}).json()["refresh"]
    anonymous.post("auth/refresh/", {"refresh": following})
    anonymous.post("auth/refresh/", {"refresh": token})
    assert run_newest() == {"sent": True}
    assert mailoutbox[0].to == ["ann@example.org"]
    assert "(tests, begun" in mailoutbox[0].body


def test_mail_of_a_changed_password_is_out_of_a_thiefs_reach(client_for: Any, mailoutbox: list[Any]) -> None:
    """Who changed it signs out at once and finds no job to cancel; the owner is told all the same."""
    client = client_for(user_make("ann@example.org"))
    client.post("auth/password/change/", {"current_password": PASSWORD, "password": "Another-one-71"})
    assert client.get("jobs/").json()["results"] == []
    client.post("auth/logout/")
    assert run_newest() == {"sent": True}
    assert [mail.to for mail in mailoutbox] == [["ann@example.org"]]


def test_purge_takes_what_has_ended_and_nothing_else(client_for: Any, anonymous: Any) -> None:
    """Old tokens, failures and sessions go; a live session stays however old it is."""
    user = user_make()
    client_for(user)
    client_for(user)
    anonymous.post("auth/register/", {"email": "ann@example.org", "password": PASSWORD, "name": "Ann"})
    anonymous.post("auth/password/forgot/", {"email": user.email})
    anonymous.post("auth/passkeys/options/")
    SignInFailure.objects.create(account=b"x" * 32, source="192.0.2.1")
    assert sum(expired_purge().values()) == 0
    long_ago = dt.timedelta(days=120)
    SignInFailure.objects.update(at=F("at") - long_ago)
    for model in (Ceremony, PasswordReset, Registration):
        model.objects.update(expires_at=F("expires_at") - long_ago)
    Session.objects.update(created_at=F("created_at") - long_ago)
    ended = Session.objects.latest("id")
    Session.objects.filter(pk=ended.pk).update(revoked_at=F("created_at"), revoked_reason="test")
    assert expired_purge() == {
        "ceremonies": 1,
        "email_changes": 0,
        "notifications": 0,
        "registrations": 1,
        "password_resets": 1,
        "sign_in_failures": 1,
        "sessions": 1,
        "tokens": 0,
    }
    assert Session.objects.count() == 1
