"""The files of jobs in the admin: what there is, and nothing of what is in them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cloudscribe.jobs.models import JobFile
from tests.accounts.factories import user_make
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.jobs.factories import file_make

pytestmark = pytest.mark.django_db
LIST = "/admin/jobs/jobfile/"
QUERIES = 4


def page(file: JobFile) -> str:
    """The address of its page."""
    return f"{LIST}{file.pk}/change/"


def clerk(*permissions: str) -> Client:
    """A member of staff with a few permissions."""
    user = user_make(role=None, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return staff_client(user)[0]


def text(answer: Any) -> str:
    """A page that was found."""
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize("personal", [False, True])
def test_file_is_shown_without_its_content(personal: bool) -> None:
    """Name, size, job and end, on the list and on its page; not where it lies, nor what is in it."""
    file = file_make(personal=personal)
    browser, _ = staff_client(staff_make())
    for shown in (text(browser.get(LIST)), text(browser.get(page(file)))):
        assert "trail.csv" in shown
        assert "2.5\xa0KB" in shown
        assert f"/admin/jobs/job/{file.job_id}/change/" in shown
        assert file.path not in shown
        assert "kanarienvogel" not in shown
        assert f"jobs/{file.job.uid}/file" not in shown


def test_file_says_whose_it_is() -> None:
    """What is personal is told apart, and can be looked for."""
    file_make("mine.zip", personal=True)
    file_make("ours.csv")
    browser, _ = staff_client(staff_make())
    shown = text(browser.get(LIST, {"personal__exact": "1"}))
    assert "mine.zip" in shown
    assert "ours.csv" not in shown


def test_expired_file_is_told_apart() -> None:
    """By the database's clock; it stands there until the purge."""
    file_make("fresh.csv")
    old = file_make("stale.csv")
    JobFile.objects.filter(pk=old.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    browser, _ = staff_client(staff_make())
    for choice, seen, unseen in (("no", "fresh.csv", "stale.csv"), ("yes", "stale.csv", "fresh.csv")):
        shown = text(browser.get(LIST, {"expired": choice}))
        assert seen in shown
        assert unseen not in shown


@pytest.mark.parametrize(
    "lookup", ["path__startswith=jobs/a", "sha256__gt=a", "job__payload__contains=a", "job__actor_uid__gt=a"]
)
def test_file_is_not_found_by_what_is_hidden(lookup: str) -> None:
    """Where it lies can't be guessed letter by letter."""
    file_make()
    browser, _ = staff_client(staff_make())
    assert browser.get(f"{LIST}?{lookup}").status_code == 400


def test_files_are_for_staff_with_the_permission() -> None:
    """Another permission of the same app opens neither the list nor a page."""
    file = file_make()
    other, operator_ = clerk("view_job"), clerk("view_jobfile")
    for address in (LIST, page(file)):
        assert other.get(address).status_code == 403
        assert Client().get(address).status_code == 302
        assert operator_.get(address).status_code == 200


def test_file_is_neither_made_nor_changed_nor_removed_by_hand() -> None:
    """Not even by a superuser's forged form."""
    file = file_make()
    browser, _ = staff_client(staff_make())
    assert browser.get(f"{LIST}add/").status_code == 403
    assert browser.post(page(file), {"name": "other.csv", "personal": ""}).status_code == 403
    assert browser.post(f"{LIST}{file.pk}/delete/", {"post": "yes"}).status_code == 403
    browser.post(LIST, {"action": "delete_selected", "_selected_action": [file.pk], "post": "yes"})
    file.refresh_from_db()
    assert file.name == "trail.csv"
    assert default_storage.exists(file.path)


def test_list_asks_as_much_for_many(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """No query for a single row."""
    browser, _ = staff_client(staff_make())
    for _ in range(3):
        file_make()
    # The user; our session; how many there are; the rows with their jobs.
    with django_assert_num_queries(QUERIES):
        browser.get(LIST)
