"""POST me/export/ and GET jobs/{id}/file/: all that is one's own."""

from __future__ import annotations

import datetime as dt
import io
import json
import pathlib
import threading
import uuid
import zipfile
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from accounts.exporting import export_write
from audit.models import Event
from cloudscribe.jobs.claims import job_claim
from cloudscribe.jobs.jobs import purge
from cloudscribe.jobs.models import Job, JobFile
from cloudscribe.jobs.ports import StoredActor, actor_rebuilder
from cloudscribe.jobs.registry import autoload, spec_of
from cloudscribe.jobs.run import JobRun
from cloudscribe.jobs.runner import job_execute, job_run
from tests.accounts.factories import token_make, user_make
from tests.actors import command
from tests.documents.world import World, statements, uid_of
from tests.fixtures import ApiClient, client_make
from tests.jobs.factories import claimed

pytestmark = pytest.mark.django_db
PATH = "me/export/"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: pathlib.Path) -> pathlib.Path:
    """Where files go in these tests; workers know all kinds of jobs."""
    autoload()
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def asked(client: ApiClient) -> dict[str, Any]:
    """The job that the person asked for."""
    answer = client.post(PATH)
    assert answer.status_code == 202, answer.content
    body: dict[str, Any] = answer.json()
    assert answer.headers["Location"].endswith(f"/api/v1/jobs/{body['id']}/")
    return body


def done(client: ApiClient) -> str:
    """The address of the file that a worker made."""
    job = asked(client)
    job_run("slow", job["id"])
    body = client.get(f"jobs/{job['id']}/").json()
    assert body["state"] == "succeeded", body
    url: str = body["result"]["url"]
    return url


def opened(answer: Any) -> dict[str, Any]:
    """The files of an archive: what is JSON parsed, the rest as text."""
    assert answer.status_code == 200, answer.content
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    return {name: json.loads(text) if name.endswith(".json") else text for name, text in files.items()}


def files(folder: pathlib.Path) -> list[pathlib.Path]:
    """All that lies in the storage."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_export_holds_what_is_ones_own() -> None:
    """Profile, sign-ins, places and the documents with their text; no secret of any kind."""
    world = World(client_make)
    me, secret = world.owner, token_make(world.owner.user)
    page = world.document("Mine", content="# Mine\n\nWords of mine.", tags=["a"])
    world.document("Others'", by=world.member("editor"), content="Words of others.")
    said = {"body": "Said by me."}
    world.ok(me.post(f"documents/{page}/threads/", said), 201)
    team = world.ok(me.post("teams/", {"name": "Crew"}), 201)["id"]
    answer = me.get(done(me))
    found = opened(answer)
    assert found["profile.json"]["email"] == me.user.email
    assert found["profile.json"]["roles"] == ["member"]
    assert [row["device"] for row in found["sessions.json"]] == ["tests"]
    assert [row["name"] for row in found["tokens.json"]] == ["Token"]
    assert found["memberships.json"][0]["workspace"] == world.workspace
    assert found["teams.json"] == [{"id": team, "name": "Crew", "manager": True}]
    assert found[f"documents/{page}.md"] == "# Mine\n\nWords of mine."
    assert found[f"documents/{page}.json"]["tags"] == ["a"]
    assert found["revisions.json"] == [{"document": page, "numbers": [1]}]
    assert [(row["document"], row["body"]) for row in found["comments.json"]] == [(page, "Said by me.")]
    actions = {row["action"] for row in found["events.json"]}
    assert {"workspace.created", "document.created", "team.created"} <= actions
    assert "Words of others." not in str(found)
    assert secret not in str(found)
    assert "hash" not in str(found)


def test_export_is_sent_as_a_file() -> None:
    """Named, of its length, kept by no cache, not to be sniffed."""
    me = client_make()
    answer = me.get(done(me), Accept="application/zip")
    content = b"".join(answer.streaming_content)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="cloudscribe-export.zip"'
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_files_of_an_export_are_of_their_day() -> None:
    """A zip says of each file when it was written."""
    me = client_make()
    content = io.BytesIO(b"".join(me.get(done(me)).streaming_content))
    with zipfile.ZipFile(content) as archive:
        written = {dt.datetime(*entry.date_time, tzinfo=dt.UTC) for entry in archive.infolist()}
    assert all(abs(timezone.now() - at) < dt.timedelta(hours=1) for at in written)


def test_export_of_somebody_without_documents() -> None:
    """Everything is there and empty."""
    me = client_make(user_make(role=None))
    found = opened(me.get(done(me)))
    empty = ("memberships", "grants", "teams", "tokens", "identities", "notifications", "revisions")
    assert all(found[f"{name}.json"] == [] for name in empty)
    assert found["profile.json"]["id"] == uid_of(me)


def test_export_leaves_out_what_was_taken_since() -> None:
    """The rights are those of when the job runs, not of when it was asked for."""
    world = World(client_make)
    person = world.member("editor")
    page = world.document(by=person, content="Taken")
    job = asked(person)
    members = world.owner.get(f"workspaces/{world.workspace}/members/").json()["results"]
    grant = next(row["id"] for row in members if row["user"] == uid_of(person))
    world.ok(world.owner.delete(f"workspaces/{world.workspace}/members/{grant}/"), 204)
    job_run("slow", job["id"])
    found = opened(person.get(f"jobs/{job['id']}/file/"))
    assert found["memberships.json"] == found["revisions.json"] == []
    assert page not in "".join(name for name in found if name.startswith("documents/"))
    assert "Taken" not in str(found)


def test_export_is_made_once_at_a_time() -> None:
    """While one waits or runs it is the answer; when it has ended another one is made."""
    me, other = client_make(), client_make()
    job = asked(me)
    assert asked(me)["id"] == job["id"] != asked(other)["id"]
    taken = job_claim(worker="w", uid=Job.objects.get(uid=job["id"]).uid)
    assert taken is not None
    assert asked(me)["id"] == job["id"]
    job_execute(taken)
    assert asked(me)["id"] != job["id"]


def test_export_takes_an_idempotency_key_and_no_token() -> None:
    """The first answer again; a token is for what it was cut to."""
    me = client_make()
    answers = [me.post(PATH, Idempotency_Key="once-and-once") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert ApiClient(token_make(me.user)).post(PATH).json()["code"] == "missing_scope"
    assert me.post(PATH, {"all": True}).json()["code"] == "unknown_property"
    assert ApiClient().post(PATH).status_code == 401


def test_file_of_others_is_absent() -> None:
    """To strangers, to tokens and to who may see all jobs: it holds documents' bodies."""
    me, stranger = client_make(), client_make()
    url = done(me)
    group = Group.objects.create(name="role:watcher")
    group.permissions.set(Permission.objects.filter(codename="view_all_jobs"))
    watcher = client_make()
    assert watcher.user
    watcher.user.groups.add(group)
    assert stranger.get(url).status_code == 404
    assert ApiClient().get(url).status_code == 401
    assert ApiClient(token_make(me.user)).get(url).status_code == 403
    assert watcher.get(url).status_code == 404
    assert me.get(url).status_code == 200


def test_file_that_is_not_personal_is_for_who_may_see_all_jobs() -> None:
    """And that is on the record."""
    me = client_make()
    url = done(me)
    JobFile.objects.update(personal=False)
    group = Group.objects.create(name="role:watcher")
    group.permissions.set(Permission.objects.filter(codename="view_all_jobs"))
    watcher = client_make()
    assert watcher.user
    watcher.user.groups.add(group)
    assert watcher.get(url).status_code == 200
    event = Event.objects.get(action="job.file_read")
    assert str(event.actor_uid) == uid_of(watcher)
    assert me.get(url).status_code == 200
    assert Event.objects.filter(action="job.file_read").count() == 1


def test_file_costs_four_statements() -> None:
    """1 sign-in, 2 permissions, 3 the job, 4 its file."""
    me = client_make()
    url = done(me)
    with statements(4):
        assert me.get(url).status_code == 200


def test_file_of_a_job_that_has_none() -> None:
    """404 before it is made, and where the storage has lost it."""
    me = client_make()
    job = asked(me)
    assert me.get(f"jobs/{job['id']}/file/").status_code == 404
    job_run("slow", job["id"])
    assert me.get(f"jobs/{job['id']}/file/").status_code == 200


def test_expired_file_is_gone_and_removed(media: pathlib.Path) -> None:
    """From its moment on by the database's clock; the purge takes row, file and folder."""
    me = client_make()
    url = done(me)
    JobFile.objects.update(expires_at=Now() - dt.timedelta(seconds=1))
    answer = me.get(url)
    assert (answer.status_code, answer.json()["code"]) == (410, "file_expired")
    assert len(files(media)) == 1
    purge(JobRun(claimed(), command()))
    assert files(media) == []
    assert list((media / "jobs").iterdir()) == []
    assert me.get(url).status_code == 404


def test_purge_of_old_jobs_takes_their_files(media: pathlib.Path, settings: Any) -> None:
    """However long the file might have lived."""
    me = client_make()
    done(me)
    Job.objects.update(finished_at=timezone.now() - dt.timedelta(days=1000))
    purge(JobRun(claimed(), command()))
    assert files(media) == []
    assert not JobFile.objects.exists()


def test_second_run_replaces_what_a_killed_worker_left(media: pathlib.Path) -> None:
    """The file of the first run can't be had, and is gone once the second one is there."""
    me = client_make()
    job = Job.objects.get(uid=asked(me)["id"])
    first = job_claim(worker="killed", uid=job.uid)
    assert first is not None
    _handle(first)
    before = files(media)
    assert me.get(f"jobs/{job.uid}/file/").status_code == 404
    Job.objects.filter(pk=job.pk).update(state="queued", lease_until=None, claimed_by="")
    job_run("slow", str(job.uid))
    after = files(media)
    assert len(before) == len(after) == 1
    assert before != after
    assert opened(me.get(f"jobs/{job.uid}/file/"))["profile.json"]["id"] == uid_of(me)
    assert JobFile.objects.count() == 1


def test_run_that_was_taken_over_changes_nothing(media: pathlib.Path) -> None:
    """A worker that froze and comes back is told, and its file doesn't count."""
    me = client_make()
    job = Job.objects.get(uid=asked(me)["id"])
    frozen = job_claim(worker="frozen", uid=job.uid)
    assert frozen is not None
    Job.objects.filter(pk=job.pk).update(state="queued", lease_until=None, claimed_by="")
    job_run("slow", str(job.uid))
    before = files(media)
    job_execute(frozen)
    assert files(media) == before
    assert me.get(f"jobs/{job.uid}/file/").status_code == 200


def _handle(job: Job) -> None:
    """What a worker does up to the moment at which it is killed: before the outcome is written."""
    spec = spec_of(job.kind)
    assert spec
    actor = actor_rebuilder(StoredActor.from_json(job.actor), job_uid=job.uid, now=job.now)
    spec.handle(JobRun(job, actor))


def test_deletion_of_the_person_ends_their_files() -> None:
    """Nobody gets the export of somebody who is no more."""
    me = client_make()
    done(me)
    assert me.delete("me/").status_code == 204
    assert not JobFile.objects.filter(expires_at__gt=Now()).exists()


def test_deletion_of_the_person_while_their_file_is_put_away(
    media: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the worker has in hand at that moment isn't kept."""
    me = client_make()
    running = job_claim(worker="late", uid=uuid.UUID(asked(me)["id"]))
    assert running is not None

    def written(**given: Any) -> None:
        export_write(**given)
        assert me.delete("me/").status_code == 204

    monkeypatch.setattr("accounts.jobs.export_write", written)
    job_execute(running)
    running.refresh_from_db()
    assert running.state == "cancelled"
    assert not JobFile.objects.exists()
    assert files(media) == []


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_make_one_export() -> None:
    """The second one is answered with the job of the first."""
    me = client_make()
    answers: list[str] = []

    def ask() -> None:
        answers.append(me.post(PATH).json()["id"])
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers[0] == answers[1]
    assert Job.objects.filter(kind="accounts.export").count() == 1
