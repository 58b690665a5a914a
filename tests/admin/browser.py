"""A browser that looks at the staff's pages as served by a real server."""

from __future__ import annotations

import os
import pathlib
import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

from accounts.models import User
from accounts.services import admin_create
from tests.accounts.factories import PASSWORD
from tests.actors import command

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --window-size=1400,900"
)
_PATIENCE = 30


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One browser for all tests; each starts without cookies."""
    if not CHROMIUM or not DRIVER:
        pytest.skip("Chromium and its driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def text_of(page: WebDriver) -> str:
    """What a person can read on the page, by the browser's own account.

    Selenium's goes over every element by script, which takes a minute where there are forty thousand.
    """
    text: str = page.execute_script("return document.body.innerText")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def follow(driver: WebDriver, by: str, value: str) -> None:
    """Click something and wait for the page that answers: a click returns before that is there."""
    page = driver.find_element(By.TAG_NAME, "html")
    driver.find_element(by, value).click()
    WebDriverWait(driver, _PATIENCE).until(staleness_of(page))


class Staff:
    """A member of staff at the browser."""

    def __init__(self, driver: WebDriver, base: str, user: User, pictures: pathlib.Path | None) -> None:
        self.driver = driver
        self.base = base
        self.user = user
        self._pictures = pictures

    def open(self, path: str) -> str:
        """Go to a page and look at it; gives its visible text. Fails where the browser complains."""
        self.driver.get_log("browser")
        self.driver.get(self.base + path)
        self.picture(path)
        complaints = [
            entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"
        ]
        assert complaints == []
        return self.text()

    def text(self) -> str:
        """What a person can read on the page."""
        return text_of(self.driver)

    def picture(self, name: str) -> None:
        """Keep a screenshot where somebody wants to look at it."""
        if self._pictures is None:
            return
        file = self._pictures / (name.strip("/").replace("/", "-").partition("?")[0] + ".png")
        self.driver.save_screenshot(str(file))

    def come_in(self) -> None:
        """Sign in without looking at the form: the browser is given the cookie of who has."""
        client = Client()
        form = {"username": self.user.email, "password": PASSWORD}
        assert client.post("/admin/login/", form).status_code == 302
        name = settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value, "url": self.base}
        self.driver.execute_cdp_cmd("Network.setCookie", cookie)

    def sign_in(self, password: str = PASSWORD) -> None:
        """Fill in the form as a person does."""
        self.driver.get(self.base + "/admin/")
        self.driver.find_element(By.NAME, "username").send_keys(self.user.email)
        self.driver.find_element(By.NAME, "password").send_keys(password)
        self.submit("form [type=submit]")

    def submit(self, selector: str) -> None:
        """Click a button that leads to another page."""
        follow(self.driver, By.CSS_SELECTOR, selector)


@pytest.fixture
def staff(chromium: WebDriver, live_server: object) -> Staff:
    """An administrator in front of the sign-in page; SCREENSHOTS names a folder for pictures."""
    user, _ = admin_create(actor=command(), email="staff@example.org", password=PASSWORD, name="Ada Staff")
    folder = os.environ.get("SCREENSHOTS")
    pictures = pathlib.Path(folder) if folder else None
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    chromium.delete_all_cookies()
    return Staff(chromium, str(live_server), user, pictures)
