"""RQ's pages in a real browser, under our policy for what scripts a page may run."""

from __future__ import annotations

import django_rq
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from cloudscribe.jobs.bell import bells
from tests.admin.browser import Staff
from tests.jobs.factories import job_make

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
HOME = "/admin/django_rq/dashboard/"


def test_bells_are_looked_at_and_deleted(staff: Staff) -> None:
    """From the overview to the list, whose box ticks all, to the question and back, without a complaint."""
    job_make()
    job_make()
    staff.come_in()
    assert "fast" in staff.open(HOME)
    assert "Queued jobs in fast" in staff.open(f"{HOME}queues/0/")
    staff.driver.find_element(By.ID, "action-toggle").click()
    Select(staff.driver.find_element(By.NAME, "action")).select_by_value("delete")
    staff.submit("#changelist-form button[name=index]")
    staff.picture("confirm")
    assert bells("fast") == 2
    staff.submit("#content-main form [type=submit]")
    staff.picture("deleted")
    assert "deleted 2 jobs" in staff.text()
    assert bells("fast") == 0


@pytest.mark.parametrize("page", ["details/", "failed/", "finished/", "started/", "deferred/", "scheduled/"])
def test_page_of_a_queue_is_shown_without_a_complaint(staff: Staff, page: str) -> None:
    """Nothing on it needs what our policy refuses."""
    staff.come_in()
    assert "fast" in staff.open(f"{HOME}queues/0/{page}")


def test_page_of_a_bell_is_shown_without_a_complaint(staff: Staff) -> None:
    """With the job that it rings for."""
    job = job_make()
    (bell,) = django_rq.get_queue("fast").jobs
    staff.come_in()
    assert str(job.uid) in staff.open(f"{HOME}queues/0/{bell.id}/")
