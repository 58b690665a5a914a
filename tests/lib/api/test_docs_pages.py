"""The pages of the API's documentation, looked at in a browser."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

from tests.admin.browser import text_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def reads_on_to(page: WebDriver, text: str) -> bool:
    """Whether the text is on the page by now; else scroll on, as long lists show what is near alone."""
    if text in text_of(page):
        return True
    page.execute_script("window.scrollBy(0, window.innerHeight / 2)")
    return False


@pytest.mark.parametrize(
    ("path", "selector", "text"),
    [
        ("/api/docs/", ".opblock-summary", "/api/v1/documents/{id}/move/"),
        ("/api/docs/redoc/", "[data-section-id]", "Sign in with address and password"),
        ("/api/docs/errors/", "#edit_conflict", "edit_conflict"),
    ],
)
def test_page_shows_its_content_without_a_complaint(
    chromium: WebDriver, live_server: LiveServer, path: str, selector: str, text: str
) -> None:
    """The whole content appears, and neither the content policy nor a missing asset stops any of it."""
    chromium.get_log("browser")
    chromium.get(live_server.url + path)
    WebDriverWait(chromium, 30).until(lambda page: page.find_elements(By.CSS_SELECTOR, selector))
    WebDriverWait(chromium, 30, poll_frequency=0.1).until(lambda page: reads_on_to(page, text))
    complaints = [entry["message"] for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
    # Redoc asks its maker's server for a logo, and the policy keeps it from doing so.
    assert [one for one in complaints if "redoc/logo-mini.svg" not in one] == []
