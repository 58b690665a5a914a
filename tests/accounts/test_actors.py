"""Actors of jobs and commands."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from accounts.actors import actor_for_command, actor_of_job
from accounts.models import Session, User
from accounts.selectors import database_now, session_signed_in
from cloudscribe.jobs.exceptions import CredentialRevoked
from cloudscribe.jobs.ports import StoredActor
from cloudscribe.lib.actor import ActorKind, CredentialKind
from tests.accounts.factories import user_make

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(client_for: Any) -> StoredActor:
    """The actor of a person's session, as a job keeps it."""
    found = session_signed_in(client_for().credentials.session.uid, "user")
    assert found
    return StoredActor.of(found.actor)


def rebuild(stored: StoredActor) -> Any:
    """The actor of now."""
    return actor_of_job(StoredActor.from_json(stored.to_json()), job_uid=uuid.uuid4(), now=database_now())


def test_job_acts_as_the_person_of_now(stored: StoredActor) -> None:
    """The person's key and stamps of now, by the credential `job`."""
    actor = rebuild(stored)
    assert (actor.kind, actor.uid, actor.credential_kind) == (ActorKind.USER, stored.uid, CredentialKind.JOB)
    assert actor.pk == User.objects.get().pk
    assert actor.access_key is not None


def test_job_of_a_revoked_session_is_refused(stored: StoredActor) -> None:
    """What was revoked starts nothing any more."""
    Session.objects.update(revoked_at=database_now(), revoked_reason="test")
    with pytest.raises(CredentialRevoked):
        rebuild(stored)


@pytest.mark.parametrize("how", ["ran_out", "deleted"])
def test_job_of_a_session_that_ran_out_goes_on(stored: StoredActor, how: str) -> None:
    """Running out is no reason: nobody took it away."""
    if how == "ran_out":
        Session.objects.update(expires_at=database_now() - dt.timedelta(days=1))
    else:
        Session.objects.all().delete()
    assert rebuild(stored).uid == stored.uid


def test_job_of_a_suspended_person_is_refused(stored: StoredActor) -> None:
    """Whoever may not sign in starts nothing."""
    User.objects.update(is_active=False)
    with pytest.raises(CredentialRevoked):
        rebuild(stored)


def test_command_acts_with_a_persons_rights() -> None:
    """A command for somebody has their key and stamps and says what it is."""
    user = user_make(name="Ann")
    actor = actor_for_command(user, "import_documents")
    assert (actor.kind, actor.pk, actor.credential_kind) == (
        ActorKind.COMMAND,
        user.pk,
        CredentialKind.COMMAND,
    )
    assert actor.access_key is not None
