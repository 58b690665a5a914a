"""Comments in the admin: that something was said, never what."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from documents.models import Comment, Thread
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.documents.sharing import link_make
from tests.documents.world import World
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db
THREADS, COMMENTS = "/admin/documents/thread/", "/admin/documents/comment/"


@pytest.fixture
def browser() -> Client:
    """An administrator at the admin."""
    return staff_client(staff_make())[0]


def test_pages_tell_nothing_of_what_was_said(browser: Client, world: World) -> None:
    """Lists and pages show document, dates, authors and the passage's fate; no body, no quote."""
    page = world.document("Herbs", content="Zanzibar quoted.\n")
    secret = link_make(world, page, role="commenter")["secret"]
    said = {"body": "Zanzibar said.", "name": "Guest", "quote": "Zanzibar quoted."}
    World.ok(ApiClient().post(f"shared/{secret}/threads/", said), 201)
    thread, comment = Thread.objects.get(), Comment.objects.get()
    for path in (THREADS, f"{THREADS}{thread.pk}/change/", COMMENTS, f"{COMMENTS}{comment.pk}/change/"):
        answer = browser.get(path)
        text = answer.content.decode()
        assert answer.status_code == 200
        assert "Guest" in text
        assert "Herbs" in text
        assert "Zanzibar" not in text
    assert browser.get(f"{COMMENTS}?q=Zanzibar").status_code == 200
    assert browser.get(f"{COMMENTS}{comment.pk}/delete/").status_code == 403
    assert browser.get(f"{COMMENTS}add/").status_code == 403
    assert browser.get(f"{COMMENTS}?body__startswith=S").status_code in {302, 400}


def test_lists_cost_as_much_for_many(browser: Client, world: World) -> None:
    """However many rows."""
    page = world.document("Herbs")
    World.ok(world.owner.post(f"documents/{page}/threads/", {"body": "One."}), 201)
    browser.get(THREADS)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            browser.get(THREADS)
            browser.get(COMMENTS)
        counts.append(len(captured))
        for _ in range(3):
            World.ok(world.owner.post(f"documents/{page}/threads/", {"body": "More."}), 201)
    assert counts[0] == counts[1]
