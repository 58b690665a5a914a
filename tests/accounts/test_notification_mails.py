"""What of the inbox is mailed: at once, once a day, and never what may not be shown any more."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.utils import timezone

from accounts.jobs import collect_digests, mail_digest, mail_notices
from accounts.models import Notification, User
from accounts.services.digests import digest_collect, digests_due
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.run import JobRun
from cloudscribe.jobs.runner import job_run
from cloudscribe.lib.actor import command_actor
from documents.models import Workspace
from tests.documents.world import World, uid_of
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db

PREFERENCES = "me/notification-preferences/"


@pytest.fixture
def world() -> World:
    """A workspace and its owner."""
    return World(client_make)


def run(kind: str = "notifications.mail") -> list[Any]:
    """Do the waiting jobs of a kind as a worker does; their results."""
    results = []
    for job in Job.objects.filter(kind=kind, state=JobState.QUEUED).order_by("id"):
        job_run(job.queue, str(job.uid))
        job.refresh_from_db()
        results.append(job.result)
    return results


def again(kind: str) -> JobRun:
    """The newest job of a kind, for another run."""
    job = Job.objects.filter(kind=kind).latest("id")
    return JobRun(job, command_actor("tests", job.created_at))


def shared(world: World, title: str = "Plan") -> tuple[ApiClient, str]:
    """Somebody whom a document was just shared with, and its id; by default that is mailed."""
    reader, page = client_make(), world.document(title)
    world.grant(page, reader, "viewer")
    return reader, page


def digesting(world: World, *kinds: str) -> ApiClient:
    """Somebody in UTC who gets news of these kinds once a day."""
    reader = client_make()
    channels = dict.fromkeys(kinds or ("grant.given", "membership.added"), "digest")
    World.ok(reader.patch(PREFERENCES, {"channels": channels}))
    return reader


def age(**ago: float) -> None:
    """Have all news happened so long ago."""
    Notification.objects.update(created_at=timezone.now() - dt.timedelta(**ago))


# --- at once ---------------------------------------------------------------------------------------------
def test_mail_tells_of_the_document_in_both_parts(world: World, mailoutbox: list[Any]) -> None:
    """Title as of sending; once, with an id that a second try repeats."""
    reader, page = shared(world)
    etag = world.owner.get(f"documents/{page}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{page}/", {"title": "Later"}, If_Match=etag))
    assert run() == [{"sent": 1}]
    assert mail_notices(again("notifications.mail")) == {"sent": 0}
    assert reader.user
    (mail,) = mailoutbox
    line = f"{world.owner.user.name} shared the document “Later” with you as viewer."  # type: ignore[union-attr]
    assert mail.to == [reader.user.email]
    assert mail.subject == line.rstrip(".")
    assert line in mail.body
    assert line in mail.alternatives[0].content
    assert mail.extra_headers["Message-ID"] == f"<{Notification.objects.get().uid}@cloudscribe>"
    assert Notification.objects.get().mailed_at is not None


@pytest.mark.parametrize("case", ["read", "deleted", "revoked", "trashed", "suspended", "purged"])
def test_mail_is_not_sent_of_what_is_no_news(world: World, mailoutbox: list[Any], case: str) -> None:
    """Whatever happened between the act and the sending holds."""
    reader, page = shared(world)
    row = Notification.objects.get()
    grants = World.ok(world.owner.get(f"documents/{page}/grants/"))["results"]
    given = next(one["id"] for one in grants if one["user"] == uid_of(reader))
    acts: dict[str, Any] = {
        "read": lambda: reader.patch(f"me/notifications/{row.uid}/", {"read": True}),
        "deleted": lambda: reader.delete(f"me/notifications/{row.uid}/"),
        "revoked": lambda: world.owner.delete(f"documents/{page}/grants/{given}/"),
        "trashed": lambda: world.owner.post(f"documents/{page}/trash/"),
        "suspended": lambda: User.objects.filter(pk=row.user_id).update(is_active=False),
        "purged": lambda: Notification.objects.all().delete(),
    }
    acts[case]()
    assert run() == [{"sent": 0}]
    assert mailoutbox == []


def test_mail_of_an_ended_membership_names_no_workspace(world: World, mailoutbox: list[Any]) -> None:
    """It may be told, the name may not."""
    member = client_make()
    World.ok(member.patch(PREFERENCES, {"channels": {"membership.removed": "email"}}))
    uid = World.ok(world.add(member, "viewer"), 201)["id"]
    assert world.owner.delete(f"workspaces/{world.workspace}/members/{uid}/").status_code == 204
    assert run() == [{"sent": 0}, {"sent": 1}]
    assert "ended your membership of a workspace." in mailoutbox[0].body
    assert "World" not in mailoutbox[0].body + mailoutbox[0].alternatives[0].content


def test_mail_lets_no_name_out_of_its_place(world: World, mailoutbox: list[Any]) -> None:
    """Line breaks make no header and no line, markup is text, and a name is no pattern."""
    evil = 'Eve\r\nBcc: all@example.org\u2028<img src=x onerror="a()">{target}\u202e'
    User.objects.filter(pk=world.owner.user.pk).update(name=evil[:200])  # type: ignore[union-attr]
    Workspace.objects.update(name="<b>Room</b>\nSubject: x")
    client_world = client_make(User.objects.get(pk=world.owner.user.pk))  # type: ignore[union-attr]
    world.owner = client_world
    world.member("viewer")
    assert run() == [{"sent": 1}]
    mail = mailoutbox[0]
    message = mail.message()
    assert "Bcc" not in message
    assert mail.recipients() == mail.to
    assert "\n" not in mail.subject
    html = mail.alternatives[0].content
    assert "<img" not in html
    assert "<b>Room" not in html
    assert "&lt;img" in html
    assert "{target}" in mail.body
    assert "\u202e" not in mail.body
    assert not any(line.startswith(("Bcc:", "Subject:")) for line in mail.body.splitlines())


@pytest.mark.parametrize("locale", ["de-CH", "qq", "zh-Hant-TW"])
def test_mail_goes_out_in_any_locale(world: World, mailoutbox: list[Any], locale: str) -> None:
    """Whatever people name as theirs."""
    reader, _ = shared(world)
    User.objects.filter(pk=reader.user.pk).update(locale=locale)  # type: ignore[union-attr]
    assert run() == [{"sent": 1}]
    assert len(mailoutbox) == 1


def test_mail_that_fails_holds_up_no_other(
    world: World, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go; the next try sends that one alone."""
    team = World.ok(world.owner.post("teams/", {"name": "Crew"}), 201)["id"]
    people = [world.member("viewer") for _ in range(3)]
    for one in people:
        World.ok(world.owner.post(f"teams/{team}/members/", {"user": uid_of(one)}), 201)
    Job.objects.all().delete()
    Notification.objects.all().delete()
    World.ok(
        world.owner.post(f"workspaces/{world.workspace}/members/", {"team": team, "role": "editor"}), 201
    )
    bad = people[0].user.email  # type: ignore[union-attr]
    send = EmailMultiAlternatives.send

    def refuse(self: EmailMultiAlternatives, *args: Any) -> int:
        if self.to == [bad]:
            raise OSError
        return send(self, *args)

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    with pytest.raises(OSError):  # noqa: PT011 (ours)
        mail_notices(again("notifications.mail"))
    assert len(mailoutbox) == 2
    monkeypatch.undo()
    assert mail_notices(again("notifications.mail")) == {"sent": 1}
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted(one.user.email for one in people)  # type: ignore[union-attr]


def test_mail_of_a_new_sign_in_names_where(mailoutbox: list[Any]) -> None:
    """Its owner can tell whether it was them."""
    me = client_make()
    client_make(me.user, REMOTE_ADDR="203.0.113.9")
    assert run() == [{"sent": 1}]
    assert "from 203.0.113.9 with tests." in mailoutbox[0].body


@pytest.mark.usefixtures("redis_gone")
def test_mail_needs_no_redis(world: World, mailoutbox: list[Any]) -> None:
    """Rights are looked up in the database."""
    shared(world)
    mail_notices(again("notifications.mail"))
    assert len(mailoutbox) == 1


# --- once a day ------------------------------------------------------------------------------------------
def test_digest_groups_by_workspace_and_tells_each_once(world: World, mailoutbox: list[Any]) -> None:
    """One mail a person; rooms by name, the rest at the end; a second day has nothing."""
    reader = digesting(world)
    World.ok(world.add(reader, "viewer"), 201)
    world.grant(world.document("Inside"), reader, "editor")
    other = World(client_make)
    other.grant(other.document("Alone"), reader, "viewer")
    assert run() == []
    age(days=2)
    collect_digests(JobRun(Job(), command_actor("tests", timezone.now())))
    assert run("notifications.mail_digest") == [{"sent": True}]
    assert mail_digest(again("notifications.mail_digest")) == {"sent": True}
    assert len({mail.extra_headers["Message-ID"] for mail in mailoutbox}) == 1
    mail = mailoutbox[0]
    assert mail.subject == "3 notifications"
    places = [mail.body.index(text) for text in ("\nWorld\n", "“Inside”", "\nOther news\n", "“Alone”")]
    assert places == sorted(places)
    assert "<h2" in mail.alternatives[0].content
    assert digests_due(timezone.now() + dt.timedelta(days=9)) == []


def test_digest_lets_no_workspace_out_of_its_line(world: World, mailoutbox: list[Any]) -> None:
    """Its name stands above its news on one line, whatever it holds."""
    reader = digesting(world)
    World.ok(world.owner.patch(f"workspaces/{world.workspace}/", {"name": "Room\n\nSign in at evil.example"}))
    World.ok(world.add(reader, "viewer"), 201)
    age(days=2)
    digest_collect(user_pk=reader.user.pk)  # type: ignore[union-attr]
    run("notifications.mail_digest")
    (mail,) = mailoutbox
    assert "Room Sign in at evil.example" in mail.body.splitlines()


def test_digest_names_nothing_that_may_not_be_shown(world: World, mailoutbox: list[Any]) -> None:
    """What was lost since is left out; where nothing is left, no mail goes."""
    reader = digesting(world)
    lost, kept = world.document("Lost"), world.document("Kept")
    grants = [world.grant(page, reader, "viewer")["id"] for page in (lost, kept)]
    age(days=2)
    digest_collect(user_pk=reader.user.pk)  # type: ignore[union-attr]
    world.owner.delete(f"documents/{lost}/grants/{grants[0]}/")
    run("notifications.mail_digest")
    assert "Kept" in mailoutbox[0].body
    assert "Lost" not in mailoutbox[0].body + mailoutbox[0].alternatives[0].content
    world.owner.delete(f"documents/{kept}/grants/{grants[1]}/")
    assert mail_digest(again("notifications.mail_digest")) == {"sent": False}
    assert len(mailoutbox) == 1


def test_digest_leaves_out_what_was_read_or_removed(world: World, mailoutbox: list[Any]) -> None:
    """Before it is collected and after; with nothing unread there is none."""
    reader = digesting(world)
    for title in ("One", "Two", "Three"):
        world.grant(world.document(title), reader, "viewer")
    age(days=2)
    one, two, three = Notification.objects.order_by("pk")
    reader.patch(f"me/notifications/{one.uid}/", {"read": True})
    assert digest_collect(user_pk=reader.user.pk) == 2  # type: ignore[union-attr]
    reader.delete(f"me/notifications/{three.uid}/")
    run("notifications.mail_digest")
    assert mailoutbox[0].subject == "1 notification"
    assert "“Two”" in mailoutbox[0].body
    assert two.read_at is None


def test_digest_is_due_in_the_morning_of_the_reader(world: World) -> None:
    """What came before seven in the morning there, from seven on; also where that hour was missed."""
    reader = digesting(world)
    world.grant(world.document(), reader, "viewer")
    pk = reader.user.pk  # type: ignore[union-attr]
    User.objects.filter(pk=pk).update(timezone="Asia/Kolkata")  # 07:00 is 01:30 UTC
    Notification.objects.update(created_at=dt.datetime(2026, 3, 4, 1, 0, tzinfo=dt.UTC))
    moments = {hour: dt.datetime(2026, 3, 4, *hour, tzinfo=dt.UTC) for hour in ((1, 29), (1, 31), (9, 0))}
    assert {hour: digests_due(moment) for hour, moment in moments.items()} == {
        (1, 29): [],
        (1, 31): [pk],
        (9, 0): [pk],
    }
    Notification.objects.update(created_at=dt.datetime(2026, 3, 4, 2, 0, tzinfo=dt.UTC))
    assert digests_due(dt.datetime(2026, 3, 4, 23, 0, tzinfo=dt.UTC)) == []
    assert digests_due(dt.datetime(2026, 3, 5, 2, 0, tzinfo=dt.UTC)) == [pk]
    User.objects.filter(pk=pk).update(is_active=False)
    assert digests_due(dt.datetime(2026, 3, 5, 2, 0, tzinfo=dt.UTC)) == []


def test_digest_of_a_suspended_person_is_not_sent(world: World, mailoutbox: list[Any]) -> None:
    """Collected before, not sent after."""
    reader = digesting(world)
    world.grant(world.document(), reader, "viewer")
    digest_collect(user_pk=reader.user.pk)  # type: ignore[union-attr]
    User.objects.filter(pk=reader.user.pk).update(is_active=False)  # type: ignore[union-attr]
    assert run("notifications.mail_digest") == [{"sent": False}]
    assert mailoutbox == []


@pytest.mark.django_db(transaction=True)
def test_digest_collected_twice_at_once_is_one(world: World) -> None:
    """Two schedulers, one mail: whoever comes second finds nothing that waits."""
    reader = digesting(world)
    for number in range(5):
        world.grant(world.document(f"Page {number}"), reader, "viewer")
    found, barrier = [], threading.Barrier(2)

    def collect() -> None:
        barrier.wait()
        found.append(digest_collect(user_pk=reader.user.pk))  # type: ignore[union-attr]
        connection.close()

    threads = [threading.Thread(target=collect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 5]
    assert Job.objects.filter(kind="notifications.mail_digest").count() == 1


def test_digest_that_is_long_says_so(
    world: World, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest are in it, the others in the inbox."""
    monkeypatch.setattr("accounts.notice_mails._MOST_IN_DIGEST", 2)
    reader = digesting(world)
    for number in range(3):
        world.grant(world.document(f"Page {number}"), reader, "viewer")
    digest_collect(user_pk=reader.user.pk)  # type: ignore[union-attr]
    run("notifications.mail_digest")
    body = mailoutbox[0].body
    assert "“Page 0”" not in body
    assert "“Page 2”" in body
    assert "There is more in your inbox." in body


def test_mail_of_a_kind_that_is_no_more_is_not_sent(world: World, mailoutbox: list[Any]) -> None:
    """A row of an earlier release neither fails the job nor is told."""
    shared(world)
    Notification.objects.update(kind="earlier.kind", target_uid=uuid.uuid4())
    assert run() == [{"sent": 0}]
    assert mailoutbox == []
